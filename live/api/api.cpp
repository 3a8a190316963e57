#include "live/api/api.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "core/codec/fingerprint.h"
#include "core/codec/json_text.h"
#include "live/api/answers.h"
#include "live/api/feed.h"
#include "live/api/job_body.h"
#include "live/api/reply_schemas.h"
#include "live/api/room.h"
#include "live/driver/job_json.h"
#include "live/metrics/metric_set.h"
#include "live/operations/operation.h"

namespace duet::live {

namespace {

/// Whether the workers of this pool are Duet's own.
bool own_workers(const std::string& pool, const Controller& machine) {
  bool own = false;
  machine.jobs().for_each_service([&](const LiveJob& job) {
    if (!job.spec->pool || job.spec->pool->name != pool || job.cancelled) return;
    const auto& payload = job.spec->groups.back().spec.work.payload;
    const auto command = command_from_payload(payload ? std::string_view(*payload) : "");
    own = command && command->worker && command->argv.empty();
  });
  return own;
}

/// Operations that Duet's own workers do not know; workers of one's own may know others.
Problems unknown_operations(const JobSpec& spec, const Controller& machine) {
  Problems problems;
  for (std::size_t i = 0; i < spec.groups.size(); ++i) {
    const TaskSpec& task = spec.groups[i].spec;
    if (task.pool.empty() || operations::find(task.operation) != nullptr || !own_workers(task.pool, machine))
      continue;
    const auto unknown = operations::make(task.operation, nlohmann::json::object());
    Problem problem = unknown.problems().front();
    if (spec.kind == JobKind::kDag) problem.where.insert(0, "/groups/" + std::to_string(i));
    problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace

Api::Api(asio::io_context& io, ControllerDriver& driver, ApiOptions options)
    : io_(io), driver_(driver), options_(std::move(options)), dry_run_(io) {
  // When this controller's log began: no two of one cluster begin within the same millisecond.
  log_id_ = std::to_string(to_ns(driver.now()) / 1'000'000);
}

Api::~Api() {
  *alive_ = false;
  for (const auto& feed : std::exchange(feeds_, {})) feed->end();
}

void Api::add_to(http::RouteTable& table) {
  add_job_schemas(table.schemas());
  add_reply_schemas(table.schemas());
  add_about(table);
  add_jobs(table);
  add_plan(table);
  add_tasks(table);
  add_services(table);
  add_nodes(table);
  add_events(table);
  add_deploy(table);
  http::add_openapi_route(
      table, {.title = "Duet", .version = options_.version, .description = "A cluster's controller."});
}

void Api::add_about(http::RouteTable& table) {
  table.add({.path = "/healthz",
             .operation_id = "getHealth",
             .summary = "The program runs.",
             .tags = {"about"},
             .needs_token = false,
             .responses = {{.status = 200, .description = "OK.", .content_type = "text/plain"}},
             .handler = [](const http::Request&, const http::Responder& respond) {
               respond(http::text_response("OK\n"));
             }});
  table.add({.path = "/readyz",
             .operation_id = "getReadiness",
             .summary = "Requests are accepted: the store works.",
             .tags = {"about"},
             .needs_token = false,
             .responses = {{.status = 200, .description = "OK.", .content_type = "text/plain"}},
             .handler = [this](const http::Request&, const http::Responder& respond) {
               respond(driver_.available() ? http::text_response("OK\n") : unavailable());
             }});
  table.add({.path = "/.well-known/duet",
             .operation_id = "getAbout",
             .summary = "What answers here, and on which port it awaits agents.",
             .tags = {"about"},
             .needs_token = false,
             .responses = {{.status = 200, .description = "The controller.", .schema = "About"}},
             .handler = [this](const http::Request&, const http::Responder& respond) {
               std::string text = R"({"name":"duet","version":")" + options_.version + "\"";
               if (options_.agents_port) {
                 text += R"(,"agents_port":)" + std::to_string(options_.agents_port());
                 text += R"(,"agents_need_token":)";
                 text += options_.agents_need_token ? "true" : "false";
               }
               respond(http::json_response(text + "}"));
             }});
  add_metrics_route(table, [this] { return options_.metrics ? options_.metrics() : std::string(); });
}

void add_metrics_route(http::RouteTable& table, std::function<std::string()> text) {
  table.add({.path = "/metrics",
             .operation_id = "getMetrics",
             .summary = "Numbers for a Prometheus.",
             .tags = {"about"},
             .needs_token = false,
             .any_query = true,
             .responses = {{.status = 200, .description = "The text format.", .content_type = "text/plain"}},
             .handler = [text = std::move(text)](const http::Request&, const http::Responder& respond) {
               http::Response response = http::text_response(text());
               response.content_type = MetricSet::kContentType;
               respond(std::move(response));
             }});
}

/// Submits, and answers with what `accepted` makes of the job's id.
void Api::submit(const http::Request& request, JobSpecPtr spec, const http::Responder& respond,
                 std::function<http::Response(JobId)> accepted) {
  std::optional<controller::IdempotencyKey> once;
  if (const auto key = request.headers.find("Idempotency-Key")) {
    if (key->empty() || key->size() > IdempotencyKeys::kLongest)
      return respond(http::problem(400, "An Idempotency-Key has 1 to 255 bytes."));
    once = controller::IdempotencyKey{std::string(*key), codec::fingerprint(*spec)};
  }
  if (!options_.containers) {
    const std::string image = image_pointer(*request.document);
    if (!image.empty())
      return respond(http::problem(422, "No node of this cluster runs images.",
                                   {{image,
                                     "there is no container engine here, and a task with an image is "
                                     "never run as a plain process",
                                     "leave the image out, and give a command"}}));
  }
  if (const Problems unknown = unknown_operations(*spec, machine()); !unknown.empty())
    return respond(http::problem(400, "The body is not as it should be.", unknown));
  driver_.submit(
      std::move(spec), std::move(once), then([respond, accepted = std::move(accepted)](const Answer& answer) {
        if (answer.unavailable) return respond(unavailable());
        if (answer.refusal.empty()) return respond(accepted(answer.job));
        if (answer.refusal.find(" is busy: ") != std::string::npos) {  // A pool's queue is full.
          http::Response later = http::problem(429, "This was refused: " + answer.refusal + ".");
          later.headers.add("Retry-After", "1");
          return respond(later);
        }
        // A job is named where the key was used for another submission.
        respond(
            http::problem(answer.job == JobId{} ? 422 : 409, "This was refused: " + answer.refusal + "."));
      }));
}

/// What waits and could wait for ever says so.
std::string Api::with_warning(std::string text, const JobView& job) {
  const std::string why = job.state == JobState::kPending ? too_large(machine(), *job.spec) : std::string();
  if (why.empty()) return text;
  std::string member = "\"warning\":";
  codec::append_string(member, why);
  return with_member(text, member);
}

std::optional<std::string> Api::job_text(JobId id) {
  if (const JobView* job = driver_.view().job(id))
    return with_warning(to_json(*job, driver_.view(), machine()), *job);
  if (!machine().jobs().was_given(id)) return std::nullopt;
  const auto rows = driver_.store().history(JobId{id.value + 1}, 1);
  if (!rows || rows->empty() || rows->front().job != id) return std::nullopt;
  return rows->front().json;
}

}  // namespace duet::live
