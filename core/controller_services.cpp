// Services: replicas that run until the service is cancelled, as many as are desired, of the version that is
// wanted. The lowest indices are the desired ones; the others are idle, or on their way to it.
#include <algorithm>

#include "core/check.h"
#include "core/controller.h"
#include "core/lifecycle.h"
#include "core/mutation.h"

namespace duet {
namespace {

/// Running so many backoffs long, a replica has proved itself: its earlier failures are forgotten.
constexpr std::int64_t kProvedAfter = 64;

}  // namespace

/// The service that a request speaks of; null, and the request answered, if there is none.
LiveJob* Controller::service_of(RequestId request, JobId id) {
  LiveJob* job = jobs_.find(id);
  const char* why = nullptr;
  if (job == nullptr)
    why = jobs_.was_given(id) ? "the job has already ended" : "there is no such job";
  else if (!job->service())
    why = "the job is not a service";
  else if (job->cancelled)
    why = "the service is being ended";
  if (why == nullptr) return job;
  emit(controller::Reply{request, id, why});
  return nullptr;
}

JobRecord Controller::record_of(const LiveJob& job) {
  return {job.id, job.submitted, job.cancelled, job.version, job.spec};
}

void Controller::persist_job(const LiveJob& job) {
  emit(controller::Persist{record_of(job)});
  if (!job.service() || job.cancelled) return;
  // Its replicas' agents keep what was wanted of it before.
  for (std::uint32_t index = 0; index < job.tasks.size(); ++index)
    if (active(job.tasks[index].state)) leave_records(job, {job.id, index});
}

void Controller::on(const controller::Scale& event) {
  LiveJob* job = service_of(event.request, event.job);
  if (job == nullptr) return;
  TaskGroup group = job->spec->groups.back();
  group.count = event.count;
  std::string why = refusal(group);
  if (why.empty() && job->pool != nullptr) why = workers_refusal(*job->spec->pool, event.count);
  if (why.empty() && job->pool != nullptr) job->pool->configured = event.count;
  const bool accepted = why.empty();
  emit(controller::Reply{event.request, event.job, std::move(why)});
  if (accepted) set_replicas(*job, event.count);
}

/// The service is to have so many replicas.
void Controller::set_replicas(LiveJob& job, std::uint32_t count) {
  if (count != job.desired()) {
    JobSpec spec = *job.spec;
    spec.groups.back().count = count;
    job.spec = std::make_shared<const JobSpec>(std::move(spec));
    persist_job(job);
  }
  adjust_replicas(job);
  // The one that an update waited for may be desired no more.
  if (!mutated(Mutant::kScaleStallsUpdate)) replace_outdated(job);
  end_if_all_have(job);
  settle_job(job);
}

void Controller::on(const controller::Update& event) {
  DUET_CHECK(event.spec != nullptr);
  LiveJob* job = service_of(event.request, event.job);
  if (job == nullptr) return;
  std::string why = refusal(*event.spec);
  if (why.empty() && event.spec->kind != JobKind::kService)
    why = "a service can only be updated to a service";
  const auto pool_of = [](const JobSpec& spec) { return spec.pool ? spec.pool->name : std::string(); };
  if (why.empty() && pool_of(*event.spec) != pool_of(*job->spec))
    why = "an update cannot change which pool the replicas belong to";
  if (!why.empty()) {
    emit(controller::Reply{event.request, event.job, std::move(why)});
    return;
  }
  // Versions of which no replica runs are dropped; the specification keeps those that are still needed.
  std::uint32_t oldest = static_cast<std::uint32_t>(job->groups.size()) - 1;
  for (const LiveTask& task : job->tasks)
    if (active(task.state)) oldest = std::min(oldest, task.group);
  JobSpec spec = *event.spec;
  spec.key = job->spec->key;
  std::vector<TaskGroup> versions(job->spec->groups.begin() + oldest, job->spec->groups.end());
  versions.push_back(spec.groups.front());
  spec.groups = std::move(versions);

  const std::uint32_t before = static_cast<std::uint32_t>(job->groups.size()) - 1;
  pending_.remove(job->groups[before].rank, job->id, before);
  std::vector<std::uint32_t> back = std::move(job->groups[before].back);
  job->groups[before].back.clear();
  job->groups.erase(job->groups.begin(), job->groups.begin() + oldest);
  job->spec = std::make_shared<const JobSpec>(std::move(spec));
  ++job->version;
  add_group(*job, job->spec->groups.back().spec);
  const std::uint32_t current = static_cast<std::uint32_t>(job->groups.size()) - 1;
  LiveGroup& group = job->groups[current];
  group.next = group.end = static_cast<std::uint32_t>(job->tasks.size());
  group.back = std::move(back);
  for (LiveTask& task : job->tasks) task.group = active(task.state) ? task.group - oldest : current;
  const std::vector<std::uint32_t> forgiven = forgive_replicas(*job, group);
  choose_scheduler(*job);
  if (job->pool != nullptr) open_pool(*job);
  persist_job(*job);
  for (const std::uint32_t index : forgiven) persist_task(*job, {job->id, index});
  emit(controller::Reply{event.request, event.job, {}});
  if (!group.back.empty()) enqueue(*job, current, static_cast<std::uint32_t>(group.back.size()));
  adjust_replicas(*job);
  replace_outdated(*job);
}

/// What failed was another version: the new one owes no backoff for it. Those it concerns.
std::vector<std::uint32_t> Controller::forgive_replicas(LiveJob& job, LiveGroup& current) {
  std::vector<std::uint32_t> forgiven;
  for (std::uint32_t index = 0; index < job.tasks.size(); ++index) {
    LiveTask& task = job.tasks[index];
    if (task.failures == 0 || terminal(task.state)) continue;
    task.failures = 0;
    forgiven.push_back(index);
    if (task.state != TaskState::kPending || task.retry_at == Instant{}) continue;
    task.retry_at = {};
    current.come_back(index);
  }
  return forgiven;
}

/// Makes as many replicas wait or run as are desired.
void Controller::adjust_replicas(LiveJob& job) {
  const std::uint32_t desired = job.desired();
  for (auto index = static_cast<std::uint32_t>(job.tasks.size()); index-- > desired;)
    if (!mutated(Mutant::kKeepsSurplus)) retire_replica(job, {job.id, index});
  for (std::uint32_t index = 0; index < desired; ++index) want_replica(job, index);
}

/// The replica is not desired any more.
void Controller::retire_replica(LiveJob& job, TaskId id) {
  LiveTask& task = job.tasks[id.index];
  if (task.state == TaskState::kStarting || task.state == TaskState::kRunning) return stop(job, id);
  if (task.state != TaskState::kPending) return;
  LiveGroup& group = job.groups[task.group];
  const auto at = std::lower_bound(group.back.begin(), group.back.end(), id.index);
  if (at != group.back.end() && *at == id.index) {
    group.back.erase(at);
    Waiting* waiting = pending_.find(group.rank, job.id, task.group);
    DUET_CHECK(waiting != nullptr && waiting->width > 0);
    pending_.set_width(*waiting, waiting->width - 1);
    if (waiting->width == 0) pending_.remove(group.rank, job.id, task.group);
    dirty_ = true;  // Those behind it may have waited for it only.
  }
  task.retry_at = {};
  set_state(job, id, TaskState::kIdle, Outcome::kKilled);
  persist_task(job, id);
}

/// The replica is desired: it waits, unless it does already, runs, or has yet to stop.
void Controller::want_replica(LiveJob& job, std::uint32_t index) {
  const std::uint32_t current = static_cast<std::uint32_t>(job.groups.size()) - 1;
  const TaskId id{job.id, index};
  if (index < job.tasks.size()) {
    if (job.tasks[index].state != TaskState::kIdle) return;
    job.tasks[index].group = current;
    set_state(job, id, TaskState::kPending, Outcome::kKilled);
    persist_task(job, id);
  } else {
    DUET_CHECK(index == job.tasks.size());
    job.tasks.emplace_back().group = current;
    job.groups[current].next = job.groups[current].end = index + 1;
  }
  job.groups[current].come_back(index);
  enqueue(job, current, 1);
}

/// An attempt of a replica is over.
void Controller::settle_replica(LiveJob& job, TaskId id, Outcome outcome) {
  LiveTask& task = job.tasks[id.index];
  if (id.index >= job.desired()) {
    set_state(job, id, TaskState::kIdle, outcome);
    persist_task(job, id);
    return end_if_all_have(job);
  }
  // Many programs call it a success to have been told to end.
  const bool told = task.state == TaskState::kStopping && outcome == Outcome::kSucceeded;
  const bool by_itself = outcome != Outcome::kKilled && outcome != Outcome::kLost && !told;
  if (!by_itself) return wait_again(job, id, outcome);
  const Duration ran = now_ - task.started;
  const bool proved = job.spec->backoff > Duration{0} && ran / kProvedAfter >= job.spec->backoff;
  task.failures = proved ? 1 : task.failures + 1;
  if (runs_again(job, task, outcome) || mutated(Mutant::kRestartsForEver)) {
    job.groups.back().avoid = task.node;
    return wait_again(job, id, outcome);
  }
  // For good: an update that waits for the others need not wait for it.
  set_state(job, id, outcome == Outcome::kSucceeded ? TaskState::kSucceeded : TaskState::kFailed, outcome);
  replace_outdated(job);
  end_if_all_have(job);
}

/// When all replicas that are desired have ended for good, no others are wanted any more: see settle_job().
void Controller::end_if_all_have(LiveJob& job) {
  for (std::uint32_t index = 0; index < job.tasks.size(); ++index) {
    const TaskState state = job.tasks[index].state;
    if (!terminal(state) && (index < job.desired() || state != TaskState::kIdle)) return;
  }
  if (job.terminal == 0) return;  // Scaled to nothing.
  for (std::uint32_t index = 0; index < job.tasks.size(); ++index)
    if (job.tasks[index].state == TaskState::kIdle)
      set_state(job, {job.id, index}, TaskState::kCancelled, Outcome::kKilled);
}

/// Whether the service's restart policy lets a replica run again whose attempt ended by itself.
bool Controller::runs_again(const LiveJob& job, const LiveTask& task, Outcome outcome) const {
  switch (job.spec->restart.value_or(RestartPolicy::kAlways)) {
    case RestartPolicy::kAlways:
      return true;
    case RestartPolicy::kOnFailure:
      return outcome != Outcome::kSucceeded && task.failures <= job.spec->retries;
    case RestartPolicy::kNeverAgain:
      break;
  }
  return false;
}

/// Ends one replica of an older version, if all desired ones run and those of the present version are ready;
/// the next follows when its successor is. First those that are not ready: nobody relies on them, and it may
/// be the update that mends them; else the lowest.
void Controller::replace_outdated(LiveJob& job) {
  const std::uint32_t current = static_cast<std::uint32_t>(job.groups.size()) - 1;
  if (current == 0) return;  // Never updated, or all are up to date since.
  std::uint32_t outdated = job.desired();
  for (std::uint32_t index = 0; index < job.desired(); ++index) {
    const LiveTask& task = job.tasks[index];
    if (terminal(task.state)) continue;
    const bool old = task.group != current || mutated(Mutant::kReplacesUpToDate);
    if (task.state != TaskState::kRunning || (!old && !task.ready)) return;
    const bool first = outdated == job.desired() || (!task.ready && job.tasks[outdated].ready);
    if (old && first) outdated = index;
  }
  if (outdated == job.desired()) return;
  job.tasks[outdated].evicted = true;
  stop(job, {job.id, outdated});
}

}  // namespace duet
