// What the results remember of a run.
#include <algorithm>
#include <limits>
#include <utility>

#include "core/lifecycle.h"
#include "sim/cluster_world.h"

namespace duet::sim {
TaskRow* ClusterWorld::row_of(TaskId task) {
  const std::uint64_t job = task.job.value;
  if (job == 0 || job > rows_.size()) return nullptr;
  const std::size_t end = job < rows_.size() ? rows_[job].first_task : results_.tasks.size();
  const std::size_t row = std::size_t{rows_[job - 1].first_task} + task.index;
  return row < end ? &results_.tasks[row] : nullptr;
}

void ClusterWorld::note(const controller::Reply& reply) {
  if (reply.request.value == 0) return;
  const auto number = static_cast<std::uint32_t>(reply.request.value - 1);
  JobRow& row = results_.jobs[number];
  const bool accepted = reply.refusal.empty();
  if (accepted) {
    row.id = reply.job;
    // A job of which nothing was published yet is new.
    row.repeated = reply.job.value <= rows_.size() && rows_[reply.job.value - 1].job != number;
  } else {
    row.state = JobState::kFailed;
    results_.refusals[number] = reply.refusal;
  }
  const auto it = known_.find(row.key);
  if (it == known_.end()) return;
  Known& known = it->second;
  if (accepted && !row.repeated) known.ids.push_back(reply.job);
  if (--known.unanswered > 0) return;
  for (const OperatorEvent* event : std::exchange(known.after, {})) door_.emplace_back(event);
}

void ClusterWorld::note(const controller::Notice& notice) {
  if (const auto* job = std::get_if<controller::JobChanged>(&notice)) {
    note_job(*job);
  } else if (const auto* task = std::get_if<controller::TaskChanged>(&notice)) {
    note_task(*task);
  } else if (const auto* node = std::get_if<controller::NodeChanged>(&notice)) {
    detection_.declared(static_cast<std::uint32_t>(node->node.value), node->state == NodeState::kDown, now_);
    results_.node_changes.push_back(
        {now_, static_cast<std::uint32_t>(node->node.value), node->state, node->draining});
  } else if (const auto* scaled = std::get_if<controller::PoolScaled>(&notice)) {
    last_change_ = now_;
    if (!scaled->applied || scaled->to == scaled->from) return;
    ++(scaled->to > scaled->from ? results_.scaled_up : results_.scaled_down);
    pools_.scaled(scaled->job, scaled->to > scaled->from, now_);
  }
}

/// Before the row is overwritten: what stands in it for the last time.
void ClusterWorld::note_earlier(const controller::TaskChanged& task, const TaskRow& row) {
  const AttemptId before{task.attempt.task, row.attempts};
  if (task.state == TaskState::kStarting && row.attempts > 0 && task.attempt.number != row.attempts) {
    results_.earlier.push_back(
        {before, row.node, row.threads, row.width, row.outcome, row.started, row.ended});
  } else if (terminal(task.state) && task.attempt.number == 0 && row.attempts == 0) {
    results_.earlier.push_back({before, 0, 0, 0, task.outcome, kNever, now_});
  }
}

void ClusterWorld::note_job(const controller::JobChanged& job) {
  last_change_ = now_;
  if (job.job.value > rows_.size()) {
    // A new job. Submissions are stepped one by one, so it is the one that was just submitted.
    JobRow& row = results_.jobs[submitting_];
    row.id = job.job;
    row.first_task = static_cast<std::uint32_t>(results_.tasks.size());
    rows_.resize(job.job.value, {submitting_, row.first_task});
    results_.tasks.resize(results_.tasks.size() + row.tasks);  // A service's idle ones, too.
    for (std::uint32_t i = submitting_tasks_; i < row.tasks; ++i)
      results_.tasks[row.first_task + i].state = TaskState::kIdle;
    note_new_tasks(row);
  }
  JobRow& row = results_.jobs[rows_[job.job.value - 1].job];
  row.state = job.state;
  if (row.service() && row.pool != PoolMeters::kNone && terminal(job.state)) pools_.close(row.pool, now_);
}

void ClusterWorld::note_task(const controller::TaskChanged& task) {
  last_change_ = now_;
  TaskRow* row = row_of(task.attempt.task);
  if (row == nullptr) return;
  // Only whether it is ready changed.
  if (task.state == TaskState::kRunning && row->state == task.state) return;
  note_earlier(task, *row);
  note_state(results_.jobs[rows_[task.attempt.task.job.value - 1].job], *row, task.state);
  row->state = task.state;
  row->attempts = task.attempt.number;
  row->node = static_cast<std::uint32_t>(task.node.value);
  row->outcome = task.outcome;
  if (task.state == TaskState::kStarting) {
    ++results_.attempts;
    row->started = row->ended = kNever;
  }
  const bool ended = task.state == TaskState::kPending || task.state == TaskState::kFailed;
  results_.attempts_lost += ended && task.outcome == Outcome::kLost;
  results_.attempts_failed +=
      ended && (task.outcome == Outcome::kFailed || task.outcome == Outcome::kTimedOut ||
                task.outcome == Outcome::kUnhealthy);
}

void ClusterWorld::note_begin(Run& run) {
  if (options_.observer != nullptr) options_.observer->on_run(now_, run.node, run.attempt, run.threads, true);
  note_use_begins(run);
  TaskRow* row = row_of(run.attempt.task);
  if (row == nullptr || row->attempts != run.attempt.number) return;
  row->started = now_;
  row->ended = kNever;
  row->node = run.node;
  row->width = run.width;
  if (run.threads.empty()) {
    row->threads = 0;
    return;
  }
  const auto next = static_cast<std::uint32_t>(results_.thread_sets.size());
  const auto [known, fresh] = thread_sets_.emplace(run.threads, next);
  if (fresh) results_.thread_sets.push_back(run.threads);
  row->threads = known->second;
}

void ClusterWorld::note_end(Run& run) {
  if (options_.observer != nullptr)
    options_.observer->on_run(now_, run.node, run.attempt, run.threads, false);
  results_.last_attempt_end = now_;
  if (!run.worker) add_busy(results_, now_ - run.began, run.width);  // Else its worker counts.
  note_use_ends(run);
  TaskRow* row = row_of(run.attempt.task);
  if (row == nullptr || row->attempts != run.attempt.number) return;
  row->ended = now_;
  if (!options_.keep_executions || run.operations == 0 || run.outcome == Outcome::kLost) return;
  const NodeType& type = scenario_.node_types[scenario_.nodes[run.node].type];
  const std::uint32_t task = static_cast<std::uint32_t>(row - results_.tasks.data());
  run.threads.for_each([&](std::uint32_t thread) {
    results_.executions.push_back({run.began_s, static_cast<double>(run.operations), engine_.clock_s(), task,
                                   run.node * type.offer.threads() + thread});
  });
}

/// Submissions that made no job of their own have no row.
void ClusterWorld::forget_repetitions() {
  std::map<std::uint32_t, std::string> refusals;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < results_.jobs.size(); ++i) {
    if (results_.jobs[i].repeated) continue;
    if (const auto why = results_.refusals.find(i); why != results_.refusals.end())
      refusals[kept] = std::move(why->second);
    if (kept != i) results_.jobs[kept] = std::move(results_.jobs[i]);
    ++kept;
  }
  results_.jobs.resize(kept);
  results_.refusals = std::move(refusals);
}

Results ClusterWorld::take_results() {
  forget_repetitions();
  date_jobs(results_);
  // Placements that were not durable when a controller died never were.
  if (keeps_records_) {
    results_.attempts = 0;
    for (const TaskRow& task : results_.tasks) results_.attempts += task.attempts;
  }
  const Cluster& cluster = controller_.machine().cluster();
  for (std::uint64_t node = 0; node < cluster.size(); ++node)
    results_.nodes_down += cluster.node(NodeId{node}).state == NodeState::kDown;
  results_.waited_s = capacity_.waited_s();
  results_.fragmentation = capacity_.fragmentation();
  pools_.finish(now_, results_);
  detection_.finish(results_);
  results_.estimate_error_ppm = controller_.machine().estimator_accuracy().error_ppm;
  return std::move(results_);
}

}  // namespace duet::sim
