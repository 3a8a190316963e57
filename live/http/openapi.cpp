// What follows from the table of routes: the OpenAPI document, and a table for people.
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "live/http/routes.h"
#include "live/http/url.h"

namespace duet::live::http {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view problem_schema = R"({
  "type": "object",
  "description": "An error, as RFC 9457 has it.",
  "required": ["type", "title", "status", "detail"],
  "properties": {
    "type": {"type": "string", "description": "about:blank, or what kind of problem it is."},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string", "description": "What is wrong, in a sentence."},
    "errors": {
      "type": "array",
      "description": "Every mistake of what was sent.",
      "items": {
        "type": "object",
        "required": ["detail"],
        "properties": {
          "pointer": {"type": "string", "description": "Where in the body; a JSON pointer."},
          "parameter": {"type": "string", "description": "Which parameter of the query."},
          "detail": {"type": "string"}
        }
      }
    }
  }
})";

std::string lower(Method method) {
  std::string name(to_string(method));
  for (char& c : name) c = static_cast<char>(c - 'A' + 'a');
  return name;
}

Json content(const std::string& type, const std::string& schema) {
  Json media = Json::object();
  if (!schema.empty()) media["schema"]["$ref"] = "#/components/schemas/" + schema;
  Json result = Json::object();
  result[type] = media;
  return result;
}

Json parameters(const Route& route) {
  Json list = Json::array();
  const auto segments = split_path(route.path);
  for (const std::string_view segment : *segments) {
    if (!segment.starts_with('{')) continue;
    Json parameter;
    parameter["name"] = std::string(segment.substr(1, segment.size() - 2));
    parameter["in"] = "path";
    parameter["required"] = true;
    parameter["schema"]["type"] = "string";
    list.push_back(std::move(parameter));
  }
  for (const QueryParameter& query : route.query) {
    Json parameter;
    parameter["name"] = query.name;
    parameter["in"] = "query";
    parameter["description"] = query.description;
    parameter["schema"] = Json::parse(query.schema);
    list.push_back(std::move(parameter));
  }
  return list;
}

Json responses(const Route& route) {
  Json all = Json::object();
  for (const RouteResponse& response : route.responses) {
    Json one;
    one["description"] = response.description;
    if (response.status != 204) one["content"] = content(response.content_type, response.schema);
    all[std::to_string(response.status)] = std::move(one);
  }
  all["default"]["description"] = "An error.";
  all["default"]["content"] = content("application/problem+json", "Problem");
  return all;
}

Json operation(const Route& route) {
  Json result;
  result["operationId"] = route.operation_id;
  result["summary"] = route.summary;
  if (!route.tags.empty()) result["tags"] = route.tags;
  if (Json list = parameters(route); !list.empty()) result["parameters"] = std::move(list);
  if (!route.request.empty()) {
    result["requestBody"]["required"] = !route.body_optional;
    result["requestBody"]["content"] = content("application/json", route.request);
  }
  result["responses"] = responses(route);
  result["security"] = Json::array();
  if (route.needs_token) {
    Json bearer = Json::object();
    bearer["token"] = Json::array();
    result["security"].push_back(std::move(bearer));
  }
  return result;
}

}  // namespace

std::string openapi(const RouteTable& table, const ApiInfo& info) {
  Json document;
  document["openapi"] = "3.1.0";
  document["info"]["title"] = info.title;
  document["info"]["version"] = info.version;
  document["info"]["description"] = info.description;
  document["paths"] = Json::object();
  for (const auto& route : table.routes())
    document["paths"][route->path][lower(route->method)] = operation(*route);
  Json& schemas = document["components"]["schemas"];
  schemas = Json::object();
  for (const auto& [name, schema] : table.schemas().all()) schemas[name] = Json::parse(schema->dump());
  if (!schemas.contains("Problem")) schemas["Problem"] = Json::parse(problem_schema);
  Json& token = document["components"]["securitySchemes"]["token"];
  token["type"] = "http";
  token["scheme"] = "bearer";
  return document.dump(2) + "\n";
}

void add_openapi_route(RouteTable& table, const ApiInfo& info) {
  const auto text = std::make_shared<std::string>();
  table.add({.path = "/openapi.json",
             .operation_id = "getOpenApi",
             .summary = "This interface, as an OpenAPI document.",
             .tags = {"about"},
             .needs_token = false,
             .responses = {{.status = 200, .description = "OpenAPI 3.1."}},
             .handler = [text](const Request&, const Responder& respond) { respond(json_response(*text)); }});
  *text = openapi(table, info);
}

std::string markdown(const RouteTable& table) {
  std::string text = "| request | body | answer | token | |\n|---|---|---|---|---|\n";
  for (const auto& route : table.routes()) {
    text += "| `" + std::string(to_string(route->method)) + " " + route->path;
    for (const QueryParameter& query : route->query)
      text += (&query == &route->query.front() ? "?" : "&") + query.name + "=";
    text += "` | " + (route->request.empty() ? "" : "`" + route->request + "`") + " | ";
    for (const RouteResponse& response : route->responses) {
      if (&response != &route->responses.front()) text += ", ";
      text += std::to_string(response.status);
      if (!response.schema.empty()) text += " `" + response.schema + "`";
    }
    text += std::string(" | ") + (route->needs_token ? "yes" : "no") + " | " + route->summary + " |\n";
  }
  return text;
}

}  // namespace duet::live::http
