// Checks of what the kinds of job, their retries and their scaling promise beyond that no task is lost.
#include <algorithm>

#include "sim/checkers.h"

namespace duet::sim {
namespace {

std::string rule_text(AttemptId id) {
  return "attempt " + std::to_string(id.task.job.value) + '.' + std::to_string(id.task.index) + '#' +
         std::to_string(id.number);
}

/// The wait after failure number `failures` of a task: twice as long each time, up to 64 times the first.
Duration backoff_after(Duration first, std::uint32_t failures) {
  return failures == 0 ? Duration{0} : first * (1 << std::min(failures - 1, 6U));
}

}  // namespace

/// The task has just got its place; nothing of it is booked there yet.
void Checkers::check_place(const JobView& job, const TaskView& task, AttemptId attempt) {
  if (job.service() && attempt.task.index >= job.desired())
    broken("I20", rule_text(attempt) + " was placed, but is beyond the replicas desired");
  if (job.spec->kind == JobKind::kDag && job.blocked(task.group))
    broken("DAG", rule_text(attempt) + " was placed before what it comes after has succeeded");
  const auto waits = [&](const TaskView& one) { return one.not_before > now_; };
  if (job.rigid() ? std::any_of(job.tasks.begin(), job.tasks.end(), waits) : waits(task))
    broken("BACKOFF", rule_text(attempt) + " was placed before its backoff was over");
  // Of several tasks that failed in different places, each may get the place of another. And easy_machines
  // takes the nodes of its reservation.
  const std::uint32_t width = job.service() ? job.size : job.spec->groups[task.group].count;
  const bool alone = job.rigid() || width == 1;
  const TaskView& counts = job.counts_of(task);
  const bool again = counts.failed_on == task.node && counts.failed_number + 1 == task.number;
  if (!task.spec->pool.empty()) return;  // It is workers that it avoids.
  if (!alone || !again || scenario_.controller.queue.name == "easy_machines") return;
  for (std::size_t id = 0; id < nodes_.size(); ++id)
    if (id != task.node.value && nodes_[id].state == NodeState::kReady && !nodes_[id].draining &&
        nodes_[id].believed.copies(*task.spec, 1) > 0)
      return broken("I24", rule_text(attempt) + " was placed where the one before it failed, but node " +
                               std::to_string(id) + " has room");
}

/// I21: what runs is told to end for a reason only.
void Checkers::check_stop(const Cause& cause, const JobView& job, const TaskView& task, AttemptId attempt) {
  const bool evicted =
      cause.draining != nullptr && cause.draining->evict && cause.draining->node == task.node;
  if (job.cancelled || evicted) return;
  if (job.service() && attempt.task.index >= job.desired()) return;
  if (job.service() && task.version != job.version) {
    if (!all_ready(job)) broken("HEALTH", rule_text(attempt) + " was replaced before the others are ready");
    return;
  }
  const bool broken_gang =
      job.gang() && std::any_of(job.tasks.begin(), job.tasks.end(), [](const TaskView& member) {
        return member.state == TaskState::kPending || member.state == TaskState::kStopping ||
               member.state == TaskState::kFailed;
      });
  if (!broken_gang) broken("I21", rule_text(attempt) + " was told to end for no reason");
}

/// What the end of an attempt means for the next one.
void Checkers::remember_end(JobView& job, TaskView& task, Outcome outcome, TaskState before) {
  task.not_before = {};
  if (!of_its_own(outcome) || task.state != TaskState::kPending) return;
  if (job.service() && before == TaskState::kStopping && outcome == Outcome::kSucceeded) return;
  const std::uint32_t failures = job.service() ? 1 : job.counts_of(task).failures;
  task.not_before = saturating_add(now_, backoff_after(job.spec->backoff, failures));
}

/// I20: as many replicas as desired, those of the lowest indices. L2: when they all run, they are up to date,
/// or one that is not is being replaced.
void Checkers::check_service(const JobView& job) {
  bool all_run = true;
  bool up_to_date = true;
  for (std::uint32_t index = 0; index < job.tasks.size(); ++index) {
    const TaskView& task = job.tasks[index];
    const bool going = task.active() && task.state != TaskState::kStopping;
    if (index < job.desired() ? task.state == TaskState::kIdle : going)
      broken("I20", "replica " + std::to_string(index) + " of a service that should have " +
                        std::to_string(job.desired()) + (going ? " goes on" : " is idle"));
    if (index >= job.desired()) continue;
    if (task.state == TaskState::kSucceeded || task.state == TaskState::kFailed) continue;  // For good.
    const bool fit = task.version != job.version || task.ready;
    all_run = all_run && task.state == TaskState::kRunning && fit;
    up_to_date = up_to_date && task.version == job.version;
  }
  if (all_run && !up_to_date)
    broken("L2", "all replicas of a service run, but the next one of an old version is not replaced");
}

}  // namespace duet::sim
