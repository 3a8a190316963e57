// Checks of a controller that takes over: what was durable is all that counts, and all of it is still there.
#include <algorithm>
#include <utility>

#include "core/lifecycle.h"
#include "sim/checkers.h"

namespace duet::sim {
namespace {

template <class Id>
void sort_once(std::vector<Id>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

/// What the step in progress changed becomes true for good when it is committed.
void Checkers::remember_step() {
  sort_once(changed_jobs_);
  sort_once(changed_tasks_);
  sort_once(changed_nodes_);
  Step& step = uncommitted_.emplace_back();
  for (const std::size_t job : changed_jobs_) step.jobs.emplace_back(job, jobs_[job]);
  for (const TaskId task : changed_tasks_) step.tasks.emplace_back(task, *task_of(task));
  for (const std::size_t id : changed_nodes_)
    step.nodes.emplace_back(id, KeptNode{nodes_[id].draining, nodes_[id].granted.size()});
}

void Checkers::on_commit(Instant now) {
  see_time(now);
  if (uncommitted_.empty()) return broken("I14", "more steps were committed than were made");
  for (auto& [job, facts] : uncommitted_.front().jobs) {
    if (job >= kept_jobs_.size()) kept_jobs_.resize(job + 1);
    kept_jobs_[job].facts = std::move(facts);
  }
  for (auto& [id, facts] : uncommitted_.front().tasks) {
    auto& tasks = kept_jobs_[id.job.value - 1].tasks;
    if (id.index >= tasks.size()) tasks.resize(id.index + 1);
    tasks[id.index] = std::move(facts);
  }
  for (const auto& [id, kept] : uncommitted_.front().nodes) kept_nodes_[id] = kept;
  uncommitted_.pop_front();
}

void Checkers::on_controller(Instant now, bool begins) {
  see_time(now);
  up_ = begins;
  if (begins) return fall_back();
  // Nothing is owed while there is none.
  stepped_ = false;
  uncommitted_.clear();
  given_up_.clear();
  scaled_at_.clear();
  idle_since_.clear();
  for (NodeView& node : nodes_) node.down_by = node.ready_from = kNever;
}

/// The next controller starts from what was durable; what truly ran stays true.
void Checkers::fall_back() {
  for (std::size_t id = 0; id < nodes_.size(); ++id) fall_back(nodes_[id], kept_nodes_[id]);
  live_jobs_ = 0;
  jobs_.resize(kept_jobs_.size());
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    JobView& job = jobs_[i];
    static_cast<JobFacts&>(job) = kept_jobs_[i].facts;
    job.tasks.resize(job.size);
    kept_jobs_[i].tasks.resize(job.size);  // Of the others nothing was said.
    for (std::size_t t = 0; t < job.tasks.size(); ++t) {
      TaskView& task = job.tasks[t];
      static_cast<TaskFacts&>(task) = kept_jobs_[i].tasks[t];
      task.attempts.resize(task.number);  // Later ones were never launched.
      task.failed_on.reset();
      task.not_before = {};
      task.ready = false;
      if (task.booked && task.spec->pool.empty())
        nodes_[task.node.value].believed.add(*task.spec, task.threads);
    }
    if (job.ended) continue;
    ++live_jobs_;
    job.state = JobState::kPending;  // It says anew what becomes of it.
  }
}

/// A node is expected, for a whole timeout, under the epoch that it has; who lives there is not known.
void Checkers::fall_back(NodeView& node, const KeptNode& kept) {
  node.state = NodeState::kUnknown;
  node.draining = kept.draining;
  node.granted.resize(kept.granted);
  node.epoch = Epoch{kept.granted};
  node.boot = {};
  node.highest_serial.clear();
  node.repeated = 0;
  node.heard = now_;
  node.believed = Ledger(node.offer);
  expect_down(node, node.epoch != Epoch{} && !node.on ? now_ : kNever);
  if (node.on) calm_node(node, now_);
}

/// I14: the store holds each promise that went out: jobs that were accepted, attempts that were launched,
/// ends that were acknowledged.
void Checkers::check_records(const std::vector<Record>& records) {
  std::size_t jobs = 0;
  std::size_t tasks = 0;
  for (const Record& record : records) {
    if (const auto* job = std::get_if<JobRecord>(&record)) {
      const JobView* known = job_of(job->job);
      if (known == nullptr || known->ended)
        broken("I14", "job " + std::to_string(job->job.value) + " is restored, but is none that goes on");
      ++jobs;
    }
    const auto* stored = std::get_if<TaskRecord>(&record);
    TaskView* task = stored == nullptr ? nullptr : task_of(stored->task);
    if (task == nullptr || job_of(stored->task.job)->ended) continue;
    ++tasks;
    if (stored->attempt != task->number || active(stored->state) != task->active() ||
        terminal(stored->state) != terminal(task->state))
      broken("I14", "a task of job " + std::to_string(stored->task.job.value) +
                        " is restored in another state than it durably had");
    // That it began to run is not durable, nor always that it was told to stop.
    if (task->active())
      task->state = stored->state == TaskState::kStopping ? TaskState::kStopping : TaskState::kStarting;
  }
  if (jobs != live_jobs_)
    broken("I14", std::to_string(jobs) + " of " + std::to_string(live_jobs_) + " accepted jobs are restored");
  std::size_t touched = 0;
  for (const JobView& job : jobs_)
    for (const TaskView& task : job.tasks) touched += !job.ended && task.stored;
  if (tasks != touched)
    broken("I14", std::to_string(tasks) + " of " + std::to_string(touched) +
                      " tasks that once had a place are restored");
}

}  // namespace duet::sim
