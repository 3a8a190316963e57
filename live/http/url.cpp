#include "live/http/url.h"

#include <algorithm>
#include <charconv>

namespace duet::live::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool is_host_char(char c, bool ipv6) {
  return ipv6 ? hex_digit(c) >= 0 || c == ':' || c == '.' : is_unreserved(c);
}

bool is_decimal(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// 127.x.y.z with all four numbers.
bool is_127(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  int parts = 0;
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    if (!is_decimal(part) || part.size() > 3) return false;
    ++parts;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return parts == 4;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte / 16];
      out += digits[byte % 16];
    }
  }
  return out;
}

std::optional<Pairs> parse_query(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view item = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    auto name = percent_decode(item.substr(0, equals), true);
    auto value = percent_decode(equals == std::string_view::npos ? "" : item.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

std::optional<std::vector<std::string_view>> split_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string_view> segments;
  for (;;) {
    path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash);
  }
}

std::optional<Target> parse_target(std::string_view text) {
  Target target;
  if (text == "*") return Target{.authority = {}, .path = text, .query = {}};
  constexpr std::string_view scheme = "http://";
  if (text.size() > scheme.size() && equal_ignoring_case(text.substr(0, scheme.size()), scheme)) {
    text.remove_prefix(scheme.size());
    const std::size_t end = text.find_first_of("/?");
    target.authority = text.substr(0, end);
    text = end == std::string_view::npos ? "/" : text.substr(end);
    if (target.authority.empty() || !text.starts_with('/')) return std::nullopt;
  }
  if (!text.starts_with('/') || text.find('#') != std::string_view::npos) return std::nullopt;
  const std::size_t mark = text.find('?');
  target.path = text.substr(0, mark);
  if (mark != std::string_view::npos) target.query = text.substr(mark + 1);
  return target;
}

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  std::string_view host = text;
  std::string_view port;
  const bool ipv6 = text.starts_with('[');
  if (ipv6) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!port.empty()) {
    const char* end = port.data() + port.size();
    const auto read = std::from_chars(port.data() + 1, end, authority.port);
    if (port[0] != ':' || !is_decimal(port.substr(1)) || read.ec != std::errc{} || read.ptr != end)
      return std::nullopt;
    authority.has_port = true;
  }
  if (host.ends_with('.') && host.size() > 1) host.remove_suffix(1);
  if (host.empty() || !std::ranges::all_of(host, [&](char c) { return is_host_char(c, ipv6); }))
    return std::nullopt;
  for (const char c : host) authority.host += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return authority;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || is_127(host);
}

bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos || (!host.empty() && std::ranges::all_of(host, [](char c) {
           return (c >= '0' && c <= '9') || c == '.';
         }));
}

Result<Url> parse_url(std::string_view text) {
  const std::string_view given = text;
  const auto wrong = [&](std::string what, std::string right) {
    return Problem{.where = std::string(given), .what = std::move(what), .right = std::move(right)};
  };
  constexpr std::string_view scheme = "http://";
  if (const std::size_t colon = text.find("://"); colon != std::string_view::npos) {
    if (!equal_ignoring_case(text.substr(0, colon + 3), scheme))
      return wrong("only http:// is spoken", "for example http://127.0.0.1:8080");
    text.remove_prefix(colon + 3);
  }
  const std::size_t slash = text.find_first_of("/?#");
  const auto authority = parse_authority(text.substr(0, slash));
  if (!authority || (authority->has_port && authority->port == 0))
    return wrong("this is no address", "HOST:PORT, for example http://127.0.0.1:8080");
  Url url{.host = authority->host, .port = authority->has_port ? authority->port : std::uint16_t{80}};
  if (slash != std::string_view::npos) {
    url.target = text.substr(slash);
    if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
  }
  if (std::ranges::any_of(url.target, [](char c) { return c <= ' ' || c == '#' || c == '\x7f'; }))
    return wrong("spaces, control characters and '#' cannot stand in a URL", "escape them: %20, %23");
  return url;
}

}  // namespace duet::live::http
