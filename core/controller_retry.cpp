// What failed by itself waits before it runs again, each time longer.
#include <algorithm>

#include "core/controller.h"
#include "core/mutation.h"

namespace duet {
namespace {

/// The wait doubles so many times, then it stays: 64 times the first.
constexpr std::uint32_t kMostDoublings = 6;

}  // namespace

/// How long the task has to wait after this end of its attempt.
Duration Controller::backoff(const LiveJob& job, const LiveTask& task, Outcome outcome) const {
  const Duration first = job.spec->backoff;
  const bool by_itself = outcome != Outcome::kKilled && outcome != Outcome::kLost;
  if (mutated(Mutant::kNoBackoff)) return Duration{0};
  if (first == Duration{0} || !by_itself || task.failures == 0) return Duration{0};
  const std::uint32_t doublings = std::min(task.failures - 1, kMostDoublings);
  return first > Duration::max() / (1 << doublings) ? Duration::max() : first * (1 << doublings);
}

/// The task is to be tried again after `wait`; until then it is in no queue.
void Controller::delay(LiveJob& job, TaskId id, Duration wait) {
  LiveTask& task = job.tasks[id.index];
  task.retry_at = saturating_add(now_, wait);
  delayed_.insert({task.retry_at, id});
}

void Controller::retry_due() {
  while (!delayed_.empty() && delayed_.begin()->first <= now_) {
    const auto [at, id] = *delayed_.begin();
    delayed_.erase(delayed_.begin());
    LiveJob* job = jobs_.find(id.job);
    if (job == nullptr) continue;
    LiveTask& task = job->tasks[id.index];
    if (task.state != TaskState::kPending || task.retry_at != at) continue;  // Cancelled, or wanted no more.
    const bool unreported = awaits_report(task);
    task.retry_at = {};
    if (unreported && !job->service()) {
      give_up_report(*job, id);
    } else if (job->spec->kind == JobKind::kRigid) {
      enqueue(*job, 0, static_cast<std::uint32_t>(job->groups[0].back.size()));
    } else {
      job->groups[task.group].come_back(id.index);
      enqueue(*job, task.group, 1);
    }
  }
}

}  // namespace duet
