// Addresses: what a request's target, a Host header and a URL consist of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "live/http/message.h"

namespace duet::live::http {

/// "%2F" is "/". Nothing if an escape is cut short or wrong, or stands for byte 0.
/// In a query, '+' stands for a space as well.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
/// Everything but letters, digits and "-._~" escaped.
std::string percent_encode(std::string_view text);

/// "a=1&b" is {a,1}, {b,}. Nothing if an escape is wrong.
std::optional<Pairs> parse_query(std::string_view text);

/// "/a/b" is {"a", "b"}, "/" is {""}; not decoded. Nothing without a slash in front.
std::optional<std::vector<std::string_view>> split_path(std::string_view path);

/// The target of a request line.
struct Target {
  std::string_view authority;  ///< Only where the client sent the whole URL.
  std::string_view path;       ///< "*" is possible.
  std::string_view query;      ///< Without '?'.
};
/// Nothing for what is neither "/path?query" nor "http://authority/path?query" nor "*".
std::optional<Target> parse_target(std::string_view text);

/// "127.0.0.1:8080", "[::1]:80", "localhost".
struct Authority {
  std::string host;  ///< Lower-case; IPv6 without its brackets, and without a dot at the end.
  std::uint16_t port = 0;
  bool has_port = false;
};
/// Nothing for what is no host with an optional port; user names are refused.
std::optional<Authority> parse_authority(std::string_view text);

/// Of this machine alone: localhost and the names below it, 127.0.0.0/8, ::1.
bool is_loopback(std::string_view host);

/// An IP address, not a name; IPv6 without its brackets.
bool is_address(std::string_view host);

struct Url {
  std::string host;
  std::uint16_t port = 80;
  std::string target = "/";  ///< Path and query.
};
/// Problems name what is wrong with it; only http is spoken.
Result<Url> parse_url(std::string_view text);

}  // namespace duet::live::http
