// Worker pools: replicas that execute operations, which of them gets which, and how many there are.
#include <algorithm>

#include "core/check.h"
#include "core/controller.h"
#include "core/lifecycle.h"
#include "core/mutation.h"

namespace duet {

std::string Controller::pool_refusal(const JobSpec& spec) const {
  if (!spec.pool) return {};
  const PoolSpec& pool = *spec.pool;
  if (spec.kind != JobKind::kService) return "only a service's replicas can be the workers of a pool";
  if (spec.restart.value_or(RestartPolicy::kAlways) != RestartPolicy::kAlways)
    return "the workers of a pool run again always";
  if (pool.name.empty()) return "a pool needs a name";
  if (pool.maximum > kMaxTasksPerJob) return "a pool has at most 1000000 workers";
  if (pool.maximum == 0 || pool.minimum > pool.maximum)
    return "a pool has from its minimum to its maximum of workers, and at most one at least";
  if (pool.full_permille < 1 || pool.full_permille > 1000)
    return "a worker is full at a load from 1 to 1000 thousandths";
  if (std::min(pool.cooldown_up, pool.cooldown_down) < Duration{0}) return "times cannot be negative";
  return workers_refusal(pool, spec.groups.empty() ? 0 : spec.groups.back().count);
}

std::string Controller::workers_refusal(const PoolSpec& pool, std::uint32_t count) const {
  if (count >= pool.minimum && count <= pool.maximum) return {};
  return "the pool '" + pool.name + "' has from " + std::to_string(pool.minimum) + " to " +
         std::to_string(pool.maximum) + " workers";
}

/// Why a task cannot be an operation of the pool it names; empty if it can.
std::string Controller::operation_refusal(const JobSpec& spec, const TaskGroup& group) const {
  if (spec.kind == JobKind::kService) return "a replica cannot be an operation of a pool";
  if (group.spec.exclusive || group.spec.need != Resources{})
    return "an operation needs nothing of its own: its worker has it";
  const auto found = pools_.find(group.spec.pool);
  const LiveJob* job = found == pools_.end() ? nullptr : jobs_.find(found->second->job);
  if (job == nullptr || job->cancelled) return "there is no pool '" + group.spec.pool + "'";
  DUET_CHECK(job->spec->pool.has_value());
  const Pool& pool = *found->second;
  const PoolSpec& rules = *job->spec->pool;
  // An idle worker takes any; beside others as many as do not fill it.
  const std::int64_t load = expected_load(estimator_->predict(group.spec));
  const std::int64_t each = rules.pull ? 1 : std::max<std::int64_t>(rules.full_permille / load, 1);
  if (spec.kind == JobKind::kRigid && group.count > each * rules.maximum)
    return "the pool '" + pool.name + "' can never execute so many operations at one time";
  const std::uint32_t limit = rules.queue_limit;
  std::uint64_t more = 0;
  for (const TaskGroup& other : spec.groups)
    if (other.spec.pool == group.spec.pool && other.after.empty()) more += other.count;
  if (limit == 0 || pool.pending.width() + more <= limit) return {};
  return "the pool '" + pool.name + "' is busy: " + std::to_string(pool.pending.width()) +
         " operations wait, at most " + std::to_string(limit) + " may";
}

Pool& Controller::pool_named(const std::string& name) {
  auto& pool = pools_[name];
  if (!pool) pool = std::make_unique<Pool>(name);
  return *pool;
}

/// The replicas of this job are workers.
void Controller::open_pool(LiveJob& job) {
  const PoolSpec& spec = *job.spec->pool;
  job.pool = &pool_named(spec.name);
  job.pool->job = job.id;
  job.pool->configured = job.desired();
  job.pool->empty_since = now_;
  job.pool->proposed.reset();
  job.pool->look = true;
  job.pool->set_rules(spec.full_permille, spec.pull);
}

/// The job is over: it has no more to do with pools.
void Controller::leave_pools(LiveJob& job) {
  for (LiveGroup& group : job.groups) {
    if (group.pool == nullptr) continue;
    --group.pool->groups;
    forget_if_unused(group.pool);
  }
  if (job.pool == nullptr) return;
  job.pool->job = {};
  job.pool->look = false;
  job.pool->look_at = kNever;
  job.pool->scaled_at.reset();
  job.pool->proposed.reset();
  forget_if_unused(job.pool);
}

void Controller::forget_if_unused(Pool* pool) {
  if (pool->groups == 0 && pool->job == JobId{}) pools_.erase(std::string(pool->name));
}

/// Where tasks of this group wait.
Pending& Controller::pending_of(const LiveGroup& group) {
  return group.pool != nullptr ? group.pool->pending : pending_;
}

/// A replica of a pool's job is in another state: it becomes a worker, or it is none any more.
void Controller::follow_worker(const LiveJob& job, TaskId id) {
  const LiveTask& task = job.tasks[id.index];
  Pool& pool = *job.pool;
  if (task.state == TaskState::kStarting) {
    pool.place({id, task.attempt}, task.node, task.threads,
               cluster_.cpu_m(task.node, job.groups[task.group].request));
  } else if (active(task.state)) {
    pool.set_ready(id.index, task.state == TaskState::kRunning && task.ready, cluster_.usable(task.node));
  } else if (pool.find(id.index) != nullptr) {
    pool.remove(id.index);
  }
}

/// The node takes tasks from now on, or it takes none: so do the workers there.
void Controller::follow_node(NodeId id) {
  if (pools_.empty()) return;
  for (const TaskId task : cluster_.node(id).tasks) {
    const LiveJob& job = jobs_.at(task.job);
    if (job.pool != nullptr && job.tasks[task.index].state == TaskState::kRunning) follow_worker(job, task);
  }
}

void Controller::on_message(NodeId id, const msg::Ask& body) {
  const LiveJob* job = jobs_.find(body.worker.task.job);
  if (job == nullptr || job->pool == nullptr) return;
  const Pool::Worker* worker = job->pool->find(body.worker.task.index);
  if (worker == nullptr || worker->node != id || !job->pool->ask(body.worker, body.number)) ++counters_.stale;
}

/// Gives operations that wait to workers that have room for them.
void Controller::serve_pools() {
  for (auto& [name, pool] : pools_) {
    if (!pool->dirty) continue;
    pool->dirty = false;
    if (pool->pending.empty()) {
      if (!pool->waited) continue;
      note_empty(*pool);  // What waited was cancelled.
      pool->look = true;
      continue;
    }
    Plan plan(now_, pool->pending, *pool, *pool->scheduler, scheduler_rng_, placements_, watcher_);
    pool->queue->pass(plan);
    if (watcher_ != nullptr) watcher_->finished(plan);
    ++counters_.passes;
    counters_.entries_tried += plan.tried();
    for (const Placement& placement : placements_) launch(placement);
    if (pool->pending.empty())
      note_empty(*pool);
    else
      pool->look = true;  // Something found no room.
  }
}

/// Nothing waits for a worker any more.
void Controller::note_empty(Pool& pool) {
  pool.empty_since = now_;
  pool.waited = false;
}

/// Of a job that names its scheduler, one that knows the workers of this pool only; else null.
Scheduler* Controller::own_scheduler(const LiveJob& job, Pool& pool) {
  if (job.spec->scheduler.empty()) return nullptr;
  auto& own = pool.own_schedulers[job.spec->scheduler];
  if (!own) own = std::move(*make_policy(scheduler_policies(), {job.spec->scheduler, {}}));
  return own.get();
}

/// The autoscaler is asked after results, when something found no room, and when it said so; at no other
/// time.
void Controller::scale_pools() {
  for (auto& [name, pool] : pools_) {
    if (!pool->look && pool->look_at > now_) continue;
    pool->look = false;
    pool->look_at = kNever;
    LiveJob* job = jobs_.find(pool->job);
    if (job != nullptr && !job->cancelled) scale(*pool, *job);
  }
}

void Controller::scale(Pool& pool, LiveJob& job) {
  const PoolSpec& spec = *job.spec->pool;
  GroupView view;
  view.count = job.desired();
  view.minimum = spec.minimum;
  view.maximum = spec.maximum;
  view.configured = pool.configured;
  view.ready = pool.ready();
  view.pending = std::max<std::int64_t>(view.count - pool.up(), 0);
  view.least_load_permille = pool.least_load();
  view.queued = static_cast<std::int64_t>(pool.pending.width());
  view.running = static_cast<std::int64_t>(pool.running());
  view.empty_for = view.queued == 0 ? now_ - pool.empty_since : Duration{0};
  const Desired desired = autoscaler_->decide(now_, view);
  if (desired.look_again > Duration{0}) pool.look_at = saturating_add(now_, desired.look_again);

  std::int64_t wanted = std::clamp(desired.count, view.minimum, view.maximum);
  // A worker that executes something is not ended for being one too many.
  if (wanted < view.count) wanted = std::min(view.count, std::max<std::int64_t>(wanted, pool.busy_end()));
  if (wanted == view.count) {
    pool.proposed.reset();
    return;
  }
  const Duration cooldown = wanted > view.count ? spec.cooldown_up : spec.cooldown_down;
  if (pool.scaled_at && saturating_add(*pool.scaled_at, cooldown) > now_ &&
      !mutated(Mutant::kScalesAnyTime)) {
    pool.look_at = std::min(pool.look_at, saturating_add(*pool.scaled_at, cooldown));
    return;
  }
  const auto to = static_cast<std::uint32_t>(wanted);
  if (pool.proposed != wanted)
    publish(controller::PoolScaled{job.id, job.desired(), to, !spec.dry_run, std::string(desired.why)});
  if (spec.dry_run) {
    pool.proposed = wanted;
    return;
  }
  pool.scaled_at = now_;
  set_replicas(job, to);
}

}  // namespace duet
