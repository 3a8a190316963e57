#include "core/explain.h"

#include <memory>

#include "core/check.h"
#include "core/lifecycle.h"

namespace duet {
namespace {

std::string shortage(std::string_view what, std::int64_t need, std::int64_t have, std::string_view unit) {
  const auto amount = [&](std::int64_t n) { return std::to_string(n) + std::string(unit); };
  return std::string(what) + ": needs " + amount(need) + ", has " + amount(have) + " free, short by " +
         amount(need - have);
}

std::vector<std::string> shortages(const Request& request, const Room& room) {
  std::vector<std::string> found;
  const Resources& need = request.need;
  const Resources& have = room.free;
  if (request.exclusive && room.slots < 1) found.push_back("no core is wholly free");
  if (need.cpu_m > have.cpu_m) found.push_back(shortage("CPU", need.cpu_m, have.cpu_m, " m"));
  if (need.memory_bytes > have.memory_bytes)
    found.push_back(shortage("memory", need.memory_bytes, have.memory_bytes, " B"));
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind)
    if (need.count[kind] > have.count[kind])
      found.push_back(
          shortage("countable kind " + std::to_string(kind), need.count[kind], have.count[kind], ""));
  return found;
}

/// The cluster once more, with what live attempts hold.
Cluster rebuilt(const Controller& controller) {
  Cluster copy;
  const Cluster& original = controller.cluster();
  for (std::uint64_t n = 0; n < original.size(); ++n) {
    const NodeId id{n};
    const ClusterNode& node = original.node(id);
    copy.add(node.name);
    if (node.known) copy.set_offer(id, node.offer);
    copy.node(id).state = node.state;
    copy.node(id).draining = node.draining;
    copy.refresh(id);
  }
  controller.jobs().for_each([&](const LiveJob& job) {
    for (const LiveTask& task : job.tasks)
      if (active(task.state)) copy.retake(task.node, job.groups[task.group].request, task.threads);
  });
  return copy;
}

}  // namespace

Explanation explain(const Controller& controller, JobId id, std::uint32_t group,
                    std::span<const TaskRecord> earlier) {
  const LiveJob* job = controller.jobs().find(id);
  DUET_CHECK(job != nullptr && group < job->groups.size());
  const ControllerConfig& config = controller.config();
  const PolicyChoice choice =
      job->spec->scheduler.empty() ? config.scheduler : PolicyChoice{job->spec->scheduler, {}};
  auto scheduler = make_policy(scheduler_policies(), choice);
  DUET_CHECK(scheduler);

  Explanation out;
  out.request = job->groups[group].request;
  out.queue = config.queue.name;
  out.scheduler = choice.name;
  out.avoid = job->groups[group].avoid;
  for (const auto& [key, waiting] : controller.pending().map()) {
    out.waiting = waiting.job == id && waiting.group == group;
    if (out.waiting) break;
    ++out.ahead;
  }
  Cluster cluster = rebuilt(controller);
  for (const TaskRecord& placed : earlier)
    if (const LiveJob* other = controller.jobs().find(placed.task.job))
      cluster.retake(placed.node, other->groups[other->tasks[placed.task.index].group].request,
                     placed.threads);

  for (std::uint64_t n = 0; n < cluster.size(); ++n) {
    const ClusterNode& node = cluster.node(NodeId{n});
    Candidate candidate{NodeId{n}, node.name, {}, {}};
    if (!node.known)
      candidate.refused.push_back("has never been seen");
    else if (node.state != NodeState::kReady)
      candidate.refused.push_back("is " + std::string(name(node.state)));
    if (node.draining) candidate.refused.push_back("is draining");
    if (node.known)
      for (std::string& reason : shortages(out.request, node.room))
        candidate.refused.push_back(std::move(reason));
    if (candidate.refused.empty())
      candidate.score = (*scheduler)->score(out.request, cluster.index().target(NodeId{n}));
    out.nodes.push_back(std::move(candidate));
  }
  return out;
}

}  // namespace duet
