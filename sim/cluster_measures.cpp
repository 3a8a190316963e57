// What the metrics of a run need beside its rows: who waits, what is used, what was for nothing.
#include <algorithm>

#include "core/lifecycle.h"
#include "sim/cluster_world.h"

namespace duet::sim {
namespace {

double ran_s(Duration ran) { return static_cast<double>(to_ns(ran)) / 1e9; }

bool is_operation(const TaskRow& task) { return (task.need_m & TaskRow::kOperation) != 0; }

/// What a task of the group asks for. The smallest core there is, if it is to have one for itself.
std::uint32_t need_of(const Request& request, const Scenario& scenario) {
  std::int64_t need_m = request.need.cpu_m;
  if (request.exclusive) {
    std::uint32_t threads = scenario.node_types.front().offer.threads_per_core;
    for (const NodeType& type : scenario.node_types) threads = std::min(threads, type.offer.threads_per_core);
    need_m = kThread * static_cast<std::int64_t>(threads);
  }
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(need_m, 0, TaskRow::kOperation - 1));
}

}  // namespace

void ClusterWorld::note_submission(JobRow& row, const JobSpec& spec) {
  if (!spec.user.empty()) {
    const auto [at, fresh] = users_.try_emplace(spec.user, static_cast<std::uint32_t>(results_.users.size()));
    if (fresh) results_.users.push_back(spec.user);
    row.user = at->second;
  }
  if (spec.pool) {
    row.pool = pools_.named(spec.pool->name);
    return;
  }
  for (const TaskGroup& group : spec.groups)
    if (!group.spec.pool.empty()) row.pool = pools_.named(group.spec.pool);
}

/// The job was accepted: its tasks wait from now on, and its operations want workers.
void ClusterWorld::note_new_tasks(JobRow& row) {
  const LiveJob* job = controller_.machine().jobs().find(row.id);
  if (job == nullptr) return;
  if (job->pool != nullptr) pools_.open(row.pool, *job->spec->pool, now_);
  std::uint32_t index = 0;
  for (const LiveGroup& group : job->groups) {
    const std::uint32_t need = need_of(group.request, scenario_);
    for (; index < group.end && index < row.tasks; ++index)
      results_.tasks[row.first_task + index].need_m =
          group.pool != nullptr ? TaskRow::kOperation | need : need;
    if (group.pool == nullptr)
      capacity_.wait(need, group.width());
    else
      pools_.demand(row.pool, need, group.width(), now_);
  }
  // Replicas that may come later are equal to those that are there.
  for (; index > 0 && index < row.tasks; ++index)
    results_.tasks[row.first_task + index].need_m = results_.tasks[row.first_task].need_m;
}

/// It was accepted by a controller that died before anybody could know of it.
void ClusterWorld::note_forgotten(const JobRow& row) {
  for (std::uint32_t i = 0; i < row.tasks; ++i) {
    const TaskRow& task = results_.tasks[row.first_task + i];
    if (!terminal(task.state)) note_state(row, task, TaskState::kCancelled);
  }
  if (row.service() && row.pool != PoolMeters::kNone) pools_.close(row.pool, now_);
}

/// The task is about to change its state.
void ClusterWorld::note_state(const JobRow& job, const TaskRow& task, TaskState next) {
  if (is_operation(task)) {
    const int change = int{terminal(task.state)} - int{terminal(next)};
    if (change != 0) pools_.demand(job.pool, task.need_m - TaskRow::kOperation, change, now_);
    return;
  }
  const int change = int{next == TaskState::kPending} - int{task.state == TaskState::kPending};
  if (change != 0) capacity_.wait(task.need_m, change);
}

/// Null if it is a job that nobody knows any more.
const JobRow* ClusterWorld::job_of(const Run& run) const {
  const std::uint64_t job = run.attempt.task.job.value;
  return job == 0 || job > rows_.size() ? nullptr : &results_.jobs[rows_[job - 1].job];
}

/// Who executes the operation; null if it is gone.
ClusterWorld::Run* ClusterWorld::worker_of(const Run& run) {
  for (const ExecId id : hosts_[run.node].runs)
    if (runs_[id].attempt == *run.worker) return &runs_[id];
  return nullptr;
}

void ClusterWorld::note_use_begins(Run& run) {
  if (run.worker) {
    Run* worker = worker_of(run);
    if (worker != nullptr && worker->serving++ == 0) worker->serving_since = now_;
    return;
  }
  capacity_.take(run.node, run.cpu_m);
  const JobRow* job = job_of(run);
  if (job != nullptr && job->service() && job->pool != PoolMeters::kNone) pools_.supply(job->pool, 1, now_);
}

void ClusterWorld::note_use_ends(Run& run) {
  const double held_s = ran_s(now_ - run.began) * run.width;
  const JobRow* job = job_of(run);
  const bool service = job != nullptr && job->service();
  if (run.outcome != Outcome::kSucceeded && !service) results_.lost_cpu_s += held_s;
  if (run.worker) {
    Run* worker = worker_of(run);
    if (worker != nullptr && worker->serving > 0 && --worker->serving == 0)
      results_.used_cpu_s += ran_s(now_ - worker->serving_since) * worker->width;
    return;
  }
  capacity_.take(run.node, -run.cpu_m);
  if (service && job->pool != PoolMeters::kNone) {
    pools_.supply(job->pool, -1, now_);
    if (run.serving > 0) results_.used_cpu_s += ran_s(now_ - run.serving_since) * run.width;
    run.serving = 0;
  } else if (run.operations > 0 && !run.cut_short) {
    const double top_speed = scenario_.node_types[scenario_.nodes[run.node].type].speed.front();
    results_.used_cpu_s += static_cast<double>(run.operations) / top_speed * run.width;
  } else {
    results_.used_cpu_s += ran_s(now_ - run.began) * static_cast<double>(run.cpu_m) / kThread;
  }
}

}  // namespace duet::sim
