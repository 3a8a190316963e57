// Options as other families of programs read them: as Go's flag package does (-port=9001, --port 9001), and
// as pflag does (-p 5555, -p5555, --port=5555).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace duet::front {

struct Flag {
  std::string name;
  std::string type{};  ///< As usage shows it: "string", "int"; empty: a switch, which takes no value.
  std::string standard{};
  std::string help{};
  char letter = '\0';  ///< Short form, in pflag's style.
};

class FlagSet {
 public:
  enum class Style : std::uint8_t { kGo, kPosix };

  FlagSet(Style style, std::vector<Flag> flags) : style_(style), flags_(std::move(flags)) {}

  /// All mistakes. To be called once. In Go's style what follows the first word that is no flag is no flag.
  Problems parse(const std::vector<std::string>& words);

  /// -h, -help or --help was among them.
  bool wants_help() const { return wants_help_; }
  /// What was given, or the standard. `name` must be one of the flags.
  const std::string& value(std::string_view name) const;
  bool given(std::string_view name) const { return values_.contains(name); }
  bool on(std::string_view name) const { return value(name) == "true"; }
  /// The words that are no flags, in their order.
  const std::vector<std::string>& rest() const { return rest_; }
  const std::vector<Flag>& flags() const { return flags_; }
  /// One paragraph for each flag, in its style.
  std::string usage() const;

 private:
  std::size_t take(const std::vector<std::string>& words, std::size_t at, Problems& problems);
  std::size_t take_letters(const std::vector<std::string>& words, std::size_t at, Problems& problems);
  void set(const Flag& flag, const std::string& shown, std::string value, Problems& problems);
  const Flag* find(std::string_view name) const;
  Problem unknown(const std::string& shown, std::string_view name) const;

  Style style_;
  std::vector<Flag> flags_;
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> rest_;
  bool wants_help_ = false;
};

}  // namespace duet::front
