// Checks of worker pools. I20: an autoscaler keeps within bounds and cooldowns. POOL: operations go to
// workers that run, have room and ask, execute nowhere else, and wait only while no worker is free for them.
#include <algorithm>

#include "core/pool.h"
#include "sim/checkers.h"

namespace duet::sim {
namespace {

std::string pool_text(AttemptId id) {
  return "attempt " + std::to_string(id.task.job.value) + '.' + std::to_string(id.task.index) + '#' +
         std::to_string(id.number);
}

bool within(const ThreadSet& part, const ThreadSet& whole) {
  bool all = true;
  part.for_each([&](std::uint32_t thread) { all = all && whole.contains(thread); });
  return all;
}

}  // namespace

void Checkers::see(const Cause&, const controller::PoolScaled& notice) {
  const JobView* job = job_of(notice.job);
  if (job == nullptr || !job->spec->pool)
    return broken("I20", "job " + std::to_string(notice.job.value) + " has no pool to be scaled");
  const PoolSpec& pool = *job->spec->pool;
  const std::string what =
      "pool " + pool.name + " from " + std::to_string(notice.from) + " to " + std::to_string(notice.to);
  if (notice.to < pool.minimum || notice.to > pool.maximum) broken("I20", what + " is out of bounds");
  if (notice.to == notice.from || notice.from != job->desired()) broken("I20", what + " is no change");
  if (notice.applied == pool.dry_run) broken("I20", what + " disregards whether this is a dry run");
  if (!notice.applied) return;
  const Duration cooldown = notice.to > notice.from ? pool.cooldown_up : pool.cooldown_down;
  const auto [last, first] = scaled_at_.try_emplace(notice.job, now_);
  if (!first && saturating_add(last->second, cooldown) > now_) broken("I20", what + " comes too early");
  last->second = now_;
  JobSpec spec = *job->spec;
  spec.groups.front().count = notice.to;
  change(notice.job, std::make_shared<const JobSpec>(std::move(spec)));
}

/// What the operations of this worker are expected to take of it, and how many there are.
std::pair<std::int64_t, std::size_t> Checkers::load_of(AttemptId worker) const {
  std::int64_t load = 0;
  std::size_t operations = 0;
  for (const JobView& job : jobs_) {
    if (job.ended) continue;
    for (const TaskView& task : job.tasks) {
      if (!task.active() || task.worker != worker) continue;
      ++operations;
      load += expected_load(task.spec->estimate > Duration{0} ? std::optional(task.spec->estimate)
                                                              : std::nullopt);
    }
  }
  return {load, operations};
}

/// The launch of an operation goes out for the first time.
void Checkers::see_operation(TaskView& task, AttemptView& attempt, const msg::Launch& launch) {
  if (!launch.worker) return broken("POOL", pool_text(launch.attempt) + " was given to no worker");
  const TaskView* worker = task_of(launch.worker->task);
  const JobView* pool = job_of(launch.worker->task.job);
  task.worker.reset();
  const auto [load, operations] = load_of(*launch.worker);
  task.worker = attempt.worker = launch.worker;
  const std::string what = pool_text(launch.attempt) + " was given to " + pool_text(*launch.worker);
  if (worker == nullptr || !pool->spec->pool || pool->spec->pool->name != task.spec->pool)
    return broken("POOL", what + ", which is no worker of its pool");
  if (worker->number != launch.worker->number || worker->state != TaskState::kRunning || !worker->ready)
    broken("POOL", what + ", which does not run");
  if (worker->node != task.node || !within(launch.threads, worker->threads))
    broken("POOL", what + ", but not where that one is");
  const bool by_estimate = scenario_.controller.estimator.name == "declared";
  const std::int64_t more =
      expected_load(task.spec->estimate > Duration{0} ? std::optional(task.spec->estimate) : std::nullopt);
  if (by_estimate && operations > 0 && load + more > pool->spec->pool->full_permille)
    broken("POOL", what + ", which is full");
  if (pool->spec->pool->pull && operations > 0) broken("POOL", what + ", which has one and pulls");
}

/// True if some operation of this pool could start if a worker were idle.
bool Checkers::operation_waits(const Controller& controller, const std::string& pool) const {
  bool waits = false;
  controller.jobs().for_each([&](const LiveJob& live) {
    const JobView& job = jobs_[live.id.value - 1];
    if (job.gang() || job.tasks.size() != live.tasks.size()) return;
    for (std::size_t i = 0; i < job.tasks.size() && !waits; ++i) {
      const TaskView& task = job.tasks[i];
      waits = task.state == TaskState::kPending && job.next_spec(task).pool == pool &&
              live.tasks[i].retry_at <= Instant{} &&
              !(job.spec->kind == JobKind::kDag && job.blocked(task.group));
    }
  });
  return waits;
}

void Checkers::check_pools(const Controller& controller) {
  for (std::uint64_t j = 0; j < jobs_.size(); ++j) {
    const JobView& job = jobs_[j];
    if (job.ended || !job.spec->pool || job.cancelled) continue;
    const bool waits = operation_waits(controller, job.spec->pool->name);
    for (std::uint32_t i = 0; i < job.tasks.size(); ++i) {
      const TaskView& worker = job.tasks[i];
      const AttemptId id{{JobId{j + 1}, i}, worker.number};
      const bool serves =
          worker.state == TaskState::kRunning && worker.ready && worker.node.value < nodes_.size() &&
          nodes_[worker.node.value].state == NodeState::kReady && !nodes_[worker.node.value].draining;
      if (!waits || !serves || load_of(id).second > 0) {
        idle_since_.erase(id);
        continue;
      }
      const Instant since = std::max(idle_since_.try_emplace(id, now_).first->second, promise_.clean);
      if (now_ - since > (job.spec->pool->pull ? promise_.rejoin * 2 : Duration{0}))
        broken("POOL", "an operation waits although " + pool_text(id) + " is idle");
    }
  }
  for (const NodeView& node : nodes_)
    for (const AttemptId id : node.running) {
      const AttemptView* attempt = attempt_of(id);
      const AttemptView* worker =
          attempt != nullptr && attempt->worker ? attempt_of(*attempt->worker) : nullptr;
      if (worker != nullptr && !worker->running)
        broken("POOL", pool_text(id) + " runs although its worker does not");
    }
}

}  // namespace duet::sim
