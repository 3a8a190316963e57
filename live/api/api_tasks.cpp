// /api/v1/tasks
#include <nlohmann/json.hpp>

#include "core/lifecycle.h"
#include "live/api/answers.h"
#include "live/api/api.h"
#include "live/api/explain_json.h"
#include "live/api/job_body.h"
#include "live/api/room.h"
#include "live/driver/job_json.h"

namespace duet::live {
namespace {

using http::Request;
using http::Responder;
using TaskRowJson = nlohmann::ordered_json;

const std::string tasks_path = "/api/v1/tasks";

std::string task_text(const JobView& job, std::uint32_t index, const ClusterView& view,
                      const Controller& machine) {
  const std::string status = R"("status":")" + std::string(name(job.tasks[index].state)) + "\"";
  return with_member(to_json(job, index, view, machine), status);
}

/// A task of a job that is shown.
const JobView* find_task(const ClusterView& view, std::optional<TaskId> id) {
  const JobView* job = id ? view.job(id->job) : nullptr;
  return job != nullptr && id->index < job->tasks.size() ? job : nullptr;
}

std::vector<http::QueryParameter> task_filters() {
  std::string states;
  for (const TaskState state : task_states())
    states += (states.empty() ? "\"" : ", \"") + std::string(name(state)) + "\"";
  return {
      {.name = "state",
       .description = "Only tasks in this state.",
       .schema = R"({"type":"string","enum":[)" + states + "]}"},
      {.name = "job", .description = "Only tasks of the job with this id."},
      {.name = "node", .description = "Only tasks whose last attempt is or was on this node."},
      {.name = "limit",
       .description = "How many at most; 1000 if not given.",
       .schema = R"({"type":"integer","minimum":1,"maximum":10000})"},
      {.name = "after", .description = "Only tasks after the one with this id: the last of the last list."}};
}

}  // namespace

void Api::list_tasks(const Request& request, const Responder& respond) {
  const auto after = request.query_value("after");
  const auto last = after ? task_id_of(*after) : std::nullopt;
  const auto of_job = request.query_value("job");
  const auto only = of_job ? job_id_of(*of_job) : std::nullopt;
  Problems errors;
  if (after && !last) errors.push_back({"?after", "this is no id of a task", "ids look like 17.0"});
  if (of_job && !only) errors.push_back({"?job", "this is no id of a job", "ids are numbers"});
  if (!errors.empty()) return respond(http::problem(400, "The query is not as it should be.", errors));
  const auto state = request.query_value("state");
  const auto node = request.query_value("node");
  const std::uint64_t limit = number_of(request.query_value("limit").value_or("1000")).value_or(1000);

  const ClusterView& view = driver_.view();
  std::string body = "[";
  std::uint64_t count = 0;
  const auto add = [&](const std::string& text) {
    if (count++ > 0) body += ',';
    body += text;
  };
  const JobId first = last ? last->job : JobId{0};
  const auto add_row = [&](const std::string& text) {
    const auto row = TaskRowJson::parse(text, nullptr, false);
    if (!row.is_object()) return;
    for (const auto& task : row.value("tasks", TaskRowJson::array())) {
      const auto id = task_id_of(task.value("id", ""));
      if (!id || (last && *id <= *last) || count >= limit) continue;
      if (state && task.value("state", "") != *state) continue;
      if (node && task.value("node", "") != *node) continue;
      add(with_member(task.dump(), R"("status":")" + task.value("state", std::string()) + "\""));
    }
  };
  const auto add_job = [&](const JobView& job) {
    std::optional<std::string> warning;  // Asked once for a job.
    for (std::uint32_t i = 0; i < job.tasks.size() && count < limit; ++i) {
      const TaskView& task = job.tasks[i];
      if (last && TaskId{job.id, i} <= *last) continue;
      if (state && name(task.state) != *state) continue;
      if (node && (task.attempt == 0 || machine().cluster().node(task.node).name != *node)) continue;
      std::string text = task_text(job, i, view, machine());
      if (task.state == TaskState::kPending) {
        if (!warning) warning = too_large(machine(), *job.spec);
        if (!warning->empty()) text = with_member(text, "\"warning\":" + nlohmann::json(*warning).dump());
      }
      add(text);
    }
  };
  // Both ascend, and no job is in both.
  const auto& old = view.ended_before();
  auto one = view.jobs().lower_bound(first);
  auto other = old.lower_bound(first);
  while (count < limit && (one != view.jobs().end() || other != old.end())) {
    const bool lives = other == old.end() || (one != view.jobs().end() && one->first < other->first);
    const JobId id = lives ? one->first : other->first;
    const bool wanted = !only || id == *only;
    if (lives && wanted) add_job(one->second);
    if (!lives && wanted) add_row(other->second);
    if (lives)
      ++one;
    else
      ++other;
  }
  respond(http::json_response(body + "]"));
}

void Api::add_tasks(http::RouteTable& table) {
  table.add({.method = http::Method::kPost,
             .path = tasks_path,
             .operation_id = "submitTask",
             .summary = "Submits a job of one task, in few words.",
             .tags = {"tasks"},
             .request = "TaskBody",
             .responses = {{.status = 201, .description = "Accepted, durably.", .schema = "Task"}},
             .handler = [this](const Request& request, const Responder& respond) {
               auto spec = job_of_task(*request.document);
               if (!spec)
                 return respond(http::problem(400, "The body is not as it should be.", spec.problems()));
               submit(request, *spec, respond, [this](JobId id) {
                 const JobView* job = driver_.view().job(id);
                 auto response = http::json_response(
                     job == nullptr ? "{}" : task_text(*job, 0, driver_.view(), machine()), 201);
                 response.headers.add("Location", tasks_path + "/" + id_text(TaskId{id, 0}));
                 return response;
               });
             }});
  table.add({.path = tasks_path,
             .operation_id = "listTasks",
             .summary = "Tasks of jobs that live or ended lately, the oldest first.",
             .tags = {"tasks"},
             .query = task_filters(),
             .responses = {{.status = 200, .description = "The tasks.", .schema = "TaskList"}},
             .handler = [this](const Request& request, const Responder& respond) {
               list_tasks(request, respond);
             }});
  table.add({.path = tasks_path + "/{id}",
             .operation_id = "getTask",
             .summary = "A task.",
             .tags = {"tasks"},
             .responses = {{.status = 200, .description = "The task.", .schema = "Task"}},
             .handler = [this](const Request& request, const Responder& respond) {
               const auto id = task_id_of(request.parameter("id"));
               const JobView* job = find_task(driver_.view(), id);
               if (job == nullptr) return respond(no_such("task", request.parameter("id")));
               respond(http::json_response(task_text(*job, id->index, driver_.view(), machine())));
             }});
  table.add({.method = http::Method::kDelete,
             .path = tasks_path + "/{id}",
             .operation_id = "cancelTask",
             .summary = "Cancels the job of this task, which must have no other.",
             .tags = {"tasks"},
             .responses = {{.status = 202, .description = "It is being ended.", .schema = "Task"}},
             .handler = [this](const Request& request, const Responder& respond) {
               const auto id = task_id_of(request.parameter("id"));
               const JobView* job = find_task(driver_.view(), id);
               if (job == nullptr) return respond(no_such("task", request.parameter("id")));
               if (job->tasks.size() > 1)
                 return respond(http::problem(409, "Its job has other tasks too: DELETE /api/v1/jobs/" +
                                                       std::to_string(id->job.value) + " ends them all."));
               driver_.cancel(
                   id->job, then([this, respond, id = *id](const Answer& answer) {
                     if (!answer.refusal.empty()) return respond(refused(answer, machine()));
                     const JobView* ended = find_task(driver_.view(), id);
                     respond(http::json_response(
                         ended == nullptr ? "{}" : task_text(*ended, 0, driver_.view(), machine()), 202));
                   }));
             }});
  table.add({.path = tasks_path + "/{id}/explain",
             .operation_id = "explainTask",
             .summary = "Why a task is where it is, or why it waits: every node and what speaks against it.",
             .tags = {"tasks"},
             .responses = {{.status = 200, .description = "The explanation.", .schema = "Explanation"}},
             .handler = [this](const Request& request, const Responder& respond) {
               const auto id = task_id_of(request.parameter("id"));
               if (find_task(driver_.view(), id) == nullptr)
                 return respond(no_such("task", request.parameter("id")));
               const LiveJob* live = machine().jobs().find(id->job);
               if (live == nullptr || id->index >= live->tasks.size())
                 return respond(
                     http::problem(409, "The job has ended. Its trace explains it: duet explain."));
               respond(http::json_response(explain_json(machine(), *id, driver_.now())));
             }});
  table.add(
      {.path = tasks_path + "/{id}/logs",
       .operation_id = "readLog",
       .summary = "What an attempt of a task wrote; with follow, until it ends.",
       .tags = {"tasks"},
       .query = {{.name = "stream",
                  .description = "stdout if not given.",
                  .schema = R"({"type":"string","enum":["stdout","stderr"]})"},
                 {.name = "attempt",
                  .description = "The number of the attempt; the last one if not given.",
                  .schema = R"({"type":"integer","minimum":1,"maximum":4294967295})"},
                 {.name = "from",
                  .description = "The first byte wanted, counted from 0.",
                  .schema = R"({"type":"integer","minimum":0})"},
                 {.name = "last",
                  .description = "Only so many bytes at the end.",
                  .schema = R"({"type":"integer","minimum":0})"},
                 {.name = "follow",
                  .description = "Stay until the attempt has ended.",
                  .schema = R"({"type":"boolean"})"}},
       .responses = {{.status = 200, .description = "The bytes.", .content_type = "text/plain"}},
       .handler = [this](const Request& request, const Responder& respond) { read_log(request, respond); }});
}

}  // namespace duet::live
