// /api/v1/services: jobs of kind service, by what they offer.
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
using Json = nlohmann::ordered_json;

const std::string services_path = "/api/v1/services";

/// A service that lives, by its id or, if only one has it, its name.
const LiveJob* find_service(const Controller& machine, std::string_view text) {
  const auto id = job_id_of(text);
  if (const LiveJob* job = id ? machine.jobs().find(*id) : nullptr; job != nullptr && job->service())
    return job;
  const LiveJob* found = nullptr;
  bool several = false;
  machine.jobs().for_each_service([&](const LiveJob& job) {
    if (!job.service() || job.cancelled || job.spec->key != text) return;
    several = found != nullptr;
    found = &job;
  });
  return several ? nullptr : found;
}

Json endpoint(TaskId id, const TaskView& task, const ClusterView& view, const Controller& machine) {
  const std::string& node = machine.cluster().node(task.node).name;
  const AgentFacts* agent = view.agent(node);
  const AttemptFacts* facts = view.facts({id, task.attempt});
  Json endpoint;
  endpoint["task"] = id_text(id);
  endpoint["node"] = node;
  endpoint["address"] = agent == nullptr ? "" : agent->address;
  endpoint["ports"] = facts == nullptr ? std::vector<std::uint32_t>{} : facts->ports;
  endpoint["started_at"] = rfc3339(task.started);
  return endpoint;
}

Json last_end(TaskId id, const TaskView& task, const ClusterView& view) {
  Json end;
  end["task"] = id_text(AttemptId{id, task.ended_attempt});
  end["outcome"] = name(task.outcome);
  end["exit_code"] = task.exit_code;
  const AttemptFacts* facts = view.facts({id, task.ended_attempt});
  if (facts != nullptr && !facts->reason.empty()) end["reason"] = facts->reason;
  end["at"] = rfc3339(task.ended);
  return end;
}

Json service_json(const LiveJob& job, const ClusterView& view, const Controller& machine) {
  Json service;
  service["id"] = job.id.value;
  service["name"] = job.spec->key;
  service["version"] = job.version;
  service["desired_replicas"] = job.desired();
  service["restart"] = name(job.spec->restart.value_or(RestartPolicy::kAlways));
  Json endpoints = Json::array();
  std::uint32_t running = 0;
  std::uint32_t failures = 0;
  const TaskView* last = nullptr;  // The replica whose attempt ended last.
  TaskId last_id{job.id, 0};
  const JobView* shown = view.job(job.id);
  for (std::uint32_t i = 0; shown != nullptr && i < shown->tasks.size(); ++i) {
    const TaskView& task = shown->tasks[i];
    running += task.state == TaskState::kRunning ? 1 : 0;
    if (task.state == TaskState::kRunning && task.ready)
      endpoints.push_back(endpoint({job.id, i}, task, view, machine));
    if (i < job.tasks.size()) failures = std::max(failures, job.tasks[i].failures);
    if (!task.has_ended || (last != nullptr && task.ended <= last->ended)) continue;
    last = &task;
    last_id.index = i;
  }
  service["running_replicas"] = running;
  service["ready_replicas"] = endpoints.size();
  if (failures > 0) service["failures"] = failures;
  if (last != nullptr) service["last_end"] = last_end(last_id, *last, view);
  service["endpoints"] = std::move(endpoints);
  return service;
}

}  // namespace

void Api::add_services(http::RouteTable& table) {
  const auto show = [this](JobId id) {
    const LiveJob* job = machine().jobs().find(id);
    return job == nullptr ? no_such("service", std::to_string(id.value))
                          : http::json_response(service_json(*job, driver_.view(), machine()).dump());
  };
  // Looks up the service of the path, and lets `act` do something with it.
  const auto with_service = [this](auto act) {
    return [this, act](const Request& request, const Responder& respond) {
      const LiveJob* job = find_service(machine(), request.parameter("service"));
      if (job == nullptr) return respond(no_such("one service", request.parameter("service")));
      act(request, respond, *job);
    };
  };
  const auto answer_with = [this, show](const Responder& respond, JobId id) {
    return then([this, show, respond, id](const Answer& answer) {
      respond(answer.refusal.empty() ? show(id) : refused(answer, machine()));
    });
  };

  table.add({.path = services_path,
             .operation_id = "listServices",
             .summary = "Services with the endpoints of their replicas that are ready.",
             .tags = {"services"},
             .responses = {{.status = 200, .description = "The services.", .schema = "ServiceList"}},
             .handler = [this](const Request&, const Responder& respond) {
               Json list = Json::array();
               machine().jobs().for_each_service([&](const LiveJob& job) {
                 if (job.service()) list.push_back(service_json(job, driver_.view(), machine()));
               });
               respond(http::json_response(list.dump()));
             }});
  table.add({.path = services_path + "/{service}",
             .operation_id = "getService",
             .summary = "A service, by its id or its name.",
             .tags = {"services"},
             .responses = {{.status = 200, .description = "The service.", .schema = "Service"}},
             .handler = with_service([show](const Request&, const Responder& respond, const LiveJob& job) {
               respond(show(job.id));
             })});
  table.add({.method = http::Method::kPut,
             .path = services_path + "/{service}/replicas",
             .operation_id = "scaleService",
             .summary = "Sets how many replicas are desired.",
             .tags = {"services"},
             .request = "Replicas",
             .responses = {{.status = 200, .description = "The service.", .schema = "Service"}},
             .handler = with_service(
                 [this, answer_with](const Request& request, const Responder& respond, const LiveJob& job) {
                   driver_.scale(job.id, (*request.document)["replicas"].get<std::uint32_t>(),
                                 answer_with(respond, job.id));
                 })});
  table.add({.method = http::Method::kPut,
             .path = services_path + "/{service}",
             .operation_id = "updateService",
             .summary = "Replaces what it runs: the replicas are exchanged one by one.",
             .tags = {"services"},
             .request = "JobBody",
             .responses = {{.status = 200, .description = "The service.", .schema = "Service"}},
             .handler = with_service(
                 [this, answer_with](const Request& request, const Responder& respond, const LiveJob& job) {
                   auto spec = job_of(*request.document);
                   if (!spec)
                     return respond(http::problem(400, "The body is not as it should be.", spec.problems()));
                   if (!image_pointer(*request.document).empty() && !options_.containers)
                     return respond(http::problem(422, "No node of this cluster runs images."));
                   driver_.update(job.id, *spec, answer_with(respond, job.id));
                 })});
}

}  // namespace duet::live
