#include "core/facade_states.h"

#include <array>
#include <cstddef>

namespace duet {
namespace {

using S = ServiceStatus;
using C = CubeState;

constexpr std::array<std::string_view, 6> kServiceNames{"SUBMITTED", "QUEUED", "RUNNING",
                                                        "COMPLETED", "FAILED", "CANCELLED"};
constexpr std::array<std::string_view, 5> kCubeNames{"Pending", "Scheduled", "Running", "Completed",
                                                     "Failed"};

constexpr bool kServiceAllowed[6][6] = {
    // submitted, queued, running, completed, failed, cancelled
    {false, true, false, false, false, true},    // submitted
    {false, false, true, false, false, true},    // queued
    {false, true, false, true, true, true},      // running
    {false, false, false, false, false, false},  // completed
    {false, false, false, false, false, false},  // failed
    {false, false, false, false, false, false},  // cancelled
};

constexpr bool kCubeAllowed[5][5] = {
    // pending, scheduled, running, completed, failed
    {false, true, false, false, false},   // pending
    {false, true, true, false, true},     // scheduled
    {false, true, true, true, true},      // running
    {false, false, false, false, false},  // completed
    {false, true, false, false, false},   // failed
};

constexpr std::size_t index(auto state) { return static_cast<std::size_t>(state); }

/// The shortest ways, all of which are prefixes or tails of these.
constexpr std::array kToCompleted{C::kScheduled, C::kRunning, C::kCompleted};
constexpr std::array kToFailed{C::kScheduled, C::kFailed};

}  // namespace

ServiceStatus service_status(JobState state, bool accepted) {
  if (!accepted) return S::kSubmitted;
  constexpr std::array kStatus{S::kQueued, S::kRunning, S::kCompleted, S::kFailed, S::kCancelled};
  return kStatus[index(state)];
}

bool allowed(ServiceStatus from, ServiceStatus to) { return kServiceAllowed[index(from)][index(to)]; }
std::string_view name(ServiceStatus status) { return kServiceNames[index(status)]; }

CubeState cube_state(TaskState state, std::uint32_t attempts) {
  switch (state) {
    case TaskState::kPending:
    case TaskState::kIdle:
      return attempts == 0 ? C::kPending : C::kScheduled;
    case TaskState::kStarting:
      return C::kScheduled;
    case TaskState::kRunning:
    case TaskState::kStopping:
      return C::kRunning;
    case TaskState::kFailed:
      return C::kFailed;
    case TaskState::kSucceeded:
    case TaskState::kCancelled:
      break;
  }
  return C::kCompleted;
}

bool allowed(CubeState from, CubeState to) { return kCubeAllowed[index(from)][index(to)]; }
std::string_view name(CubeState state) { return kCubeNames[index(state)]; }

std::span<const CubeState> cube_steps(CubeState from, CubeState to) {
  if (from == to || from == C::kCompleted || to == C::kPending) return {};
  const std::span<const CubeState> to_failed(kToFailed);
  const std::span<const CubeState> to_completed(kToCompleted);
  if (to == C::kFailed) return to_failed.subspan(from == C::kPending ? 0 : 1);
  // Scheduled, running and completed follow each other; running goes back to scheduled in one step.
  if (to == C::kScheduled) return to_completed.first(1);
  const std::size_t first = from == C::kScheduled ? 1 : from == C::kRunning ? 2 : 0;
  return to_completed.subspan(first, index(to) - first);
}

}  // namespace duet
