// Checks of health checks, readiness and restart policies.
#include <algorithm>

#include "core/lifecycle.h"
#include "sim/checkers.h"

namespace duet::sim {
namespace {

std::string health_text(AttemptId id) {
  return "attempt " + std::to_string(id.task.job.value) + '.' + std::to_string(id.task.index) + '#' +
         std::to_string(id.number);
}

}  // namespace

/// The attempt runs, and is to be relied on or not: without a health check always, else as its agent says.
void Checkers::see_ready(const Cause& cause, TaskView& task, const controller::TaskChanged& notice) {
  if (notice.attempt.number != task.number)
    broken("HEALTH", health_text(notice.attempt) + " is said to be ready, but is not the last one");
  const auto* said =
      cause.message == nullptr ? nullptr : std::get_if<msg::AttemptReady>(&cause.message->body);
  const bool told = said != nullptr && cause.current && said->attempt == notice.attempt &&
                    cause.message->node == task.node && said->ready == notice.ready;
  const bool checked = task.spec->work.health.has_value();
  const bool first = task.state == TaskState::kRunning && !task.ready && !told;
  if (checked ? notice.ready && !told : !notice.ready || !first)
    broken("HEALTH", health_text(notice.attempt) + (notice.ready ? " is relied on" : " is not relied on") +
                         ", which nobody said");
  task.ready = notice.ready;
  changed_tasks_.push_back(notice.attempt.task);
}

/// Who fails its check so often in a row as it says, and only who does, is ended as unhealthy.
void Checkers::see_health(std::uint32_t id, const agent::Event& event, const agent::Commands& commands,
                          std::size_t first) {
  if (const auto* boot = std::get_if<agent::Boot>(&event))
    for (const agent::Adopted& adopted : boot->adopted)
      if (AttemptView* attempt = attempt_of(adopted.attempt); attempt != nullptr && adopted.health) {
        attempt->counts_from = now_ + adopted.health->start_period;
        attempt->failures = 0;
      }
  const auto ended = [&](AttemptId attempt) {
    return std::any_of(commands.begin() + static_cast<std::ptrdiff_t>(first), commands.end(),
                       [&](const agent::Command& command) {
                         const auto* order = std::get_if<agent::Terminate>(&command);
                         return order != nullptr && order->attempt == attempt &&
                                order->why == Outcome::kUnhealthy;
                       });
  };
  const auto* started = std::get_if<agent::Started>(&event);
  if (AttemptView* attempt = started == nullptr ? nullptr : attempt_of(started->attempt);
      attempt != nullptr && attempt->spec->work.health)
    attempt->counts_from = now_ + attempt->spec->work.health->start_period;
  const auto* probed = std::get_if<agent::Probed>(&event);
  AttemptView* attempt = probed == nullptr ? nullptr : attempt_of(probed->attempt);
  if (attempt == nullptr || !attempt->spec->work.health) return;
  if (probed->healthy) {
    attempt->failures = 0;
    attempt->counts_from = now_;
  } else if (now_ >= attempt->counts_from) {
    ++attempt->failures;
  }
  const bool sick = attempt->failures >= attempt->spec->work.health->failures;
  if (ended(probed->attempt) != sick && !nodes_[id].wrong_clock)
    broken("HEALTH", health_text(probed->attempt) + (sick ? " failed its health check, and goes on"
                                                          : " is ended although it may be healthy"));
}

/// An update takes another replica when all desired ones run and those of the new version are ready.
bool Checkers::all_ready(const JobView& service) const {
  for (std::uint32_t index = 0; index < service.desired() && index < service.tasks.size(); ++index) {
    const TaskView& task = service.tasks[index];
    if (terminal(task.state)) continue;
    if (task.state != TaskState::kRunning || (task.version == service.version && !task.ready)) return false;
  }
  return true;
}

/// Whether the replica, whose attempt is over, runs again or not as its service's policy says.
void Checkers::check_restart(const JobView& job, const TaskView& task, const controller::TaskChanged& notice,
                             bool told) {
  if (notice.state != TaskState::kPending && notice.state != TaskState::kSucceeded &&
      notice.state != TaskState::kFailed)
    return;
  const RestartPolicy policy = job.spec->restart.value_or(RestartPolicy::kAlways);
  const bool again = notice.state == TaskState::kPending;
  const bool failed = notice.outcome != Outcome::kSucceeded;
  bool may_stay = of_its_own(notice.outcome) && !told && policy != RestartPolicy::kAlways;
  bool must_stay = may_stay && (policy == RestartPolicy::kNeverAgain || !failed);
  // How many failures in a row there were, only the controller knows.
  if (policy == RestartPolicy::kOnFailure && failed && job.spec->retries == kUnlimited) may_stay = false;
  if (again ? must_stay : !may_stay || failed != (notice.state == TaskState::kFailed))
    broken("RESTART", health_text({notice.attempt.task, task.number}) + " ended as " +
                          std::string(name(notice.outcome)) + ", and its replica " +
                          (again ? "runs again" : "does not run again"));
}

}  // namespace duet::sim
