// The life of jobs and tasks: admitted, placed, ended, tried again, finished.
#include <algorithm>

#include "core/check.h"
#include "core/controller.h"
#include "core/lifecycle.h"
#include "core/mutation.h"

namespace duet {

/// What a task takes of its node.
Request Controller::request_of(const TaskSpec& spec) {
  Request request{spec.need, spec.exclusive};
  if (request.exclusive) request.need.cpu_m = 0;  // The slot brings its own.
  return request;
}

void Controller::add_group(LiveJob& job, const TaskSpec& spec) {
  Request request = request_of(spec);
  LiveGroup& group = job.groups.emplace_back();
  if (!spec.pool.empty()) {
    request = {};
    request.need.cpu_m = expected_load(estimator_->predict(spec));
    group.pool = &pool_named(spec.pool);
    ++group.pool->groups;
  }
  group.request = request;
}

/// A job's own scheduler is shared with all jobs that name the same one.
void Controller::choose_scheduler(LiveJob& job) {
  job.scheduler = nullptr;
  if (job.spec->scheduler.empty()) return;
  auto& own = own_schedulers_[job.spec->scheduler];
  if (!own) own = std::move(*make_policy(scheduler_policies(), {job.spec->scheduler, {}}));
  job.scheduler = own.get();
}

void Controller::admit(LiveJob& job, JobSpecPtr spec) {
  job.spec = std::move(spec);
  jobs_.specified(job);
  job.submitted = now_;
  choose_scheduler(job);
  for (const TaskGroup& group : job.spec->groups) {
    add_group(job, group.spec);
    if (job.service() && job.groups.size() < job.spec->groups.size()) continue;  // An older version.
    LiveTask task;
    task.group = static_cast<std::uint32_t>(job.groups.size()) - 1;
    job.groups.back().next = static_cast<std::uint32_t>(job.tasks.size());
    job.tasks.resize(job.tasks.size() + group.count, task);
    job.groups.back().end = static_cast<std::uint32_t>(job.tasks.size());
  }
  if (job.service()) {
    // Replicas come and go, so all that wait are listed by index.
    LiveGroup& group = job.groups.back();
    for (; group.next < group.end; ++group.next) group.back.push_back(group.next);
  }
  if (job.spec->kind == JobKind::kDag) link_groups(job);
  if (job.spec->pool) open_pool(job);
  for (std::uint32_t g = 0; g < job.groups.size(); ++g)
    if (const std::uint32_t width = job.groups[g].width(); width > 0 && !job.blocked(g))
      enqueue(job, g, width);
}

void Controller::enqueue(LiveJob& job, std::uint32_t group, std::uint32_t width) {
  Pool* const pool = job.groups[group].pool;
  Pending& pending = pending_of(job.groups[group]);
  if (Waiting* waiting = pending.find(job.groups[group].rank, job.id, group)) {
    pending.set_width(*waiting, waiting->width + width);
    waiting->avoid = job.groups[group].avoid;
  } else {
    const TaskSpec& spec = job.spec->groups[group].spec;
    const Waiting entry{job.id,
                        group,
                        job.groups[group].request,
                        width,
                        job.spec->kind == JobKind::kRigid,
                        job.spec->priority,
                        job.submitted,
                        estimator_->predict(spec),
                        pool != nullptr ? own_scheduler(job, *pool) : job.scheduler,
                        job.groups[group].avoid};
    job.groups[group].rank = (pool != nullptr ? *pool->queue : *queue_).rank(entry);
    pending.add(job.groups[group].rank, entry);
  }
  (pool != nullptr ? pool->dirty : dirty_) = true;
  if (pool != nullptr) pool->waited = true;
}

Resources Controller::charge(const LiveJob& job, const LiveTask& task) const {
  Resources total = job.groups[task.group].request.need;
  if (job.groups[task.group].request.exclusive) total.cpu_m = cluster_.index().target(task.node).slot_cpu_m;
  return total;
}

/// The task's attempt holds its room from now on.
void Controller::hold(LiveJob& job, TaskId id) {
  LiveTask& task = job.tasks[id.index];
  auto& list = cluster_.node(task.node).tasks;
  task.node_slot = static_cast<std::uint32_t>(list.size());
  list.push_back(id);
  ++job.active;
  const bool on_node = job.groups[task.group].pool == nullptr;
  if (on_node && queue_->reserves()) releases_.insert({task.estimated_end, id, task.node, charge(job, task)});
}

/// The end of the task's attempt is certain: its room is free.
void Controller::release(LiveJob& job, TaskId id) {
  LiveTask& task = job.tasks[id.index];
  auto& list = cluster_.node(task.node).tasks;
  // In a short list the one that takes this one's position is not told: to fetch its job costs more than to
  // look for it once.
  constexpr std::size_t kShort = 16;
  std::size_t at = task.node_slot;
  if (at >= list.size() || list[at] != id)
    at = static_cast<std::size_t>(std::find(list.begin(), list.end(), id) - list.begin());
  DUET_CHECK(at < list.size());
  if (list.back() != id) {
    const TaskId moved = list.back();
    list[at] = moved;
    if (list.size() > kShort)
      jobs_.at(moved.job).tasks[moved.index].node_slot = static_cast<std::uint32_t>(at);
  }
  list.pop_back();
  --job.active;
  if (Pool* const pool = job.groups[task.group].pool) {
    pool->end(id, job.groups[task.group].request, task.threads);
    return;
  }
  if (queue_->reserves()) releases_.erase({task.estimated_end, id, task.node, {}});
  cluster_.give_back(task.node, job.groups[task.group].request, task.threads);
  dirty_ |= !mutated(Mutant::kNoPassAfterRelease);
}

void Controller::launch(const Placement& placement) {
  LiveJob& job = jobs_.at(placement.job);
  LiveGroup& group = job.groups[placement.group];
  std::uint32_t index = 0;
  if (group.back.empty()) {
    index = group.next++;
    DUET_CHECK(index < group.end);
  } else {
    index = group.back.front();
    group.back.erase(group.back.begin());
    // It has found another place, or none.
    if (group.pool != nullptr || job.tasks[index].node == group.avoid) group.avoid.reset();
  }
  const TaskId id{job.id, index};
  LiveTask& task = job.tasks[index];
  ++task.attempt;
  task.node = placement.target;
  if (group.pool != nullptr) {
    group.pool->begin(id, placement.target);
    task.node = group.pool->find(static_cast<std::uint32_t>(placement.target.value))->node;
  }
  task.threads = placement.threads;
  task.placed = task.started = now_;
  task.evicted = false;
  task.ready_number = 0;
  const auto estimate = estimator_->predict(job.spec->groups[task.group].spec);
  task.estimated_end = estimate ? saturating_add(now_, *estimate) : kNever;
  hold(job, id);
  set_state(job, id, TaskState::kStarting);
  if (!mutated(Mutant::kPlacedNotPersisted)) persist_task(job, id);
  if (job.state == JobState::kPending) set_state(job, JobState::kRunning);
  send_launch(job, id);
}

void Controller::send_launch(LiveJob& job, TaskId id) {
  LiveTask& task = job.tasks[id.index];
  const TaskSpec& spec = job.spec->groups[task.group].spec;
  const AttemptId attempt{id, task.attempt};
  const LiveGroup& group = job.groups[task.group];
  std::optional<AttemptId> worker;
  if (group.pool != nullptr) worker = group.pool->worker_of(id);
  const Pool::Worker* executes = worker ? group.pool->find(worker->task.index) : nullptr;
  const std::int64_t cpu_m = executes != nullptr ? executes->share_m
                             : worker            ? kThread
                                                 : cluster_.cpu_m(task.node, group.request);
  task.serial = ++cluster_.node(task.node).launch_serial;
  ThreadSet threads = task.threads;
  if (mutated(Mutant::kThreadBeyondOffer)) threads.insert(cluster_.node(task.node).offer.threads());
  send(task.node, msg::Launch{attempt, worker, task.serial, spec.work, cpu_m, threads, spec.timeout});
  leave_records(job, id);
  await_answer(attempt, task.node);
}

/// Tells the task's agent to end it.
void Controller::stop(LiveJob& job, TaskId id) {
  LiveTask& task = job.tasks[id.index];
  set_state(job, id, TaskState::kStopping);
  const AttemptId attempt{id, task.attempt};
  if (job.tasks.size() > 1 || task.evicted) persist_task(job, id);
  send(task.node, msg::Kill{attempt, task.serial});
  await_answer(attempt, task.node);
}

/// Ends all of a job's tasks that can still be ended: waiting ones at once, if the job is to end; running
/// ones when their agents have done it.
void Controller::stop_others(LiveJob& job) {
  const bool ending = job.cancelled || job.failing;
  for (std::uint32_t i = 0; i < job.tasks.size(); ++i) {
    const TaskId id{job.id, i};
    const TaskState state = job.tasks[i].state;
    if (state == TaskState::kStarting || state == TaskState::kRunning) stop(job, id);
    if ((state == TaskState::kPending || state == TaskState::kIdle) && ending)
      set_state(job, id, TaskState::kCancelled, Outcome::kKilled);
  }
  if (!ending) return;
  for (std::uint32_t g = 0; g < job.groups.size(); ++g) {
    pending_of(job.groups[g]).remove(job.groups[g].rank, job.id, g);
    if (job.groups[g].pool != nullptr) job.groups[g].pool->dirty = true;
    job.groups[g].next = job.groups[g].end;
    job.groups[g].back.clear();
  }
  dirty_ |= !mutated(Mutant::kCancelBlocksQueue);  // Those behind it may have waited for it only.
}

/// The current attempt of the task is over: its room is free, the task and its job go on from there.
void Controller::end_attempt(LiveJob& job, TaskId id, Outcome outcome, Duration cpu) {
  if (outcome == Outcome::kSucceeded) {
    const LiveTask& task = job.tasks[id.index];
    estimator_->observe(job.spec->groups[task.group].spec, now_ - task.started, cpu);
  }
  const NodeId target = target_of(job, id);
  release(job, id);
  settle_task(job, id, outcome, target);
  settle_job(job);
}

/// Where the task's attempt is, as its group's schedulers name places.
NodeId Controller::target_of(const LiveJob& job, TaskId id) const {
  const Pool* const pool = job.groups[job.tasks[id.index].group].pool;
  return pool != nullptr ? NodeId{pool->worker_of(id)->task.index} : job.tasks[id.index].node;
}

/// The attempt of the task that was at `target` is over.
void Controller::settle_task(LiveJob& job, TaskId id, Outcome outcome, NodeId target) {
  LiveTask& task = job.tasks[id.index];
  const bool rigid = job.spec->kind == JobKind::kRigid;
  if (job.cancelled || (job.failing && outcome != Outcome::kSucceeded)) {
    set_state(job, id, TaskState::kCancelled, outcome);
    return;
  }
  if (job.service()) return settle_replica(job, id, outcome);
  if (outcome == Outcome::kSucceeded) {
    set_state(job, id, TaskState::kSucceeded, outcome);
    if (!job.dag.empty()) finish_in_group(job, task.group);
    return;
  }
  const bool asked = outcome == Outcome::kKilled && (task.evicted || job.restarting);
  if (asked || (rigid && job.restarting)) {
    // Ended for the gang's sake, or after another member had already cost the gang its retry.
    wait_again(job, id, outcome);
    return;
  }
  const bool lost = outcome == Outcome::kLost || outcome == Outcome::kKilled;
  bool over = false;
  if (lost)
    over = !mutated(Mutant::kForgetLosses) && ++task.losses > config_.max_losses;
  else if (!mutated(Mutant::kForgetFailures))
    over = ++task.failures > job.spec->retries;
  if (!lost) job.groups[task.group].avoid = target;
  if (rigid)  // A rigid job's attempts are counted for the job: all members carry the same counts.
    for (LiveTask& member : job.tasks) {
      member.losses = task.losses;
      member.failures = task.failures;
    }
  if (over) {
    set_state(job, id, TaskState::kFailed, outcome);
    if (!job.dag.empty()) cancel_descendants(job, task.group);
    if (rigid) {
      job.failing = true;
      stop_others(job);
    }
    return;
  }
  wait_again(job, id, outcome);
  if (rigid && job.tasks.size() > 1) {
    job.restarting = true;
    stop_others(job);
  }
}

/// The task waits for another attempt, perhaps after a backoff.
void Controller::wait_again(LiveJob& job, TaskId id, Outcome outcome) {
  LiveTask& task = job.tasks[id.index];
  if (job.service()) task.group = static_cast<std::uint32_t>(job.groups.size()) - 1;
  set_state(job, id, TaskState::kPending, outcome);
  persist_task(job, id);
  const Duration wait = backoff(job, task, outcome);
  if (job.spec->kind == JobKind::kRigid) {  // The whole gang waits: restart_gang_if_whole().
    task.retry_at = wait > Duration{0} ? saturating_add(now_, wait) : Instant{};
    job.groups[task.group].come_back(id.index);
  } else if (wait > Duration{0}) {
    delay(job, id, wait);
  } else {
    job.groups[task.group].come_back(id.index);
    enqueue(job, task.group, 1);
  }
}

/// A rigid job waits again as soon as none of its tasks is active any more.
void Controller::restart_gang_if_whole(LiveJob& job) {
  if (job.spec->kind != JobKind::kRigid || job.active != 0 || job.groups[0].back.empty()) return;
  if (job.groups[0].back.size() + job.terminal < job.tasks.size()) return;  // Others may be reported yet.
  job.restarting = false;
  set_state(job, JobState::kPending);
  TaskId last{job.id, 0};  // The task whose backoff ends last.
  for (std::uint32_t i = 1; i < job.tasks.size(); ++i)
    if (job.tasks[i].retry_at > job.tasks[last.index].retry_at) last.index = i;
  const Instant at = job.tasks[last.index].retry_at;
  if (at > now_)
    delayed_.insert({at, last});
  else
    enqueue(job, 0, static_cast<std::uint32_t>(job.groups[0].back.size()));
}

void Controller::settle_job(LiveJob& job) {
  if (job.terminal != job.tasks.size()) {
    if (job.state == JobState::kRunning) restart_gang_if_whole(job);
    return;
  }
  if (job.service() && !job.cancelled && job.terminal == 0) return;  // Scaled to nothing.
  const JobState state = job.cancelled    ? JobState::kCancelled
                         : job.failed > 0 ? JobState::kFailed
                                          : JobState::kSucceeded;
  set_state(job, state);
  emit(controller::Persist{EndRecord{job.id, state}});
  if (!pools_.empty()) leave_pools(job);
  jobs_.retire(job.id);
}

void Controller::set_state(LiveJob& job, TaskId id, TaskState state, Outcome outcome) {
  LiveTask& task = job.tasks[id.index];
  DUET_CHECK(allowed(task.state, state));
  DUET_CHECK(active(task.state) || !active(state) || state == TaskState::kStarting);
  if (mutated(Mutant::kIllegalTransition) && state == TaskState::kRunning) {
    publish(controller::TaskChanged{{id, task.attempt}, TaskState::kPending, task.node, outcome});
    return;
  }
  task.state = state;
  if (state != TaskState::kRunning) task.ready = false;
  if (job.pool != nullptr) follow_worker(job, id);
  if (terminal(state)) {
    ++job.terminal;
    job.failed += state == TaskState::kFailed;
    if (job.tasks.size() > 1 && job.terminal < job.tasks.size()) persist_task(job, id);
  }
  publish(controller::TaskChanged{{id, task.attempt}, state, task.node, outcome, task.ready});
}

void Controller::set_state(LiveJob& job, JobState state) {
  DUET_CHECK(allowed(job.state, state));
  job.state = state;
  publish(controller::JobChanged{job.id, state});
}

TaskRecord Controller::record_of(const LiveJob& job, TaskId id) const {
  const LiveTask& task = job.tasks[id.index];
  const Pool* const pool = job.groups[task.group].pool;
  return {id,           task.state,
          task.attempt, task.failures,
          task.losses,  job.service() ? job.version_of(task) : 0,
          task.node,    pool != nullptr ? pool->worker_of(id) : std::nullopt,
          task.threads, task.placed};
}

void Controller::persist_task(const LiveJob& job, TaskId id) {
  emit(controller::Persist{record_of(job, id)});
}

}  // namespace duet
