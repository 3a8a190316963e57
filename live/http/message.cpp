#include "live/http/message.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "core/codec/json_text.h"

namespace duet::live::http {
namespace {

constexpr std::array<std::string_view, 7> method_names = {"GET",   "HEAD",   "POST",   "PUT",
                                                          "PATCH", "DELETE", "OPTIONS"};

struct Reason {
  unsigned status;
  std::string_view text;
};

constexpr std::array reasons = {
    Reason{100, "Continue"},
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{410, "Gone"},
    Reason{411, "Length Required"},
    Reason{412, "Precondition Failed"},
    Reason{413, "Content Too Large"},
    Reason{414, "URI Too Long"},
    Reason{415, "Unsupported Media Type"},
    Reason{417, "Expectation Failed"},
    Reason{421, "Misdirected Request"},
    Reason{422, "Unprocessable Content"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
    Reason{505, "HTTP Version Not Supported"},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void append_member(std::string& out, bool& first, std::string_view name, std::string_view value) {
  codec::append_key(out, first, name);
  codec::append_string(out, value);
}

}  // namespace

std::string_view to_string(Method method) { return method_names[static_cast<std::size_t>(method)]; }

std::optional<Method> method_of(std::string_view name) {
  const auto found = std::ranges::find(method_names, name);
  if (found == method_names.end()) return std::nullopt;
  return static_cast<Method>(found - method_names.begin());
}

std::string_view reason_of(unsigned status) {
  const auto found = std::ranges::find(reasons, status, &Reason::status);
  return found == reasons.end() ? "Status" : found->text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Entry& entry : entries_)
    if (equal_ignoring_case(entry.first, name)) return entry.second;
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      entries_, [&](const Entry& entry) { return equal_ignoring_case(entry.first, name); }));
}

std::string_view Request::parameter(std::string_view name) const {
  const auto found =
      std::ranges::find(path_parameters, name, [](const auto& pair) { return std::string_view(pair.first); });
  DUET_CHECK(found != path_parameters.end());
  return found->second;
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (auto pair = query.rbegin(); pair != query.rend(); ++pair)
    if (pair->first == name) return pair->second;
  return std::nullopt;
}

Response json_response(std::string body, unsigned status) {
  return {.status = status, .content_type = "application/json", .headers = {}, .body = std::move(body)};
}

Response text_response(std::string body, unsigned status) {
  return {
      .status = status, .content_type = "text/plain; charset=utf-8", .headers = {}, .body = std::move(body)};
}

Response empty_response(unsigned status) {
  return {.status = status, .content_type = "", .headers = {}, .body = ""};
}

Response problem(unsigned status, std::string_view detail, const Problems& errors, std::string_view type) {
  std::string body = "{";
  bool first = true;
  append_member(body, first, "type", type);
  append_member(body, first, "title", reason_of(status));
  codec::append_key(body, first, "status");
  codec::append_number(body, status);
  append_member(body, first, "detail", detail);
  if (!errors.empty()) {
    codec::append_key(body, first, "errors");
    body += '[';
    for (const Problem& error : errors) {
      if (&error != &errors.front()) body += ',';
      body += '{';
      bool first_member = true;
      const bool of_query = error.where.starts_with('?');
      append_member(body, first_member, of_query ? "parameter" : "pointer",
                    of_query ? std::string_view(error.where).substr(1) : std::string_view(error.where));
      append_member(body, first_member, "detail",
                    error.right.empty() ? error.what : error.what + "; " + error.right);
      body += '}';
    }
    body += ']';
  }
  body += '}';
  return {
      .status = status, .content_type = "application/problem+json", .headers = {}, .body = std::move(body)};
}

}  // namespace duet::live::http
