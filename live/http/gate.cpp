#include "live/http/gate.h"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <openssl/crypto.h>

#include "core/codec/hash.h"
#include "live/http/url.h"

namespace duet::live::http {
namespace {

codec::Sha256Digest digest(std::string_view text) {
  codec::Sha256 hash;
  hash.update(codec::as_bytes(text));
  return hash.finish();
}

bool is_json_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return equal_ignoring_case(type, "application/json");
}

Response with_header(Response response, std::string_view name, std::string_view value) {
  response.headers.add(name, value);
  return response;
}

Response options_response(const std::vector<Method>& methods) {
  return with_header(empty_response(204), "Allow", allow_text(methods));
}

}  // namespace

bool same_secret(std::string_view wanted, std::string_view given) {
  // Of the digests: they are of one length, whatever was sent.
  const codec::Sha256Digest a = digest(wanted);
  const codec::Sha256Digest b = digest(given);
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Gate::Gate(const RouteTable& table, GateOptions options) : table_(table), options_(std::move(options)) {}

bool Gate::known_host(std::string_view authority) const {
  const auto parsed = parse_authority(authority);
  if (!parsed) return false;
  return is_loopback(parsed->host) || std::ranges::any_of(options_.hosts, [&](const std::string& host) {
           return equal_ignoring_case(host, parsed->host);
         });
}

bool Gate::answers_to(std::string_view authority) const {
  const auto parsed = parse_authority(authority);
  return parsed && (known_host(authority) || std::ranges::count(options_.hosts, "*") > 0 ||
                    (any_address_ && is_address(parsed->host)));
}

std::optional<Response> Gate::host_and_origin(std::string_view authority, bool http_1_0,
                                              const Headers& headers) const {
  const std::size_t hosts = headers.count("Host");
  if (hosts > 1 || (hosts == 0 && !http_1_0)) return problem(400, "A request has exactly one Host header.");
  if (authority.empty()) authority = headers.find("Host").value_or("");
  if (!authority.empty() && !answers_to(authority))
    return problem(421, "This server does not go by the name `" + std::string(authority) +
                            "`. It answers to localhost, 127.0.0.1, [::1] and the address it is bound to.");
  // Browsers name where a script or form comes from; a page of elsewhere has no business here.
  const auto origin = headers.find("Origin");
  constexpr std::string_view scheme = "http://";
  if (!origin) return std::nullopt;
  const std::string_view from = origin->starts_with(scheme) ? origin->substr(scheme.size()) : "";
  const bool same = !from.empty() && from == authority;
  if (!same && !(known_host(from) && known_host(authority)))
    return problem(403, "Pages of other origins may not send requests here.");
  return std::nullopt;
}

bool Gate::token_fits(const Headers& headers) const {
  if (options_.token.empty()) return true;
  const auto sent = headers.find("Authorization");
  constexpr std::string_view scheme = "bearer ";
  if (!sent || sent->size() < scheme.size() || !equal_ignoring_case(sent->substr(0, scheme.size()), scheme))
    return false;
  std::string_view token = sent->substr(scheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  return same_secret(options_.token.reveal(), token);
}

std::optional<Response> Gate::query(const Route& route, std::string_view text, Request& request) const {
  auto pairs = parse_query(text);
  if (!pairs) return problem(400, "The query has an escape that is wrong.");
  request.query = std::move(*pairs);
  if (route.any_query) return std::nullopt;
  Problems errors;
  for (const auto& [name, value] : request.query) {
    const auto known = std::ranges::find(route.query, name, &QueryParameter::name);
    if (known != route.query.end()) {
      for (Problem& error : table_.schemas().check_text(known->schema, "?" + name, value))
        errors.push_back(std::move(error));
      continue;
    }
    std::vector<std::string> names;
    for (const QueryParameter& parameter : route.query) names.push_back(parameter.name);
    const std::string near = nearest(name, names);
    std::string list;
    for (const std::string& candidate : names) list += (list.empty() ? "there are " : ", ") + candidate;
    if (list.empty()) list = "there are none here";
    errors.push_back({.where = "?" + name,
                      .what = "there is no parameter of this name",
                      .right = near.empty() ? list : "did you mean `" + near + "`?"});
  }
  if (errors.empty()) return std::nullopt;
  return problem(400, "The query is not as it should be.", errors);
}

Gate::Way Gate::head(std::string_view method, std::string_view target, bool http_1_0, bool has_body,
                     Request& request) const {
  const auto parsed = parse_target(target);
  if (!parsed) return problem(400, "The target of a request is a path such as /healthz.");
  if (auto refused = host_and_origin(parsed->authority, http_1_0, request.headers)) return *refused;
  const auto known = method_of(method);
  if (!known) return problem(501, "This method is not known here.");
  request.method = *known == Method::kHead ? Method::kGet : *known;
  request.path = parsed->path;
  if (parsed->path == "*") {
    if (*known == Method::kOptions) return options_response(table_.methods());
    return problem(400, "Only OPTIONS goes to `*`.");
  }

  RouteTable::Match match = table_.match(*known, parsed->path);
  if (match.bad_escape) return problem(400, "The path has an escape that is wrong.");
  if (match.allowed.empty())
    return problem(404, "There is nothing at `" + request.path + "`. See /openapi.json for what there is.");
  if (match.route == nullptr && *known == Method::kOptions) return options_response(match.allowed);
  if (match.route == nullptr)
    return with_header(problem(405, std::string(method) + " is not for `" + request.path + "`."), "Allow",
                       allow_text(match.allowed));
  const Route& route = *match.route;
  request.path_parameters = std::move(match.parameters);
  if (route.needs_token && !token_fits(request.headers))
    return with_header(problem(401, request.headers.find("Authorization")
                                        ? "The token is not the right one."
                                        : "This needs the header `Authorization: Bearer TOKEN`."),
                       "WWW-Authenticate", "Bearer");
  if (auto refused = query(route, parsed->query, request)) return *refused;
  if (has_body && !route.request.empty() && !route.any_content_type &&
      !is_json_type(request.headers.find("Content-Type").value_or("")))
    return problem(415, "The body must be JSON, and say so: `Content-Type: application/json`.");
  return &route;
}

std::optional<Response> Gate::body(const Route& route, Request& request) const {
  if (route.raw_body) return std::nullopt;
  if (route.request.empty()) {
    if (request.body.empty()) return std::nullopt;
    return problem(400, "This takes no body.");
  }
  if (request.body.empty()) {
    if (route.body_optional) return std::nullopt;
    return problem(400, "A body is missing.");
  }
  const auto document = parse_json(request.body, options_.json_depth);
  if (!document) return problem(400, "The body is no JSON that could be read.", document.problems());
  const Problems errors = table_.schemas().check(route.request, **document);
  if (!errors.empty()) return problem(400, "The body is not as it should be.", errors);
  request.document = *document;
  return std::nullopt;
}

}  // namespace duet::live::http
