// The one table of what a server answers to: routing, checks of what comes in, OpenAPI and the docs page
// follow from it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "live/http/message.h"
#include "live/http/responder.h"
#include "live/http/schema.h"

namespace duet::live::http {

using Handler = std::function<void(const Request&, Responder)>;

struct QueryParameter {
  std::string name;
  std::string description;
  std::string schema = R"({"type":"string"})";  ///< JSON.
};

struct RouteResponse {
  unsigned status = 200;
  std::string description;
  std::string schema{};  ///< The name of a schema of the table; empty: none.
  std::string content_type = "application/json";
};

struct Route {
  Method method = Method::kGet;  ///< kGet answers HEAD as well. OPTIONS is answered by the server.
  std::string path;              ///< "/api/v1/jobs/{id}"
  std::string operation_id;      ///< Unique: "getJob".
  std::string summary;
  std::vector<std::string> tags{};
  bool needs_token = true;
  std::vector<QueryParameter> query{};  ///< Others are refused with 400, ...
  bool any_query = false;               ///< ... but for this.
  std::string request{};                ///< The name of the body's schema; empty: it takes no body.
  bool body_optional = false;
  bool raw_body = false;  ///< Instead of `request`: the handler reads the body itself, and its mistakes.
  bool any_content_type = false;         ///< curl -d without -H says "application/x-www-form-urlencoded".
  std::vector<RouteResponse> responses;  ///< Successes; errors are the same for all.
  Handler handler;
};

/// What the document says about the whole.
struct ApiInfo {
  std::string title;
  std::string version;
  std::string description;
};

class RouteTable {
 public:
  RouteTable();
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  /// A bug if the method of that path, or the operation id, is taken.
  void add(Route route);
  Schemas& schemas() { return schemas_; }
  const Schemas& schemas() const { return schemas_; }

  struct Match {
    const Route* route = nullptr;   ///< Null: see `allowed`.
    Pairs parameters{};             ///< Decoded.
    std::vector<Method> allowed{};  ///< What the path has; empty: there is no such path.
    bool bad_escape = false;        ///< The path cannot be decoded.
  };
  /// Words of the path go before parameters. HEAD finds GET.
  Match match(Method method, std::string_view path) const;

  /// In the order added.
  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }
  /// All methods in use, for OPTIONS *.
  std::vector<Method> methods() const;

  /// Bugs of the table, for a test: schemas that are missing, routes without a response.
  std::vector<std::string> mistakes() const;

 private:
  struct Segment;
  Schemas schemas_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Segment> root_;
};

/// The OpenAPI 3.1 document of the table.
std::string openapi(const RouteTable& table, const ApiInfo& info);
/// Serves openapi() as GET /openapi.json. To be added last.
void add_openapi_route(RouteTable& table, const ApiInfo& info);
/// A Markdown table of all routes, for the docs.
std::string markdown(const RouteTable& table);

/// "GET, HEAD, OPTIONS, POST": for the header Allow.
std::string allow_text(const std::vector<Method>& methods);

}  // namespace duet::live::http
