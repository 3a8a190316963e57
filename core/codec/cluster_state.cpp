#include "core/codec/cluster_state.h"

#include <algorithm>

#include "core/lifecycle.h"

namespace duet::codec {

std::vector<AttemptState> attempts_on(const Controller& controller, NodeId id) {
  std::vector<AttemptState> out;
  for (const TaskId& task : controller.cluster().node(id).tasks) {
    const LiveJob* job = controller.jobs().find(task.job);
    if (job == nullptr || task.index >= job->tasks.size()) continue;
    const LiveTask& live = job->tasks[task.index];
    out.push_back({{task, live.attempt}, live.state, live.threads});
  }
  std::ranges::sort(out, [](const AttemptState& a, const AttemptState& b) { return a.id < b.id; });
  return out;
}

std::size_t attempts_in(const Controller& controller) {
  std::size_t total = 0;
  for (std::uint64_t n = 0; n < controller.cluster().size(); ++n)
    total += controller.cluster().node(NodeId{n}).tasks.size();
  return total;
}

WaitElsewhere wait_elsewhere(const Controller& controller) {
  WaitElsewhere out;
  controller.jobs().for_each([&](const LiveJob& job) {
    for (std::uint32_t i = 0; i < job.tasks.size(); ++i) {
      const LiveTask& task = job.tasks[i];
      if (task.state != TaskState::kPending) continue;
      if (job.blocked(task.group)) ++out.blocked;
      if (task.retry_at != Instant{}) out.backoffs.emplace_back(task.retry_at, TaskId{job.id, i});
    }
  });
  std::ranges::sort(out.backoffs);
  return out;
}

std::string state_text(const ClusterNode& node) {
  return std::string(name(node.state)) + (node.draining ? ", draining" : "");
}

std::vector<const Waiting*> queue_entries(const Controller& controller) {
  std::vector<const Waiting*> entries;
  const auto add = [&](const Pending& pending) {
    for (const auto& [key, waiting] : pending.map()) entries.push_back(&waiting);
  };
  add(controller.pending());
  for (const auto& [name, pool] : controller.pools()) add(pool->pending);
  return entries;
}

std::uint64_t queued_tasks(const Controller& controller) {
  std::uint64_t total = controller.pending().width();
  for (const auto& [name, pool] : controller.pools()) total += pool->pending.width();
  return total;
}

std::string entry_text(const Controller& controller, const Waiting& waiting) {
  std::string text = "job " + std::to_string(waiting.job.value);
  const LiveJob* job = controller.jobs().find(waiting.job);
  if (job == nullptr) return text;
  if (!job->spec->key.empty()) text += " `" + job->spec->key + '`';
  if (job->groups.size() > 1) text += ", group " + std::to_string(waiting.group);
  if (const Pool* pool = job->groups[waiting.group].pool) text += ", pool `" + pool->name + '`';
  return text;
}

}  // namespace duet::codec
