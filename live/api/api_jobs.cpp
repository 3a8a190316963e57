// /api/v1/jobs
#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/lifecycle.h"
#include "live/api/answers.h"
#include "live/api/api.h"
#include "live/api/job_body.h"
#include "live/driver/job_json.h"

namespace duet::live {
namespace {

using http::Request;
using http::Responder;

const std::string jobs_path = "/api/v1/jobs";

std::string quoted_names(const auto& values) {
  std::string text;
  for (const auto value : values) text += (text.empty() ? "\"" : ", \"") + std::string(name(value)) + "\"";
  return text;
}

std::vector<http::QueryParameter> list_parameters() {
  return {{.name = "state",
           .description = "Only jobs in this state.",
           .schema = R"({"type":"string","enum":[)" + quoted_names(job_states()) + "]}"},
          {.name = "kind",
           .description = "Only jobs of this kind.",
           .schema = R"({"type":"string","enum":["rigid","bag","dag","service"]})"},
          {.name = "name", .description = "Only jobs of this name."},
          {.name = "user", .description = "Only jobs of this user."},
          {.name = "limit",
           .description = "How many at most; 100 if not given.",
           .schema = R"({"type":"integer","minimum":1,"maximum":1000})"},
          {.name = "cursor", .description = "Where the last list ended: its next_cursor."}};
}

bool wanted(const JobView& job, const Request& request) {
  const auto fits = [&](std::string_view parameter, std::string_view value) {
    const auto filter = request.query_value(parameter);
    return !filter || *filter == value;
  };
  return fits("state", name(job.state)) && fits("kind", name(job.spec->kind)) &&
         fits("name", job.spec->key) && fits("user", job.spec->user);
}

/// The same for what the store has of a job that ended before this controller began; without its tasks.
std::optional<std::string> wanted_row(const std::string& row, const Request& request) {
  auto job = nlohmann::ordered_json::parse(row, nullptr, false);
  if (!job.is_object()) return std::nullopt;
  for (const char* parameter : {"state", "kind", "name", "user"})
    if (const auto filter = request.query_value(parameter); filter && job.value(parameter, "") != *filter)
      return std::nullopt;
  job.erase("tasks");
  return job.dump();
}

}  // namespace

/// The newest first. A cursor is an id: what is submitted meanwhile does not move the pages.
void Api::list_jobs(const Request& request, const Responder& respond) {
  const std::uint64_t limit = number_of(request.query_value("limit").value_or("100")).value_or(100);
  const auto cursor = request.query_value("cursor");
  const auto before = cursor ? job_id_of(*cursor) : std::optional(JobId{UINT64_MAX});
  if (!before)
    return respond(http::problem(400, "The query is not as it should be.",
                                 {{"?cursor", "this is no cursor", "use next_cursor of the last answer"}}));
  const auto& jobs = driver_.view().jobs();
  const auto& old = driver_.view().ended_before();
  std::string body = R"({"jobs":[)";
  std::uint64_t count = 0;
  std::optional<JobId> last;
  bool more = false;
  const auto add = [&](JobId id, const std::string& text) {
    more = count == limit;
    if (more) return;
    if (count++ > 0) body += ',';
    body += text;
    last = id;
  };
  // Both descend, and no job is in both.
  auto one = std::make_reverse_iterator(jobs.lower_bound(*before));
  auto other = std::make_reverse_iterator(old.lower_bound(*before));
  while (!more && (one != jobs.rend() || other != old.rend())) {
    const bool lives = other == old.rend() || (one != jobs.rend() && one->first > other->first);
    if (lives) {
      if (wanted(one->second, request))
        add(one->first, with_warning(to_json(one->second, driver_.view(), machine(), false), one->second));
      ++one;
    } else {
      if (const auto text = wanted_row(other->second, request)) add(other->first, *text);
      ++other;
    }
  }
  body += "]";
  if (more) body += R"(,"next_cursor":")" + std::to_string(last->value) + "\"";
  respond(http::json_response(body + "}"));
}

void Api::add_jobs(http::RouteTable& table) {
  table.add({.method = http::Method::kPost,
             .path = jobs_path,
             .operation_id = "submitJob",
             .summary = "Submits a job. With an Idempotency-Key, repeating it is the same job.",
             .tags = {"jobs"},
             .request = "JobBody",
             .responses = {{.status = 201, .description = "Accepted, durably.", .schema = "Job"}},
             .handler = [this](const Request& request, const Responder& respond) {
               auto spec = job_of(*request.document);
               if (!spec)
                 return respond(http::problem(400, "The body is not as it should be.", spec.problems()));
               submit(request, *spec, respond, [this](JobId id) {
                 auto response = http::json_response(job_text(id).value_or("{}"), 201);
                 response.headers.add("Location", jobs_path + "/" + std::to_string(id.value));
                 return response;
               });
             }});
  table.add(
      {.path = jobs_path,
       .operation_id = "listJobs",
       .summary = "Jobs that live or ended lately, the newest first.",
       .tags = {"jobs"},
       .query = list_parameters(),
       .responses = {{.status = 200, .description = "The jobs.", .schema = "JobList"}},
       .handler = [this](const Request& request, const Responder& respond) { list_jobs(request, respond); }});
  table.add({.path = jobs_path + "/{id}",
             .operation_id = "getJob",
             .summary = "A job with its tasks.",
             .tags = {"jobs"},
             .responses = {{.status = 200, .description = "The job.", .schema = "Job"}},
             .handler = [this](const Request& request, const Responder& respond) {
               const auto id = job_id_of(request.parameter("id"));
               const auto text = id ? job_text(*id) : std::nullopt;
               respond(text ? http::json_response(*text) : no_such("job", request.parameter("id")));
             }});
  table.add({.method = http::Method::kDelete,
             .path = jobs_path + "/{id}",
             .operation_id = "cancelJob",
             .summary = "Cancels a job: its tasks are ended.",
             .tags = {"jobs"},
             .responses = {{.status = 202, .description = "It is being ended.", .schema = "Job"}},
             .handler = [this](const Request& request, const Responder& respond) {
               const auto id = job_id_of(request.parameter("id"));
               if (!id) return respond(no_such("job", request.parameter("id")));
               driver_.cancel(*id, then([this, respond, id = *id](const Answer& answer) {
                 if (!answer.refusal.empty()) return respond(refused(answer, machine()));
                 respond(http::json_response(job_text(id).value_or("{}"), 202));
               }));
             }});
}

}  // namespace duet::live
