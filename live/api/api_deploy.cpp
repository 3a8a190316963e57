// /deploy and /status: a cluster with one service, in the words of an older orchestrator.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "live/api/answers.h"
#include "live/api/api.h"

namespace duet::live {
namespace {

using http::Request;
using http::Responder;
using StatusJson = nlohmann::ordered_json;

const LiveJob* find_workload(const Controller& machine, const std::string& service) {
  const LiveJob* found = nullptr;
  machine.jobs().for_each_service([&](const LiveJob& job) {
    if (job.service() && !job.cancelled && job.spec->key == service) found = &job;
  });
  return found;
}

JobSpecPtr workload_spec(const std::string& service, const TaskCommand& command, std::uint32_t replicas) {
  JobSpec spec;
  spec.key = service;
  spec.kind = JobKind::kService;
  spec.backoff = std::chrono::seconds(1);
  spec.scheduler = "round_robin";  // evenly, however little a replica needs
  TaskGroup group;
  group.count = replicas;
  group.spec.need.memory_bytes = 16 * kMiB;  // So that no number of them goes to one node.
  group.spec.work.payload = std::make_shared<const std::string>(to_payload(command));
  spec.groups.push_back(std::move(group));
  return std::make_shared<const JobSpec>(std::move(spec));
}

StatusJson replica_json(TaskId id, const TaskView& task, const ClusterView& view, const Controller& machine,
                        Instant now) {
  const AttemptFacts* facts = view.facts({id, task.attempt});
  const std::string& node = machine.cluster().node(task.node).name;
  const AgentFacts* agent = view.agent(node);
  StatusJson replica;
  replica["id"] = "replica-" + std::to_string(id.index);
  replica["node_ip"] = agent == nullptr || agent->address.empty() ? node : agent->address;
  replica["port"] = facts == nullptr || facts->ports.empty() ? 0 : facts->ports.front();
  replica["uptime"] = go_duration(now - task.started);
  replica["started_at"] = to_ns(task.started) / 1'000'000'000;
  return replica;
}

StatusJson status_json(const LiveJob* job, const ClusterView& view, const Controller& machine, Instant now) {
  StatusJson replicas = StatusJson::array();
  const JobView* shown = job == nullptr ? nullptr : view.job(job->id);
  if (shown != nullptr)
    for (std::uint32_t i = 0; i < shown->tasks.size(); ++i)
      if (shown->tasks[i].state == TaskState::kRunning)
        replicas.push_back(replica_json({job->id, i}, shown->tasks[i], view, machine, now));
  StatusJson status;
  status["desired_replicas"] = job == nullptr ? 0 : job->desired();
  status["actual_replicas"] = replicas.size();
  status["replicas"] = std::move(replicas);
  return status;
}

}  // namespace

std::string go_duration(Duration duration) {
  const std::int64_t all = std::max<std::int64_t>(0, (to_ns(duration) + 500'000'000) / 1'000'000'000);
  const std::int64_t hours = all / 3600;
  const std::int64_t minutes = all / 60 % 60;
  std::string text;
  if (hours > 0) text += std::to_string(hours) + "h";
  if (all >= 60) text += std::to_string(minutes) + "m";
  return text + std::to_string(all % 60) + "s";
}

void Api::deploy(std::uint32_t replicas, const Responder& respond) {
  deploys_.push_back({replicas, respond});
  if (deploys_.size() == 1) deploy_next();
}

void Api::deploy_next() {
  const std::uint32_t replicas = deploys_.front().replicas;
  const Answered answered = then([this, replicas](const Answer& answer) {
    const Responder respond = std::move(deploys_.front().respond);
    deploys_.pop_front();
    respond(answer.refusal.empty()
                ? http::json_response(R"({"desired_replicas":)" + std::to_string(replicas) + "}")
                : refused(answer, machine()));
    if (!deploys_.empty()) deploy_next();
  });
  if (const LiveJob* job = find_workload(machine(), options_.workload_name))
    return driver_.scale(job->id, replicas, answered);
  driver_.submit(workload_spec(options_.workload_name, options_.workload, replicas), std::nullopt, answered);
}

void Api::add_deploy(http::RouteTable& table) {
  table.add({.method = http::Method::kPost,
             .path = "/deploy",
             .operation_id = "deploy",
             .summary = "Sets how many replicas of the workload are to run.",
             .tags = {"deploy"},
             .needs_token = false,
             .request = "Replicas",
             .any_content_type = true,
             .responses = {{.status = 200, .description = "Accepted.", .schema = "Deployed"}},
             .handler = [this](const Request& request, const Responder& respond) {
               deploy((*request.document)["replicas"].get<std::uint32_t>(), respond);
             }});
  table.add({.path = "/status",
             .operation_id = "getStatus",
             .summary = "The replicas of the workload that run.",
             .tags = {"deploy"},
             .needs_token = false,
             .responses = {{.status = 200, .description = "The state.", .schema = "Status"}},
             .handler = [this](const Request&, const Responder& respond) {
               const LiveJob* job = find_workload(machine(), options_.workload_name);
               respond(
                   http::json_response(status_json(job, driver_.view(), machine(), driver_.now()).dump()));
             }});
}

}  // namespace duet::live
