// A controller without a store: it leaves with the agents what another one needs, and takes over what they
// give back.
#include <algorithm>

#include "core/check.h"
#include "core/controller.h"

namespace duet {
namespace {

/// A job of more groups is not left with agents: each launch would carry them all.
constexpr std::size_t kMostGroupsLeft = 64;

AttemptId attempt_of(const msg::Keep& keep) { return {keep.task.task, keep.task.attempt}; }

}  // namespace

/// To be sent after the launch, so that the agent knows the attempt.
void Controller::leave_records(const LiveJob& job, TaskId id) {
  if (config_.adopt_for == Duration{0} || job.spec->groups.size() > kMostGroupsLeft) return;
  send(job.tasks[id.index].node, msg::Keep{record_of(job), record_of(job, id)});
}

/// What this node holds though we know nothing of it, we take over, as far as it says what it is.
void Controller::adopt(NodeId id, const std::vector<msg::Keep>& kept) {
  if (config_.adopt_for == Duration{0}) return;
  // Workers before the operations that they execute.
  for (const bool operations : {false, true})
    for (const msg::Keep& keep : kept)
      if (keep.task.worker.has_value() == operations && can_adopt(id, keep)) adopt(id, keep);
}

/// False if the attempt is ours, or no longer anybody's; or if its agent tells what cannot be.
bool Controller::can_adopt(NodeId id, const msg::Keep& keep) const {
  const TaskRecord& record = keep.task;
  if (!cluster_.node(id).foreign.contains(attempt_of(keep)) || record.attempt == 0) return false;
  if (keep.job.job != record.task.job || keep.job.spec == nullptr || keep.job.cancelled) return false;
  const LiveJob* const job = jobs_.find(record.task.job);
  const JobSpec& spec = job != nullptr ? *job->spec : *keep.job.spec;
  if (job == nullptr) {
    if (!jobs_.open(record.task.job) || !makes_sense(spec)) return false;
  } else {
    // An id that was given anew, before anybody told of this job, stays with the new one.
    if (job->submitted != keep.job.submitted || job->cancelled || job->failing || job->restarting)
      return false;
    if (record.task.index >= job->tasks.size() || !awaits_report(job->tasks[record.task.index])) return false;
  }
  const TaskGroup* group = nullptr;
  if (spec.kind == JobKind::kService) {
    const std::size_t age = (job != nullptr ? job->version : keep.job.version) - record.version;
    const std::size_t versions = spec.groups.size();
    if (record.task.index < spec.groups.back().count && age < versions)
      group = &spec.groups[versions - 1 - age];
  } else {
    std::uint64_t end = 0;
    for (std::size_t g = 0; g < spec.groups.size() && group == nullptr; ++g)
      if (end += spec.groups[g].count; record.task.index < end) group = &spec.groups[g];
  }
  if (group == nullptr) return false;
  if (group->spec.pool.empty())
    return !record.worker && cluster_.can_retake(id, request_of(group->spec), record.threads);
  const auto pool = pools_.find(group->spec.pool);
  if (pool == pools_.end() || !record.worker) return false;
  const Pool::Worker* const worker = pool->second->find(record.worker->task.index);
  return worker != nullptr && worker->attempt == *record.worker && worker->node == id;
}

/// Whether this controller would accept the job, if it were not there already.
bool Controller::makes_sense(const JobSpec& spec) const {
  if (spec.groups.empty()) return false;
  if (spec.pool)
    if (const auto known = pools_.find(spec.pool->name);
        known != pools_.end() && known->second->job != JobId{})
      return false;
  if (spec.kind != JobKind::kService) return refusal(spec).empty();
  JobSpec present = spec;  // Without its older versions.
  present.groups.erase(present.groups.begin(), present.groups.end() - 1);
  return refusal(present).empty() && std::all_of(spec.groups.begin(), spec.groups.end(), [&](const auto& g) {
           return refusal(g).empty() && g.spec.pool.empty();
         });
}

void Controller::adopt(NodeId id, const msg::Keep& keep) {
  if (jobs_.find(keep.job.job) == nullptr) {
    restore(keep.job);
    LiveJob& made = jobs_.at(keep.job.job);
    persist_job(made);
    for (LiveGroup& group : made.groups) {
      group.next = group.end;
      group.back.clear();
    }
    for (std::uint32_t index = 0; index < made.tasks.size(); ++index) await_report(made, {made.id, index});
  }
  LiveJob& job = jobs_.at(keep.job.job);
  TaskRecord record = keep.task;
  record.node = id;
  record.state = TaskState::kStarting;
  job.tasks[record.task.index].retry_at = {};
  cluster_.node(id).foreign.erase(attempt_of(keep));
  restore(record);
  publish(controller::TaskChanged{attempt_of(keep), TaskState::kStarting, id});
  persist_task(job, record.task);
  send_launch(job, record.task);  // The answer says whether it still runs.
}

/// Another agent may tell of this task, too: until then, and for so long, it waits in no queue.
void Controller::await_report(LiveJob& job, TaskId id) {
  delay(job, id, config_.adopt_for);
  persist_task(job, id);
}

bool Controller::awaits_report(const LiveTask& task) {
  return task.state == TaskState::kPending && task.attempt == 0 && task.retry_at != Instant{};
}

/// Nobody told of this task of a job that was taken over. It may have been done, so it does not run again; or
/// it may never have run, so nobody can say that the job succeeded.
void Controller::give_up_report(LiveJob& job, TaskId id) {
  ++job.failed;
  set_state(job, id, TaskState::kCancelled, Outcome::kLost);
  settle_job(job);
}

}  // namespace duet
