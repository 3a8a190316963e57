#include "live/http/routes.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/check.h"
#include "live/http/url.h"

namespace duet::live::http {

struct RouteTable::Segment {
  std::map<std::string, std::unique_ptr<Segment>, std::less<>> words;
  std::unique_ptr<Segment> parameter;
  std::map<Method, const Route*> routes;
};

namespace {

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

std::vector<Method> methods_of(const std::map<Method, const Route*>& routes) {
  std::vector<Method> methods;
  for (const auto& [method, route] : routes) methods.push_back(method);
  return methods;
}

}  // namespace

RouteTable::RouteTable() : root_(std::make_unique<Segment>()) {}
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

void RouteTable::add(Route route) {
  DUET_CHECK(std::ranges::none_of(
      routes_, [&](const auto& other) { return other->operation_id == route.operation_id; }));
  routes_.push_back(std::make_unique<Route>(std::move(route)));
  const Route& added = *routes_.back();
  const auto segments = split_path(added.path);
  DUET_CHECK(segments.has_value());
  Segment* at = root_.get();
  for (const std::string_view segment : *segments) {
    auto& next = is_parameter(segment) ? at->parameter : at->words[std::string(segment)];
    if (!next) next = std::make_unique<Segment>();
    at = next.get();
  }
  DUET_CHECK(at->routes.emplace(added.method, &added).second);
}

RouteTable::Match RouteTable::match(Method method, std::string_view path) const {
  Match match;
  const auto segments = split_path(path);
  if (!segments) return match;
  std::vector<std::string> decoded;
  for (const std::string_view segment : *segments) {
    auto text = percent_decode(segment);
    match.bad_escape = match.bad_escape || !text;
    decoded.push_back(text.value_or(""));
  }
  if (match.bad_escape) return match;

  // Depth first, words before parameters: paths are short, and few places have both.
  const auto find = [&](const auto& self, const Segment& at, std::size_t depth) -> const Segment* {
    if (depth == decoded.size()) return at.routes.empty() ? nullptr : &at;
    const auto word = at.words.find(decoded[depth]);
    const Segment* found = word == at.words.end() ? nullptr : self(self, *word->second, depth + 1);
    if (found == nullptr && at.parameter && !decoded[depth].empty())
      found = self(self, *at.parameter, depth + 1);
    return found;
  };
  const Segment* found = find(find, *root_, 0);
  if (found == nullptr) return match;
  match.allowed = methods_of(found->routes);
  const auto route = found->routes.find(method == Method::kHead ? Method::kGet : method);
  if (route == found->routes.end()) return match;
  match.route = route->second;
  const auto names = split_path(match.route->path);
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    const std::string_view name = (*names)[i];
    if (is_parameter(name)) match.parameters.emplace_back(name.substr(1, name.size() - 2), decoded[i]);
  }
  return match;
}

std::vector<Method> RouteTable::methods() const {
  std::set<Method> methods;
  for (const auto& route : routes_) methods.insert(route->method);
  return {methods.begin(), methods.end()};
}

std::vector<std::string> RouteTable::mistakes() const {
  std::vector<std::string> found;
  for (const std::string& name : schemas_.dangling()) found.push_back("no schema " + name);
  for (const auto& route : routes_) {
    const std::string who = std::string(to_string(route->method)) + " " + route->path;
    if (!route->request.empty() && !schemas_.has(route->request))
      found.push_back(who + ": no schema " + route->request);
    if (route->responses.empty()) found.push_back(who + ": no response");
    if (!route->handler) found.push_back(who + ": no handler");
    if (route->summary.empty() || route->operation_id.empty()) found.push_back(who + ": no name");
    for (const RouteResponse& response : route->responses)
      if (!response.schema.empty() && !schemas_.has(response.schema))
        found.push_back(who + ": no schema " + response.schema);
  }
  return found;
}

std::string allow_text(const std::vector<Method>& methods) {
  std::set<std::string> names = {"OPTIONS"};
  for (const Method method : methods) names.emplace(to_string(method));
  if (names.contains("GET")) names.insert("HEAD");
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace duet::live::http
