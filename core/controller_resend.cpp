// Launches and kills are repeated until something answers them.
#include "core/check.h"
#include "core/controller.h"
#include "core/mutation.h"

namespace duet {

/// False if the entry's launch or kill has been answered, or is no longer wanted.
bool Controller::unanswered(const Unanswered& entry) {
  const ClusterNode& node = cluster_.node(entry.node);
  if (node.foreign.contains(entry.attempt)) return true;
  LiveJob* job = jobs_.find(entry.attempt.task.job);
  if (job == nullptr) return false;
  const LiveTask& task = job->tasks[entry.attempt.task.index];
  if (task.attempt != entry.attempt.number || task.node != entry.node) return false;
  if (task.answer_due != entry.due) return false;  // Something newer was sent.
  return task.state == TaskState::kStarting || task.state == TaskState::kStopping;
}

/// Something was sent that this node has to answer; if it does not, it is sent again.
void Controller::await_answer(AttemptId attempt, NodeId node) {
  const Instant due = now_ + config_.resend_after;
  unanswered_.push_back({due, attempt, node});
  LiveJob* job = jobs_.find(attempt.task.job);
  if (job == nullptr || attempt.task.index >= job->tasks.size()) return;
  LiveTask& task = job->tasks[attempt.task.index];
  if (task.attempt == attempt.number && task.node == node) task.answer_due = due;
}

/// Drops answered entries from the front, so that they cause no Wake.
void Controller::trim_unanswered() {
  while (!unanswered_.empty() && !unanswered(unanswered_.front())) unanswered_.pop_front();
}

/// Who is heard, but answers no launches, gets nothing new: after gray failures, of which heartbeats tell
/// nothing (Huang et al., "Gray failure: the Achilles' heel of cloud-scale systems", HotOS 2017).
bool Controller::stuck(const ClusterNode& node) const {
  return config_.stuck_after > 0 && node.unanswered >= config_.stuck_after && !mutated(Mutant::kNeverStuck);
}

/// A launch to this node is about to be repeated. However many are, they make one round.
void Controller::suspect_if_stuck(NodeId id) {
  ClusterNode& node = cluster_.node(id);
  if (node.unanswered > 0 && now_ - node.repeated < config_.resend_after) return;
  ++node.unanswered;
  node.repeated = now_;
  // If it is suspect for its silence, too, a heartbeat does not end this.
  if (stuck(node) && node.state == NodeState::kReady) set_state(id, NodeState::kSuspect);
}

/// Only what comes of a launch tells that launches work: other attempts may go on, and end, all the same. And
/// when no launch waits for its answer any more, nothing speaks against the node.
bool Controller::answers_launches(NodeId id, const msg::FromAgent& message) const {
  if (std::holds_alternative<msg::AttemptStarted>(message.body)) return true;
  const auto* ended = std::get_if<msg::AttemptEnded>(&message.body);
  const auto* ready = std::get_if<msg::AttemptReady>(&message.body);
  const std::vector<TaskId>& tasks = cluster_.node(id).tasks;
  bool one_waits = false;
  for (const TaskId task_id : tasks) {
    const LiveTask& task = jobs_.at(task_id.job).tasks[task_id.index];
    if (task.state != TaskState::kStarting) continue;
    const AttemptId waits{task_id, task.attempt};
    if (ended != nullptr && ended->attempt == waits) return true;
    if (ready != nullptr && ready->attempt == waits) return true;
    one_waits = true;
  }
  return !one_waits;
}

void Controller::resend_due() {
  trim_unanswered();
  while (!unanswered_.empty() && unanswered_.front().due <= now_) {
    const Unanswered entry = unanswered_.front();
    unanswered_.pop_front();
    if (!unanswered(entry)) continue;
    const TaskId id = entry.attempt.task;
    if (cluster_.node(entry.node).foreign.contains(entry.attempt)) {
      send(entry.node, msg::Kill{entry.attempt, 0});
    } else {
      LiveJob& job = jobs_.at(id.job);
      const LiveTask& task = job.tasks[id.index];
      if (task.state == TaskState::kStarting) {
        suspect_if_stuck(entry.node);
        if (!mutated(Mutant::kNoLaunchResend)) send_launch(job, id);
        continue;
      }
      send(entry.node, msg::Kill{entry.attempt, task.serial});
    }
    await_answer(entry.attempt, entry.node);
  }
  trim_unanswered();
}

}  // namespace duet
