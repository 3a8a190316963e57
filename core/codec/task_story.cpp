#include "core/codec/task_story.h"

#include <algorithm>
#include <variant>

#include "core/codec/render.h"
#include "core/lifecycle.h"

namespace duet::codec {
namespace {

const msg::AttemptEnded* end_of(const controller::Event& event, TaskId task) {
  const auto* received = std::get_if<controller::Received>(&event);
  const auto* ended = received != nullptr ? std::get_if<msg::AttemptEnded>(&received->message.body) : nullptr;
  return ended != nullptr && ended->attempt.task == task ? ended : nullptr;
}

/// The step heard a message of this kind about this attempt.
template <class Message>
bool heard(const Walk& walk, AttemptId attempt) {
  const auto* received = std::get_if<controller::Received>(&walk.event());
  const auto* message = received != nullptr ? std::get_if<Message>(&received->message.body) : nullptr;
  return message != nullptr && message->attempt == attempt;
}

std::string node_name(const Walk& walk, NodeId node) {
  const Cluster& cluster = walk.controller()->cluster();
  return node.value < cluster.size() ? cluster.node(node).name : "node " + std::to_string(node.value);
}

/// Where it was placed: a node, or for an operation a worker.
std::string place(const Walk& walk, const controller::TaskChanged& change, const LiveJob* job) {
  const std::string node = node_name(walk, change.node);
  for (const controller::Command& command : walk.commands()) {
    const auto* persist = std::get_if<controller::Persist>(&command);
    const auto* record = persist != nullptr ? std::get_if<TaskRecord>(&persist->record) : nullptr;
    if (record == nullptr || record->task != change.attempt.task || !record->worker) continue;
    const bool known = job != nullptr && record->task.index < job->tasks.size();
    const std::string pool =
        known ? " of pool " + job->spec->groups[job->tasks[record->task.index].group].spec.pool : "";
    return "worker " + to_text(record->worker->task) + pool + ", on " + node;
  }
  return node;
}

/// The worker whose end was heard, if it is another task's.
const msg::AttemptEnded* end_of_another(const controller::Event& event, TaskId task) {
  const auto* received = std::get_if<controller::Received>(&event);
  const auto* ended = received != nullptr ? std::get_if<msg::AttemptEnded>(&received->message.body) : nullptr;
  return ended != nullptr && ended->attempt.task != task ? ended : nullptr;
}

/// How the attempt ended.
std::string ending(const Walk& walk, const controller::TaskChanged& change) {
  const msg::AttemptEnded* end = end_of(walk.event(), change.attempt.task);
  const std::string node = node_name(walk, change.node);
  switch (change.outcome) {
    case Outcome::kSucceeded:
      return "succeeded";
    case Outcome::kFailed:
      if (end == nullptr) return "failed";
      if (end->exit_code < 0) return "ended by signal " + std::to_string(-end->exit_code);
      return "exited with code " + std::to_string(end->exit_code);
    case Outcome::kTimedOut:
      return "killed at its timeout";
    case Outcome::kKilled:
      return "ended as it was told";
    case Outcome::kLaunchFailed:
      return "could not be started on " + node;
    case Outcome::kUnhealthy:
      return "ended: it failed its health check";
    case Outcome::kLost:
      break;
  }
  if (const msg::AttemptEnded* other = end_of_another(walk.event(), change.attempt.task))
    return "lost: its worker " + to_text(other->attempt.task) + " has ended";
  return std::holds_alternative<Wake>(walk.event()) ? "lost: " + node + " was given up"
                                                    : "lost: " + node + " came back without it";
}

/// Why the attempt was told to end.
std::string told_to_end(const Walk& walk, const controller::TaskChanged& change, const LiveJob* job) {
  if (std::holds_alternative<controller::Cancel>(walk.event())) return "the job is cancelled";
  if (std::holds_alternative<controller::Scale>(walk.event())) return "the service has one replica too many";
  if (const auto* drain = std::get_if<controller::Drain>(&walk.event()); drain != nullptr)
    return drain->node == change.node ? "evicted: " + node_name(walk, change.node) + " is drained"
                                      : "its gang is evicted, and starts again together";
  if (job != nullptr && job->service()) return "replaced by the new version";
  if (job != nullptr && job->failing) return "its gang has failed for good";
  return "another member of its gang fell out; the gang starts again together";
}

std::string waits_again(const Walk& walk, const controller::TaskChanged& change, const LiveJob* job) {
  std::string text = ending(walk, change);
  if (job == nullptr || change.attempt.task.index >= job->tasks.size()) return text;
  if (std::holds_alternative<controller::Scale>(walk.event()) && change.outcome == Outcome::kKilled)
    return "desired again";
  const LiveTask& task = job->tasks[change.attempt.task.index];
  const bool by_itself = change.outcome != Outcome::kLost && change.outcome != Outcome::kKilled;
  if (by_itself && !job->service() && change.outcome != Outcome::kSucceeded)
    text += ", failure " + std::to_string(task.failures) +
            (job->spec->retries == kUnlimited
                 ? std::string()
                 : " (" + std::to_string(job->spec->retries) +
                       (job->spec->retries == 1 ? " retry" : " retries") + " allowed)");
  text += "; runs again";
  if (task.retry_at > walk.now())
    text += " after a backoff of " + seconds_text(to_ns(task.retry_at) - to_ns(walk.now()));
  return by_itself ? text : text + " at no cost of a retry";
}

}  // namespace

std::string seconds_text(std::int64_t ns) {
  std::string digits = std::to_string(ns < 0 ? -(ns + 1) : ns);  // No overflow at the lowest.
  if (ns < 0) digits = std::to_string(static_cast<std::uint64_t>(-(ns + 1)) + 1);
  if (digits.size() < 10) digits.insert(0, 10 - digits.size(), '0');
  std::string text = (ns < 0 ? "-" : "") + digits.substr(0, digits.size() - 9);
  std::string fraction = digits.substr(digits.size() - 9);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) text += '.' + fraction;
  return text + " s";
}

std::string why_of(const Walk& walk, const controller::TaskChanged& change) {
  const LiveJob* job = walk.controller()->jobs().find(change.attempt.task.job);
  switch (change.state) {
    case TaskState::kStarting:
      return "placed on " + place(walk, change, job);
    case TaskState::kRunning:
      if (heard<msg::AttemptReady>(walk, change.attempt))
        return change.ready ? "ready: it passed its health check" : "not ready any more";
      return change.ready ? "started" : "started; not ready before it passes its health check";
    case TaskState::kStopping:
      return told_to_end(walk, change, job);
    case TaskState::kPending:
      return waits_again(walk, change, job);
    case TaskState::kSucceeded:
      return "succeeded";
    case TaskState::kFailed:
      if (job != nullptr && job->spec->restart == RestartPolicy::kNeverAgain)
        return ending(walk, change) + ", and is never to run again";
      return ending(walk, change) + ", once too often";
    case TaskState::kIdle:
      return "not desired any more";
    case TaskState::kCancelled:
      break;
  }
  if (job != nullptr && !job->cancelled && job->spec->kind == JobKind::kDag)
    return "a group that it comes after has failed";
  if (job != nullptr && !job->cancelled) return "its gang has failed for good";
  return change.outcome == Outcome::kKilled ? "the job is cancelled" : ending(walk, change);
}

void TaskStory::begin(const Walk& walk) {
  const LiveJob* job = walk.controller()->jobs().find(task_.job);
  if (job == nullptr) return;
  siblings_ = std::max(siblings_, job->tasks.size());
  if (task_.index >= job->tasks.size() || !chapters_.empty()) return;
  submitted_ = job->submitted;
  key_ = job->spec->key;
  std::string why = "submitted";
  if (std::holds_alternative<controller::Scale>(walk.event())) why = "the service is scaled up";
  if (std::holds_alternative<controller::Restore>(walk.event())) why = "known from an earlier controller";
  const LiveTask& task = job->tasks[task_.index];
  const TaskState state =
      std::holds_alternative<controller::Restore>(walk.event()) ? task.state : TaskState::kPending;
  if (job->blocked(task.group)) why += "; comes after other groups";
  chapters_.push_back({walk.number(), walk.now(), state, 0, {}, std::move(why)});
}

void TaskStory::hear(const Walk& walk) {
  for (const controller::Command& command : walk.commands())
    if (const auto* persist = std::get_if<controller::Persist>(&command))
      if (const auto* job = std::get_if<JobRecord>(&persist->record))
        last_job_ = std::max(last_job_, job->job.value);
  begin(walk);
  for (const controller::Command& command : walk.commands()) {
    const auto* publish = std::get_if<controller::Publish>(&command);
    const auto* change =
        publish != nullptr ? std::get_if<controller::TaskChanged>(&publish->notice) : nullptr;
    if (change == nullptr || change->attempt.task != task_) continue;
    chapters_.push_back({walk.number(), walk.now(), change->state, change->attempt.number,
                         change->attempt.number == 0 ? std::string() : node_name(walk, change->node),
                         why_of(walk, *change)});
  }
  // A controller that takes over may see a task in another state than the last one did.
  const bool restored = std::holds_alternative<controller::Restore>(walk.event());
  const LiveJob* job = restored ? walk.controller()->jobs().find(task_.job) : nullptr;
  if (job == nullptr || task_.index >= job->tasks.size()) return;
  const LiveTask& task = job->tasks[task_.index];
  if (task.state != chapters_.back().state)
    chapters_.push_back({walk.number(), walk.now(), task.state, task.attempt,
                         task.attempt == 0 ? std::string() : node_name(walk, task.node),
                         "as the records say; a new controller has taken over"});
}

bool TaskStory::over() const { return !chapters_.empty() && terminal(chapters_.back().state); }

std::string TaskStory::hint() const {
  const std::string job = std::to_string(task_.job.value);
  if (siblings_ == 1) return "its only task is " + job + ".0";
  if (siblings_ > 1) return "a task from " + job + ".0 to " + job + '.' + std::to_string(siblings_ - 1);
  if (last_job_ == 0) return "no job was accepted in this run";
  return "a task of a job from 1 to " + std::to_string(last_job_);
}

}  // namespace duet::codec
