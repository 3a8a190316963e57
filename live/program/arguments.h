// The words that a live program was started with: --name value or --name=value. The front has its own, richer
// reading of what people type and passes on plain ones.
#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace duet::live {

class Arguments {
 public:
  Arguments(int argc, const char* const* argv);

  /// The value of `--name`, or `otherwise`.
  std::string text(std::string_view name, std::string otherwise);
  /// Empty: it is there without a value; nothing: it is not there.
  std::optional<std::string> text_if_given(std::string_view name);
  std::uint64_t number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                       std::uint64_t most);
  /// One of `choices`.
  std::string among(std::string_view name, std::string otherwise, const std::vector<std::string>& choices);
  /// HOST:PORT, [HOST]:PORT or PORT.
  struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
  };
  Endpoint endpoint(std::string_view name, const Endpoint& otherwise);
  /// The same, where `--name` without a value means `otherwise`; nothing: it is not there.
  std::optional<Endpoint> endpoint_if_given(std::string_view name, const Endpoint& otherwise);
  /// True if `--name` is there, in whatever form.
  bool given(std::string_view name) const { return words_.find(name) != words_.end(); }
  /// HOST:PORT as above, or the URL of a controller: then `over_http` is true.
  Endpoint controller(std::string_view name, const Endpoint& otherwise, bool& over_http);
  /// `--name` without a value.
  bool flag(std::string_view name);

  /// All mistakes, unknown names included. To be asked when everything was read.
  Problems finish();

 private:
  const std::string* take(std::string_view name);

  std::map<std::string, std::string, std::less<>> words_;
  std::map<std::string, bool, std::less<>> used_;
  Problems problems_;
};

}  // namespace duet::live
