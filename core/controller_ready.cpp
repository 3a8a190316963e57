// Which attempts run, and which of them can be relied on.
#include "core/check.h"
#include "core/controller.h"
#include "core/mutation.h"

namespace duet {

/// The task whose last attempt this is, if that is on this node; null: the message is of another time.
LiveTask* Controller::current_task(NodeId id, AttemptId attempt) {
  LiveJob* job = jobs_.find(attempt.task.job);
  if (job == nullptr || attempt.task.index >= job->tasks.size()) return nullptr;
  LiveTask& task = job->tasks[attempt.task.index];
  return task.attempt == attempt.number && task.node == id ? &task : nullptr;
}

void Controller::on_message(NodeId id, const msg::AttemptStarted& body) {
  const LiveTask* task = current_task(id, body.attempt);
  if (task == nullptr || task->state != TaskState::kStarting) return;
  has_started(jobs_.at(body.attempt.task.job), body.attempt.task);
  trim_unanswered();
}

void Controller::has_started(LiveJob& job, TaskId id) {
  LiveTask& task = job.tasks[id.index];
  task.started = now_;
  task.ready = !job.spec->groups[task.group].spec.work.health || mutated(Mutant::kReadyAtOnce);
  set_state(job, id, TaskState::kRunning);
  if (job.service() && !mutated(Mutant::kUpdateStalls)) replace_outdated(job);
}

/// An agent says so until it hears that this is known, also of what has ended meanwhile.
void Controller::on_message(NodeId id, const msg::AttemptReady& body) {
  send(id, msg::Noted{body.attempt, body.number});
  LiveTask* task = current_task(id, body.attempt);
  if (task == nullptr || body.number <= task->ready_number) {
    ++counters_.stale;
    return;
  }
  task->ready_number = body.number;
  LiveJob& job = jobs_.at(body.attempt.task.job);
  if (task->state == TaskState::kStarting) {  // That it runs got lost.
    has_started(job, body.attempt.task);
    trim_unanswered();
  }
  if (task->state == TaskState::kRunning) set_ready(job, body.attempt.task, body.ready);
}

void Controller::set_ready(LiveJob& job, TaskId id, bool ready) {
  LiveTask& task = job.tasks[id.index];
  if (task.ready == ready) return;
  task.ready = ready;
  if (job.pool != nullptr) follow_worker(job, id);
  publish(controller::TaskChanged{{id, task.attempt}, task.state, task.node, Outcome::kSucceeded, ready});
  if (job.service() && ready && !mutated(Mutant::kUpdateStalls)) replace_outdated(job);
}

}  // namespace duet
