// The life of jobs and tasks: admitted, placed, ended, tried again, finished.
#include <algorithm>

#include "core/check.h"
#include "core/controller.h"
#include "core/lifecycle.h"
#include "core/mutation.h"

namespace duet {
namespace {

bool active(TaskState state) {
  return state == TaskState::kStarting || state == TaskState::kRunning || state == TaskState::kStopping;
}

}  // namespace

void Controller::admit(LiveJob& job, JobSpecPtr spec) {
  job.spec = std::move(spec);
  job.submitted = now_;
  std::uint32_t first = 0;
  for (const TaskGroup& group : job.spec->groups) {
    Request request{group.spec.need, group.spec.exclusive};
    if (request.exclusive) request.need.cpu_m = 0;  // The slot brings its own.
    LiveTask task;
    task.group = static_cast<std::uint32_t>(job.groups.size());
    job.tasks.resize(job.tasks.size() + group.count, task);
    job.groups.push_back({request, 0, first, first + group.count, {}});
    first += group.count;
  }
  for (std::uint32_t g = 0; g < job.groups.size(); ++g) enqueue(job, g, job.spec->groups[g].count);
}

void Controller::enqueue(LiveJob& job, std::uint32_t group, std::uint32_t width) {
  if (Waiting* waiting = pending_.find(job.groups[group].rank, job.id, group)) {
    waiting->width += width;
  } else {
    const TaskSpec& spec = job.spec->groups[group].spec;
    const Waiting entry{job.id,
                        group,
                        job.groups[group].request,
                        width,
                        job.spec->kind == JobKind::kRigid,
                        job.spec->priority,
                        job.submitted,
                        estimator_->predict(spec)};
    job.groups[group].rank = queue_->rank(entry);
    pending_.add(job.groups[group].rank, entry);
  }
  dirty_ = true;
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
  if (queue_->reserves()) releases_.insert({task.estimated_end, id, task.node, charge(job, task)});
}

/// The end of the task's attempt is certain: its room is free.
void Controller::release(LiveJob& job, TaskId id) {
  LiveTask& task = job.tasks[id.index];
  auto& list = cluster_.node(task.node).tasks;
  DUET_CHECK(list[task.node_slot] == id);
  if (list.back() != id) {
    const TaskId moved = list.back();
    list[task.node_slot] = moved;
    jobs_.at(moved.job).tasks[moved.index].node_slot = task.node_slot;
  }
  list.pop_back();
  --job.active;
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
  }
  const TaskId id{job.id, index};
  LiveTask& task = job.tasks[index];
  ++task.attempt;
  task.node = placement.node;
  task.threads = placement.threads;
  task.placed = task.started = now_;
  task.evicted = false;
  const auto estimate = estimator_->predict(job.spec->groups[task.group].spec);
  task.estimated_end = estimate ? saturating_add(now_, *estimate) : kNever;
  hold(job, id);
  set_state(job, id, TaskState::kStarting);
  persist_task(job, id);
  if (job.state == JobState::kPending) set_state(job, JobState::kRunning);
  send_launch(job, id);
}

void Controller::send_launch(LiveJob& job, TaskId id) {
  LiveTask& task = job.tasks[id.index];
  const TaskSpec& spec = job.spec->groups[task.group].spec;
  const AttemptId attempt{id, task.attempt};
  task.serial = ++cluster_.node(task.node).launch_serial;
  send(task.node,
       msg::Launch{attempt, task.serial, spec.work, cluster_.cpu_m(task.node, job.groups[task.group].request),
                   task.threads, spec.timeout});
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
    if (state == TaskState::kPending && ending) set_state(job, id, TaskState::kCancelled, Outcome::kKilled);
  }
  if (!ending) return;
  for (std::uint32_t g = 0; g < job.groups.size(); ++g) {
    pending_.remove(job.groups[g].rank, job.id, g);
    job.groups[g].next = job.groups[g].end;
    job.groups[g].back.clear();
  }
  dirty_ |= !mutated(Mutant::kCancelBlocksQueue);  // Those behind it may have waited for it only.
}

/// The current attempt of the task is over: its room is free, the task and its job go on from there.
void Controller::end_attempt(LiveJob& job, TaskId id, Outcome outcome) {
  if (outcome == Outcome::kSucceeded) {
    const LiveTask& task = job.tasks[id.index];
    estimator_->observe(job.spec->groups[task.group].spec, now_ - task.started);
  }
  release(job, id);
  settle_task(job, id, outcome);
  settle_job(job);
}

void Controller::settle_task(LiveJob& job, TaskId id, Outcome outcome) {
  LiveTask& task = job.tasks[id.index];
  const bool rigid = job.spec->kind == JobKind::kRigid;
  if (job.cancelled || (job.failing && outcome != Outcome::kSucceeded)) {
    set_state(job, id, TaskState::kCancelled, outcome);
    return;
  }
  if (outcome == Outcome::kSucceeded) {
    set_state(job, id, TaskState::kSucceeded, outcome);
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
  if (rigid)  // A rigid job's attempts are counted for the job: all members carry the same counts.
    for (LiveTask& member : job.tasks) {
      member.losses = task.losses;
      member.failures = task.failures;
    }
  if (over) {
    set_state(job, id, TaskState::kFailed, outcome);
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

void Controller::wait_again(LiveJob& job, TaskId id, Outcome outcome) {
  LiveTask& task = job.tasks[id.index];
  set_state(job, id, TaskState::kPending, outcome);
  job.groups[task.group].come_back(id.index);
  persist_task(job, id);
  if (job.spec->kind == JobKind::kBag) enqueue(job, task.group, 1);
}

/// A rigid job waits again as soon as none of its tasks is active any more.
void Controller::restart_gang_if_whole(LiveJob& job) {
  if (job.spec->kind != JobKind::kRigid || job.active != 0 || job.groups[0].back.empty()) return;
  job.restarting = false;
  enqueue(job, 0, static_cast<std::uint32_t>(job.groups[0].back.size()));
  set_state(job, JobState::kPending);
}

void Controller::settle_job(LiveJob& job) {
  if (job.terminal != job.tasks.size()) {
    if (job.state == JobState::kRunning) restart_gang_if_whole(job);
    return;
  }
  const JobState state = job.cancelled    ? JobState::kCancelled
                         : job.failed > 0 ? JobState::kFailed
                                          : JobState::kSucceeded;
  set_state(job, state);
  emit(controller::Persist{EndRecord{job.id, state}});
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
  if (terminal(state)) {
    ++job.terminal;
    job.failed += state == TaskState::kFailed;
    if (job.tasks.size() > 1 && job.terminal < job.tasks.size()) persist_task(job, id);
  }
  publish(controller::TaskChanged{{id, task.attempt}, state, task.node, outcome});
}

void Controller::set_state(LiveJob& job, JobState state) {
  DUET_CHECK(allowed(job.state, state));
  job.state = state;
  publish(controller::JobChanged{job.id, state});
}

void Controller::persist_task(const LiveJob& job, TaskId id) {
  const LiveTask& task = job.tasks[id.index];
  emit(controller::Persist{TaskRecord{id, task.state, task.attempt, task.failures, task.losses, task.node,
                                      task.threads, task.placed}});
}

}  // namespace duet
