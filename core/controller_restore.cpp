// A controller that takes over: it rebuilds what the records say and gives every agent one timeout to report.
#include <algorithm>

#include "core/check.h"
#include "core/controller.h"
#include "core/lifecycle.h"
#include "core/mutation.h"

namespace duet {

void Controller::on(const controller::Restore& event) {
  // Nodes, then jobs, then tasks, whatever the order of the store.
  std::vector<NodeRecord> nodes;
  for (const Record& record : event.records)
    if (const auto* node = std::get_if<NodeRecord>(&record)) nodes.push_back(*node);
  std::sort(nodes.begin(), nodes.end(),
            [](const NodeRecord& a, const NodeRecord& b) { return a.node < b.node; });
  for (const NodeRecord& node : nodes) restore(node);
  std::vector<JobRecord> jobs;
  for (const Record& record : event.records)
    if (const auto* job = std::get_if<JobRecord>(&record)) jobs.push_back(*job);
  std::sort(jobs.begin(), jobs.end(), [](const JobRecord& a, const JobRecord& b) { return a.job < b.job; });
  for (const JobRecord& job : jobs) restore(job);
  for (const Record& record : event.records)
    if (const auto* end = std::get_if<EndRecord>(&record)) restore(*end);
  jobs_.close_ids();
  std::vector<KeyRecord> keys;
  for (const Record& record : event.records)
    if (const auto* key = std::get_if<KeyRecord>(&record)) keys.push_back(*key);
  std::sort(keys.begin(), keys.end(), [](const KeyRecord& a, const KeyRecord& b) { return a.job < b.job; });
  for (const KeyRecord& key : keys)
    if (!mutated(Mutant::kRestoreForgetsKeys)) keys_.add(key);
  std::vector<TaskRecord> tasks;
  for (const Record& record : event.records)
    if (const auto* task = std::get_if<TaskRecord>(&record)) tasks.push_back(*task);
  std::sort(tasks.begin(), tasks.end(),
            [](const TaskRecord& a, const TaskRecord& b) { return a.task < b.task; });
  // Workers before the operations that they execute.
  const auto executes = [this](const TaskRecord& task) {
    const LiveJob* job = jobs_.find(task.task.job);
    return job != nullptr && task.task.index < job->tasks.size() &&
           job->groups[job->tasks[task.task.index].group].pool != nullptr;
  };
  for (const TaskRecord& task : tasks)
    if (!executes(task)) restore(task);
  for (const TaskRecord& task : tasks)
    if (executes(task)) restore(task);

  // What waited, waits again.
  std::vector<JobId> ids;
  jobs_.for_each([&](const LiveJob& job) { ids.push_back(job.id); });
  for (const JobId id : ids) {
    LiveJob& job = jobs_.at(id);
    const bool rigid = job.spec->kind == JobKind::kRigid;
    if (job.cancelled) stop_others(job);
    for (std::uint32_t g = 0; g < job.groups.size() && !job.cancelled; ++g) {
      const LiveGroup& group = job.groups[g];
      const std::uint32_t width = group.width();
      if (width == 0 || job.blocked(g)) continue;
      if (rigid && job.active > 0)
        job.restarting = true;  // The gang was falling apart when the old controller stopped.
      else if (!rigid || group.back.empty())
        enqueue(job, g, width);  // Else settle_job() finds that all of it has come back, and lets it wait.
    }
    if (job.restarting) stop_others(job);
    if (job.service() && !job.cancelled) {
      adjust_replicas(job);
      end_if_all_have(job);
    }
    settle_job(job);
  }
}

void Controller::restore(const NodeRecord& record) {
  auto id = cluster_.find(record.name);
  if (!id) id = cluster_.add(record.name);
  DUET_CHECK(*id == record.node);
  ClusterNode& node = cluster_.node(*id);
  if (!mutated(Mutant::kEpochsGivenAgain)) node.epoch = record.epoch;
  node.draining = record.draining;
  if (record.epoch == Epoch{}) return;  // Drained before it was ever seen: what it offers is not known.
  cluster_.set_offer(*id, record.offer);
  // Not heard of yet, so nothing is placed there; its tasks are believed to run until the detector gives up.
  node.detector = std::move(*make_policy(detector_policies(), config_.detector));
  node.detector->heartbeat(now_);
  if (!mutated(Mutant::kRestoreWatchesNobody)) watch(*id);
}

void Controller::restore(const JobRecord& record) {
  DUET_CHECK(record.spec != nullptr);
  LiveJob& job = jobs_.create_with(record.job);
  const std::uint32_t groups = static_cast<std::uint32_t>(record.spec->groups.size());
  admit(job, record.spec);
  job.version = record.version;
  for (std::uint32_t g = 0; g < groups; ++g) pending_of(job.groups[g]).remove(job.groups[g].rank, job.id, g);
  if (job.pool != nullptr) job.pool->scaled_at = now_;  // It may have been changed just before.
  job.submitted = record.submitted;
  job.cancelled = record.cancelled && !mutated(Mutant::kRestoreForgetsCancel);
  publish(controller::JobChanged{job.id, job.state});
}

void Controller::restore(const EndRecord& record) {
  if (!mutated(Mutant::kIdsGivenAgain)) jobs_.skip_to(record.job);
}

/// Makes room for a replica's record, and puts the replica under the version that it runs.
void Controller::take_up_replica(LiveJob& job, const TaskRecord& record) {
  const std::uint32_t index = record.task.index;
  const std::uint32_t current = static_cast<std::uint32_t>(job.groups.size()) - 1;
  LiveGroup& group = job.groups[current];
  while (job.tasks.size() <= index) {
    LiveTask& task = job.tasks.emplace_back();
    task.group = current;
    task.state = TaskState::kIdle;
  }
  group.next = group.end = static_cast<std::uint32_t>(job.tasks.size());
  const auto at = std::lower_bound(group.back.begin(), group.back.end(), index);
  if (at != group.back.end() && *at == index) group.back.erase(at);
  const std::uint32_t age = job.version - record.version;
  if (active(record.state) && age <= current && !mutated(Mutant::kRestoreForgetsVersion))
    job.tasks[index].group = current - age;
}

void Controller::restore(const TaskRecord& record) {
  LiveJob* live = jobs_.find(record.task.job);
  if (live == nullptr) return;  // Its job has ended.
  LiveJob& job = *live;
  if (job.service()) take_up_replica(job, record);
  if (record.task.index >= live->tasks.size()) return;
  LiveTask& task = job.tasks[record.task.index];
  LiveGroup& group = job.groups[task.group];
  task.attempt = record.attempt;
  task.failures = mutated(Mutant::kRestoreForgetsFailures) ? 0 : record.failures;
  task.losses = record.losses;
  task.node = record.node;
  task.threads = record.threads;
  task.placed = task.started = record.placed;
  if (!job.service()) group.next = std::max(group.next, record.task.index + 1);
  if (job.state == JobState::kPending && record.state != TaskState::kCancelled)
    set_state(job, JobState::kRunning);
  if (terminal(record.state)) {
    task.state = record.state;
    ++job.terminal;
    const bool unreported = record.state == TaskState::kCancelled && record.attempt == 0 && !job.service();
    job.failed += record.state == TaskState::kFailed || unreported;
    job.failing |= record.state == TaskState::kFailed && job.spec->kind == JobKind::kRigid;
    const bool counts = record.state == TaskState::kSucceeded && !mutated(Mutant::kRestoreForgetsDag);
    if (!job.dag.empty() && counts && --job.dag[task.group].unfinished == 0)
      for (const std::uint32_t next : job.dag[task.group].then) --job.dag[next].blocked;
    return;
  }
  if (record.state == TaskState::kIdle) {
    task.state = TaskState::kIdle;
    return;
  }
  if (record.state == TaskState::kPending && record.attempt == 0 && !job.service())
    return await_report(job, record.task);
  if (record.state == TaskState::kPending || mutated(Mutant::kRestoreForgetsTasks)) {
    group.come_back(record.task.index);
    return;
  }
  task.state = record.state == TaskState::kStopping ? TaskState::kStopping : TaskState::kStarting;
  const auto estimate = estimator_->predict(job.spec->groups[task.group].spec);
  task.estimated_end = estimate ? saturating_add(record.placed, *estimate) : kNever;
  if (group.pool != nullptr)
    group.pool->resume(record.task, record.worker.value_or(AttemptId{}), group.request, task.threads);
  else
    cluster_.retake(task.node, group.request, task.threads);
  if (job.pool != nullptr)
    job.pool->place({record.task, task.attempt}, task.node, task.threads,
                    cluster_.cpu_m(task.node, group.request));
  hold(job, record.task);
  if (task.state != TaskState::kStopping || job.cancelled) return;
  task.evicted = true;
  // Unless it fails, members of a gang stop for the gang's sake: all of it comes back, at no cost.
  const bool gang = job.spec->kind == JobKind::kRigid && job.tasks.size() > 1;
  job.restarting |= gang && !mutated(Mutant::kRestoreForgetsEviction);
}

}  // namespace duet
