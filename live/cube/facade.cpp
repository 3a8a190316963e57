#include "live/cube/facade.h"

#include <algorithm>
#include <set>

#include "core/codec/fingerprint.h"
#include "core/lifecycle.h"
#include "live/cube/stats.h"
#include "live/cube/uuid.h"

namespace duet::live::cube {
namespace {

/// `cube status` shows eight characters of an id; fewer are hardly meant.
constexpr std::size_t kShortestPrefix = 8;

std::string in_words(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += "; ";
    text += problem.where + ": " + problem.what;
    if (!problem.right.empty()) text += " (right would be: " + problem.right + ')';
  }
  return text;
}

}  // namespace

http::Response error(unsigned status, const std::string& message) {
  Json json;
  json["HTTPStatusCode"] = status;
  json["Message"] = message;
  return http::json_response(json.dump(-1, ' ', false, Json::error_handler_t::replace), status);
}

Facade::Facade(ControllerDriver& driver, Options options) : driver_(driver), options_(std::move(options)) {
  for (const auto& [id, row] : driver_.view().ended_before()) note(id);
  for (const auto& [id, job] : driver_.view().jobs()) note(id);
}

/// The task of a job that lives, ended lately or ended before this controller began.
std::optional<ShownTask> Facade::task_of(JobId job) {
  if (const JobView* view = driver_.view().job(job)) return shown(*view, driver_.view(), driver_.machine());
  const auto& before = driver_.view().ended_before();
  const auto row = before.find(job);
  return row == before.end() ? std::nullopt : shown(job, row->second);
}

void Facade::note(JobId job) {
  if (const auto task = task_of(job)) {
    JobId& latest = jobs_[task->task_id];
    latest = std::max(latest, job);
  }
}

Facade::Found Facade::find(std::string_view id) {
  const std::string wanted = lower(id);
  std::vector<ShownTask> found;
  for (auto at = jobs_.lower_bound(wanted); at != jobs_.end() && at->first.starts_with(wanted); ++at)
    if (auto task = task_of(at->second)) found.push_back(std::move(*task));
  if (wanted.size() < kShortestPrefix || found.empty())
    return {std::nullopt, error(404, "No task with ID " + std::string(id) + " found")};
  if (found.size() == 1) return {std::move(found.front()), {}};
  std::string list;
  for (const ShownTask& task : found) list += (list.empty() ? "" : ", ") + task.task_id;
  return {std::nullopt, error(400, "ID " + std::string(id) + " is ambiguous: it may be " + list)};
}

void Facade::list(const http::Responder& respond) {
  std::set<JobId> latest;
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    const bool known =
        driver_.view().job(at->second) != nullptr || driver_.view().ended_before().contains(at->second);
    if (known) latest.insert(at->second);
    at = known ? std::next(at) : jobs_.erase(at);  // It ended long ago.
  }
  Json tasks = Json::array();
  for (const JobId job : latest)
    if (auto task = task_of(job)) tasks.push_back(std::move(task->json));
  respond(http::json_response(tasks.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

void Facade::post(const http::Request& request, const http::Responder& respond) {
  auto event = read_event(request.body);
  if (!event) return respond(error(400, "Error unmarshalling body: " + in_words(event.problems())));
  const auto at = jobs_.find(event->task_id);
  const auto known = at == jobs_.end() ? std::nullopt : task_of(at->second);
  if (event->state == CubeState::kCompleted) {  // The way in which cube's own manager says: stop it.
    if (!known) return respond(error(404, "No task with ID " + event->task_id + " found"));
    return stop(*known, [respond](http::Response response) {
      respond(response.status == 204 ? http::json_response("{}", 201) : std::move(response));
    });
  }
  if (event->state == CubeState::kFailed)
    return respond(error(400, "State: a task cannot be asked to fail (right would be: 2)"));
  if (known && known->event_id == event->id) return respond(http::json_response(known->json.dump(), 201));
  if (known) {
    // A worker runs whatever has ended once more, when it is told to by a new event.
    const bool again = !known->live && (options_.worker || allowed(known->state, CubeState::kScheduled));
    if (!again)
      return respond(error(409, "Task " + known->task_id + " is " + std::string(name(known->state)) +
                                    " and cannot be scheduled again (right would be: another ID)"));
  }
  if (!event->image.empty() && !options_.containers)
    return respond(error(400, "Task.Image: there is no container engine here to run " + event->image +
                                  ", and a task with an image is never run as a plain process (right would "
                                  "be: no Image, and a Cmd such as [\"sleep\",\"60\"])"));
  start(std::move(*event), respond);
}

void Facade::start(TaskEvent event, const http::Responder& respond) {
  auto spec = job_of(event, options_.worker ? std::nullopt : std::optional(options_.check));
  if (!spec) return respond(error(400, in_words(spec.problems())));
  const auto [at, fresh] = starting_.emplace(event.task_id, event.id);
  if (!fresh && at->second != event.id)
    return respond(error(409, "Task " + event.task_id + " is being started by another event"));
  const controller::IdempotencyKey once{"cube:" + event.id, codec::fingerprint(**spec)};
  driver_.submit(*spec, once, [this, alive = alive_, respond, id = event.task_id](const Answer& answer) {
    if (!*alive) return;
    starting_.erase(id);
    if (answer.unavailable) return respond(error(503, "the store fails: ask again, nothing is done twice"));
    if (!answer.refusal.empty()) return respond(error(400, "refused: " + answer.refusal));
    note(answer.job);
    const auto task = task_of(answer.job);
    respond(http::json_response(task ? task->json.dump() : "{}", 201));
  });
}

void Facade::stop(const ShownTask& task, std::function<void(http::Response)> respond) {
  if (!task.live) return respond(http::empty_response());
  driver_.cancel(task.job, [alive = alive_, respond = std::move(respond)](const Answer& answer) {
    if (!*alive) return;
    if (answer.unavailable) return respond(error(503, "the store fails: ask again"));
    respond(http::empty_response());  // A refusal: it has ended meanwhile.
  });
}

void Facade::add_to(http::RouteTable& table) {
  using http::Request;
  using http::Responder;
  table.add(
      {.method = http::Method::kPost,
       .path = "/tasks",
       .operation_id = "startTask",
       .summary = "Starts a task.",
       .needs_token = false,
       .raw_body = true,
       .any_content_type = true,
       .responses = {{.status = 201, .description = "Accepted, durably: the task."}},
       .handler = [this](const Request& request, const Responder& respond) { post(request, respond); }});
  table.add({.path = "/tasks",
             .operation_id = "listTasks",
             .summary = "All tasks.",
             .needs_token = false,
             .responses = {{.status = 200, .description = "The tasks."}},
             .handler = [this](const Request&, const Responder& respond) { list(respond); }});
  table.add({.path = "/tasks/{id}",
             .operation_id = "getTask",
             .summary = "A task, by its id or the first eight characters of it.",
             .needs_token = false,
             .responses = {{.status = 200, .description = "The task."}},
             .handler = [this](const Request& request, const Responder& respond) {
               Found found = find(request.parameter("id"));
               respond(found.task ? http::json_response(found.task->json.dump()) : std::move(found.why));
             }});
  table.add({.method = http::Method::kDelete,
             .path = "/tasks/{id}",
             .operation_id = "stopTask",
             .summary = "Ends a task.",
             .needs_token = false,
             .responses = {{.status = 204, .description = "It is being ended, or has ended."}},
             .handler = [this](const Request& request, const Responder& respond) {
               Found found = find(request.parameter("id"));
               if (!found.task) return respond(std::move(found.why));
               stop(*found.task, [respond](http::Response response) { respond(std::move(response)); });
             }});
  const bool worker = options_.worker;
  table.add({.path = worker ? "/stats" : "/nodes",
             .operation_id = worker ? "getStats" : "listNodes",
             .summary = worker ? "How this machine is." : "The workers.",
             .needs_token = false,
             .responses = {{.status = 200, .description = worker ? "The stats." : "The nodes."}},
             .handler = [this](const Request&, const Responder& respond) {
               const Json json =
                   options_.worker ? read_stats(options_.folder, driver_.machine()) : options_.nodes();
               respond(http::json_response(json.dump()));
             }});
}

}  // namespace duet::live::cube
