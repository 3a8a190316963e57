#include "live/worker/worker_server.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "core/codec/json_text.h"

namespace duet::live::worker {
namespace {

using http::Request;
using http::Responder;

constexpr std::string_view kInvocationSchema = R"({"type": "object", "required": ["id", "operation"],
  "additionalProperties": false,
  "properties": {
    "id": {"type": "string", "minLength": 1, "maxLength": 100,
      "description": "The caller's own name for it: nothing of that name may run here."},
    "operation": {"type": "string"},
    "data": {"type": "object"}}})";

std::string list_text() {
  std::string out = "[";
  for (const operations::Entry& entry : operations::all()) {
    if (out.size() > 1) out += ',';
    bool first = true;
    out += '{';
    codec::append_key(out, first, "name");
    codec::append_string(out, entry.name);
    codec::append_key(out, first, "summary");
    codec::append_string(out, entry.summary);
    codec::append_key(out, first, "example");
    out += entry.example;
    out += '}';
  }
  return out + "]";
}

http::Response answer_to(const Executor::Ended& how, std::chrono::steady_clock::time_point begun) {
  if (how.cancelled) return http::problem(409, "The operation was cancelled.");
  if (!how.failure.empty()) return http::problem(500, "The operation failed: " + how.failure + ".");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::string out = R"({"result":)" + how.result + R"(,"took_s":)";
  codec::append_number(out, took.count());
  return http::json_response(out + "}");
}

}  // namespace

WorkerServer::WorkerServer(asio::io_context& io, unsigned threads) : io_(io), executor_(threads) {}

WorkerServer::~WorkerServer() { *alive_ = false; }

void WorkerServer::add_to(http::RouteTable& table) {
  table.schemas().add("Invocation", kInvocationSchema);
  table.add(
      {.path = "/health",
       .operation_id = "health",
       .summary = "The worker is well.",
       .needs_token = false,
       .any_query = true,
       .responses = {{.status = 200, .description = "OK.", .content_type = "text/plain"}},
       .handler = [](const Request&, const Responder& respond) { respond(http::text_response("OK")); }});
  table.add({.path = "/operations",
             .operation_id = "listOperations",
             .summary = "What can be executed here.",
             .needs_token = false,
             .responses = {{.status = 200, .description = "The operations."}},
             .handler = [](const Request&, const Responder& respond) {
               respond(http::json_response(list_text()));
             }});
  table.add(
      {.method = http::Method::kPost,
       .path = "/operations",
       .operation_id = "execute",
       .summary = "Executes an operation, and answers when it has ended.",
       .request = "Invocation",
       .any_content_type = true,
       .responses = {{.status = 200, .description = "Its result."}},
       .handler = [this](const Request& request, const Responder& respond) { execute(request, respond); }});
  table.add({.method = http::Method::kDelete,
             .path = "/operations/{id}",
             .operation_id = "cancel",
             .summary = "Cancels an operation.",
             .responses = {{.status = 202, .description = "It ends."}},
             .handler = [this](const Request& request, const Responder& respond) {
               const std::string id(request.parameter("id"));
               if (!running_.contains(id))
                 return respond(http::problem(404, "Nothing of that name runs here."));
               respond(http::json_response("{}", 202));
               cancel(id);
             }});
}

void WorkerServer::execute(const Request& request, const Responder& respond) {
  const nlohmann::json& body = *request.document;
  const auto id = body["id"].get<std::string>();
  if (running_.contains(id))
    return respond(http::problem(409, "An operation of this name runs here already."));
  auto made =
      operations::make(body["operation"].get<std::string>(), body.value("data", nlohmann::json::object()));
  if (!made) return respond(http::problem(400, "The operation cannot be executed.", made.problems()));
  const Duration pause = (*made)->pause();
  Running one{respond, std::chrono::steady_clock::now(), asio::steady_timer(io_), std::move(*made), 0};
  const auto at = running_.emplace(id, std::move(one)).first;
  if (pause <= Duration{0}) return begin(id);
  at->second.pause.expires_after(pause);
  at->second.pause.async_wait([this, id, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error && running_.contains(id)) begin(id);
  });
}

void WorkerServer::begin(const std::string& id) {
  Running& one = running_.at(id);
  one.ticket = executor_.begin(std::move(one.paused), [this, id, alive = alive_](Executor::Ended how) {
    asio::post(io_, [this, id, alive, how = std::move(how)] {
      if (*alive) ended(id, how);
    });
  });
}

void WorkerServer::cancel(const std::string& id) {
  Running& one = running_.at(id);
  if (one.paused == nullptr) return executor_.cancel(one.ticket);
  Executor::Ended how;
  how.cancelled = true;
  ended(id, how);
}

void WorkerServer::ended(const std::string& id, const Executor::Ended& how) {
  const auto at = running_.find(id);
  if (at == running_.end()) return;
  const Running one = std::move(at->second);
  running_.erase(at);
  one.respond(answer_to(how, one.begun));
}

}  // namespace duet::live::worker
