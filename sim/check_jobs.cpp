// Checks of tasks and jobs: legal steps, one accepted end, bounded attempts, causes before effects.
#include <algorithm>

#include "core/lifecycle.h"
#include "sim/checkers.h"

namespace duet::sim {
namespace {

std::string text(AttemptId id) {
  return "attempt " + std::to_string(id.task.job.value) + '.' + std::to_string(id.task.index) + '#' +
         std::to_string(id.number);
}

}  // namespace

void Checkers::see(const Cause&, const controller::JobChanged& notice) {
  JobView* job = job_of(notice.job);
  if (job == nullptr) return broken("I1", "a job that was never accepted changed");
  changed_jobs_.push_back(notice.job.value - 1);
  if (notice.state == job->state && notice.state == JobState::kPending) return;  // Its first word.
  if (!allowed(job->state, notice.state))
    broken("I1", "job " + std::to_string(notice.job.value) + " went from " + std::string(name(job->state)) +
                     " to " + std::string(name(notice.state)));
  job->state = notice.state;
  if (!terminal(notice.state)) return;
  job->ended = true;
  --live_jobs_;
  bool failed = false;
  for (const TaskView& task : job->tasks) {
    if (!terminal(task.state))
      broken("I3", "job " + std::to_string(notice.job.value) + " ended before its tasks");
    failed = failed || task.state == TaskState::kFailed;
  }
  if (notice.state == JobState::kSucceeded && failed)
    broken("I3", "job " + std::to_string(notice.job.value) + " succeeded although a task failed");
}

void Checkers::see(const Cause& cause, const controller::TaskChanged& notice) {
  TaskView* task = task_of(notice.attempt.task);
  if (task == nullptr) return broken("I1", "a task that was never accepted changed");
  JobView& job = *job_of(notice.attempt.task.job);
  changed_jobs_.push_back(notice.attempt.task.job.value - 1);
  changed_tasks_.push_back(notice.attempt.task);
  const TaskState before = task->state;
  if (before == TaskState::kRunning && notice.state == before) return see_ready(cause, *task, notice);
  if (terminal(before) && (notice.state == TaskState::kSucceeded || notice.state == TaskState::kFailed))
    broken("I2", "a second end was accepted after " + text({notice.attempt.task, task->number}));
  if (!allowed(before, notice.state))
    broken("I1", "the task of " + text(notice.attempt) + " went from " + std::string(name(before)) + " to " +
                     std::string(name(notice.state)));
  const bool was_active = task->active();
  if (notice.state == TaskState::kStopping) check_stop(cause, job, *task, notice.attempt);
  task->state = notice.state;
  task->stored = true;
  task->ready = false;
  if (notice.state == TaskState::kRunning) see_ready(cause, *task, notice);
  if (notice.state == TaskState::kIdle) {  // Wanted again, it begins anew.
    task->failed_on.reset();
    task->not_before = {};
  }
  if (notice.state == TaskState::kStarting) return place(*task, notice);
  if (notice.attempt.number != task->number)
    broken("I2", text(notice.attempt) + " changed, but " + std::to_string(task->number) + " is the last one");
  if (notice.state == TaskState::kStopping && job.generation_stopped != task->number) {
    job.generation_stopped = task->number;
    job.stopped_at_step = steps_;
  }
  const AttemptView* attempt = attempt_of(notice.attempt);
  if (notice.state == TaskState::kRunning && (attempt == nullptr || !attempt->began))
    broken("I17", text(notice.attempt) + " was said to run before it began");
  if (!was_active || task->active()) return;
  check_end(cause, *task, notice);
  count_end(job, *task, notice, before);
  remember_end(job, *task, notice.outcome, before);
  leave(*task);
}

/// A task got a place.
void Checkers::place(TaskView& task, const controller::TaskChanged& notice) {
  const JobView& job = *job_of(notice.attempt.task.job);
  if (notice.attempt.number != task.number + 1)
    broken("I4", text(notice.attempt) + " does not follow number " + std::to_string(task.number));
  if (job.cancelled) broken("I25", text(notice.attempt) + " was placed although its job was cancelled");
  task.number = notice.attempt.number;
  task.version = job.version;
  task.spec = task_spec(job.spec, task.group);
  task.node = notice.node;
  task.booked = false;
  task.worker.reset();
  if (task.attempts.size() < task.number) task.attempts.resize(task.number);
  task.attempts.back().spec = task.spec;
  if (notice.node.value >= nodes_.size())
    return broken("I8", text(notice.attempt) + " was placed on no node");
  const NodeView& node = nodes_[notice.node.value];
  if (node.state != NodeState::kReady || node.draining)
    broken("I8", text(notice.attempt) + " was placed on node " + std::to_string(notice.node.value) +
                     ", which is " + (node.draining ? "draining" : std::string(name(node.state))));
  check_place(job, task, notice.attempt);
}

void Checkers::see_launch(const controller::Send& send, const msg::Launch& launch) {
  TaskView* task = task_of(launch.attempt.task);
  AttemptView* attempt = attempt_of(launch.attempt);
  const std::uint64_t id = send.link.value;
  if (attempt == nullptr || task->number != launch.attempt.number || task->state != TaskState::kStarting ||
      task->node.value != id)
    return broken(
        "I17", text(launch.attempt) + " was sent to node " + std::to_string(id) + " without a place there");
  NodeView& node = nodes_[id];
  if (send.message.boot != node.boot || send.message.epoch != node.epoch)
    broken("I9", text(launch.attempt) + " was sent to a registration that does not hold");
  attempt->launched = true;
  if (task->booked) {  // Sent again: because nothing answered, or with a registration.
    if (node.granted_at == now_) return;
    if (node.repeated > 0 && now_ - node.repeated_at < scenario_.controller.resend_after) return;
    ++node.repeated;
    node.repeated_at = now_;
    return;
  }
  const std::uint32_t stuck_after = scenario_.controller.stuck_after;
  if (stuck_after > 0 && node.repeated >= stuck_after)
    broken("L6", text(launch.attempt) + " was sent to node " + std::to_string(id) +
                     ", which has long answered no launch");
  task->booked = true;
  task->threads = launch.threads;
  changed_tasks_.push_back(launch.attempt.task);
  if (launch.work != task->spec->work || launch.timeout != task->spec->timeout)
    broken("I17", text(launch.attempt) + " is to do something else than its task says");
  if (!task->spec->pool.empty()) return see_operation(*task, *attempt, launch);
  if (const auto wrong = node.believed.add(*task->spec, launch.threads))
    broken(wrong->invariant,
           text(launch.attempt) + ", placed on node " + std::to_string(id) + ", " + std::string(wrong->what));
}

/// The task's attempt holds nothing any more.
void Checkers::leave(TaskView& task) {
  if (!task.booked) return;
  task.booked = false;
  if (task.spec->pool.empty()) nodes_[task.node.value].believed.remove(*task.spec, task.threads);
}

/// The controller takes the attempt for ended: because of what, and is it true?
void Checkers::check_end(const Cause& cause, const TaskView& task, const controller::TaskChanged& notice) {
  const Outcome outcome = notice.outcome;
  if (outcome == Outcome::kLost) {
    // A worker that ends takes its operations with it: their agent says so.
    const bool orphaned = !task.spec->pool.empty() && cause.ended != nullptr &&
                          cause.ended->attempt == notice.attempt && cause.ended->outcome == outcome;
    if (cause.message != nullptr && cause.registering == nullptr && !orphaned)
      broken("I17", text(notice.attempt) + " was lost although its node did not change");
    return;
  }
  const bool told = cause.ended != nullptr && cause.ended->attempt == notice.attempt &&
                    cause.ended->outcome == outcome && cause.current && cause.message->node == task.node;
  if (!told)
    return broken("I2", text(notice.attempt) + " was accepted as " + std::string(name(outcome)) +
                            " without a message that says so of this very attempt");
  const AttemptView* attempt = attempt_of(notice.attempt);
  if (attempt == nullptr) return;
  const bool true_end = !attempt->running && (attempt->began || !of_its_own(outcome)) && attempt->launched;
  if (!true_end || (outcome == Outcome::kSucceeded && (!attempt->ended || attempt->outcome != outcome)))
    broken("I17",
           text(notice.attempt) + " was accepted as " + std::string(name(outcome)) + " before it so ended");
}

/// I4: whether another attempt, or giving up, is what the job's retries say.
void Checkers::count_end(JobView& job, TaskView& task, const controller::TaskChanged& notice,
                         TaskState before) {
  const bool failed = of_its_own(notice.outcome) && notice.outcome != Outcome::kSucceeded;
  const auto failed_here = [&](TaskView& counts) {
    counts.failed_on = task.node;
    counts.failed_number = task.number;
  };
  if (job.service()) {
    const bool told = before == TaskState::kStopping && notice.outcome == Outcome::kSucceeded;
    check_restart(job, task, notice, told);
    if (of_its_own(notice.outcome) && !told && notice.state == TaskState::kPending) failed_here(task);
    return;
  }
  const std::uint32_t most_losses = scenario_.controller.max_losses;
  if (notice.state == TaskState::kFailed) {
    const TaskView& counts = job.counts_of(task);
    if (failed ? counts.failures != job.spec->retries : counts.losses != most_losses)
      broken("I4", text(notice.attempt) + " was the last although its job has attempts left");
    return;
  }
  if (notice.state != TaskState::kPending) return;
  TaskView& counts = job.counts_of(task);
  if (job.gang()) {
    // Members that are ended for the gang's sake, or fall out after one that was counted, cost nothing.
    const bool asked = job.generation_stopped == task.number && job.stopped_at_step < steps_;
    if (asked || job.generation_counted == task.number) return;
    job.generation_counted = task.number;
  } else if (before == TaskState::kStopping && notice.outcome == Outcome::kKilled) {
    return;  // Evicted.
  }
  ++(failed ? counts.failures : counts.losses);
  if (job.gang()) changed_tasks_.push_back({notice.attempt.task.job, 0});
  if (failed) failed_here(counts);
  if (counts.failures > job.spec->retries || counts.losses > most_losses)
    broken("I4", text(notice.attempt) + " is to be followed by another, but its job may have no more");
}

void Checkers::on_run(Instant now, std::uint32_t id, AttemptId attempt, const ThreadSet& threads,
                      bool begins) {
  see_time(now);
  NodeView& node = nodes_[id];
  AttemptView* known = attempt_of(attempt);
  if (known == nullptr) return broken("I17", text(attempt) + " ran without having been placed");
  if (!begins) {
    known->running = false;
    const Duration most = known->spec->timeout;
    if (most > Duration{0} && now - known->since > most && !node.wrong_clock)
      broken("TIMEOUT", text(attempt) + " ran longer than it may");
    if (known->spec->pool.empty()) node.true_load.remove(*known->spec, threads);
    const auto at = std::find(node.running.begin(), node.running.end(), attempt);
    if (at != node.running.end()) node.running.erase(at);
    return;
  }
  if (!known->launched) broken("I17", text(attempt) + " began before its launch was sent");
  if (known->began) broken("I4", text(attempt) + " began a second time");
  known->began = known->running = true;
  known->since = now;
  node.running.push_back(attempt);
  if (!known->spec->pool.empty()) return;  // Its worker's room is its own.
  if (const auto wrong = node.true_load.add(*known->spec, threads))
    broken(wrong->invariant,
           text(attempt) + ", running on node " + std::to_string(id) + ", " + std::string(wrong->what));
  check_holds_only_own(id, "holds a registration");
}

}  // namespace duet::sim
