// What HTTP says: a request as a handler sees it, and the response it gives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"

namespace duet::live::http {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };

std::string_view to_string(Method method);
/// "GET" is kGet; nothing for what is not listed above.
std::optional<Method> method_of(std::string_view name);

/// "Not Found" for 404; "Status" for numbers that have no name here.
std::string_view reason_of(unsigned status);

/// Header fields in the order they were added. Names are compared without regard to case.
class Headers {
 public:
  using Entry = std::pair<std::string, std::string>;
  void add(std::string_view name, std::string_view value) { entries_.emplace_back(name, value); }
  /// The first of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Request {
  Method method = Method::kGet;  ///< HEAD arrives as kGet: the server leaves the body out.
  std::string path;              ///< As sent, without the query: "/api/v1/jobs/7".
  Pairs path_parameters;         ///< Decoded: {"id", "7"}.
  Pairs query;                   ///< Decoded, in the order sent.
  Headers headers;
  std::string body;
  /// The body as JSON, where the route has a schema: it was checked. Null if there was none.
  std::shared_ptr<const nlohmann::json> document;
  std::string peer;  ///< The client's address, without its port.

  /// A parameter of the route's path; it must have it.
  std::string_view parameter(std::string_view name) const;
  /// The last of that name; nothing if there is none.
  std::optional<std::string_view> query_value(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  Headers headers;
  std::string body;
};

Response json_response(std::string body, unsigned status = 200);
Response text_response(std::string body, unsigned status = 200);
Response empty_response(unsigned status = 204);

/// An error as RFC 9457 has it. `errors` become "errors":[{"pointer","detail"}]; one whose `where` begins
/// with
/// '?' names a parameter of the query and is written "parameter" instead.
Response problem(unsigned status, std::string_view detail, const Problems& errors = {},
                 std::string_view type = "about:blank");

}  // namespace duet::live::http
