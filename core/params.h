// ParamReader: a policy's factory reads its parameters through it, and what it did not ask for is refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/result.h"

namespace duet {

class ParamReader {
 public:
  explicit ParamReader(const Params& params) : params_(params) {}

  /// Seconds as a duration; the default if absent. A problem if it is not a number within [low_s, high_s],
  /// which are whole.
  Duration seconds(std::string_view name, Duration fallback, double low_s = 0, double high_s = 9e9);
  /// A problem if it is not an integer within [low, high].
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t low, std::int64_t high);
  /// One of `choices`; the first if absent.
  std::string_view text(std::string_view name, std::span<const std::string_view> choices);

  /// Adds a problem of the policy's own.
  void refuse(std::string_view name, std::string what, std::string right);
  /// All problems, with one for each parameter nobody asked for.
  Problems finish();

 private:
  const ParamValue* find(std::string_view name);

  const Params& params_;
  std::vector<std::string> asked_;
  Problems problems_;
};

/// make() of a policy without parameters.
template <class P, class Impl>
Result<std::unique_ptr<P>> make_plain(const Params& params) {
  ParamReader reader(params);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<P>(std::make_unique<Impl>());
}

}  // namespace duet
