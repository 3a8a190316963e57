#include "live/api/plan_json.h"

#include <map>

#include <nlohmann/json.hpp>

#include "core/lifecycle.h"
#include "live/api/explain_json.h"
#include "live/driver/job_json.h"

namespace duet::live {
namespace {

using PlanJson = nlohmann::ordered_json;

constexpr RequestId kAsking{~std::uint64_t{0}};

const controller::Reply* reply_in(const controller::Commands& commands) {
  for (const controller::Command& command : commands) {
    const auto* reply = std::get_if<controller::Reply>(&command);
    if (reply != nullptr && reply->request == kAsking) return reply;
  }
  return nullptr;
}

PlanJson placement(const Controller& machine, TaskId id, const LiveTask& task) {
  PlanJson plan;
  plan["task"] = id.index;
  plan["node"] = machine.cluster().node(task.node).name;
  PlanJson threads = PlanJson::array();
  task.threads.for_each([&](std::uint32_t thread) { threads.push_back(thread); });
  plan["threads"] = std::move(threads);
  return plan;
}

}  // namespace

std::string refused_plan_json(const std::string& why) {
  PlanJson plan;
  plan["accepted"] = false;
  plan["refusal"] = why;
  plan["tasks_total"] = 0;
  plan["tasks_placed"] = 0;
  return plan.dump();
}

std::string plan_json(Controller& copy, const JobSpecPtr& spec, Instant now) {
  controller::Commands commands;
  copy.step(now, controller::Submit{kAsking, spec, std::nullopt}, commands);
  const controller::Reply* reply = reply_in(commands);
  if (reply == nullptr) return refused_plan_json("the controller does not answer");
  if (!reply->refusal.empty()) return refused_plan_json(reply->refusal);
  const JobId id = reply->job;
  copy.step(now, Wake{}, commands);
  PlanJson plan;
  plan["accepted"] = true;
  plan["queue"] = copy.config().queue.name;
  plan["scheduler"] = spec->scheduler.empty() ? copy.config().scheduler.name : spec->scheduler;
  PlanJson placements = PlanJson::array();
  std::map<NodeId, std::uint64_t> by_node;
  std::uint64_t total = 0;
  std::uint64_t placed = 0;
  std::optional<TaskId> waiting;
  if (const LiveJob* job = copy.jobs().find(id)) {
    total = job->tasks.size();
    for (std::uint32_t i = 0; i < job->tasks.size(); ++i) {
      const LiveTask& task = job->tasks[i];
      if (!active(task.state)) {
        if (!waiting && task.state == TaskState::kPending) waiting = TaskId{id, i};
        continue;
      }
      ++by_node[task.node];
      if (placed++ < kTasksShown) placements.push_back(placement(copy, {id, i}, task));
    }
  }
  plan["tasks_total"] = total;
  plan["tasks_placed"] = placed;
  PlanJson nodes = PlanJson::array();
  for (const auto& [node, tasks] : by_node)
    nodes.push_back({{"name", copy.cluster().node(node).name}, {"tasks", tasks}});
  plan["nodes"] = std::move(nodes);
  plan["placements"] = std::move(placements);
  if (waiting) plan["waiting"] = PlanJson::parse(explain_json(copy, *waiting, now));
  return plan.dump();
}

}  // namespace duet::live
