#include "core/lifecycle.h"

#include <array>
#include <cstddef>
#include <initializer_list>

namespace duet {
namespace {

/// Rows are bit masks of the states that may follow.
template <class S>
constexpr std::uint32_t follow(std::initializer_list<S> states) {
  std::uint32_t mask = 0;
  for (const S s : states) mask |= std::uint32_t{1} << static_cast<unsigned>(s);
  return mask;
}

using J = JobState;
constexpr std::array kJob{
    follow({J::kRunning, J::kCancelled}),  // pending
    follow(
        {J::kPending, J::kSucceeded, J::kFailed, J::kCancelled}),  // running; pending if all tasks wait again
    follow<J>({}),
    follow<J>({}),
    follow<J>({}),
};

using T = TaskState;
constexpr std::array kTask{
    follow({T::kStarting, T::kCancelled, T::kIdle}),                              // pending
    follow({T::kRunning, T::kStopping, T::kPending, T::kSucceeded, T::kFailed}),  // starting
    follow({T::kStopping, T::kPending, T::kSucceeded, T::kFailed}),               // running
    follow({T::kPending, T::kSucceeded, T::kFailed, T::kCancelled, T::kIdle}),    // stopping
    follow<T>({}),
    follow<T>({}),
    follow<T>({}),
    follow({T::kPending, T::kCancelled}),  // idle
};

using N = NodeState;
constexpr std::array kNode{
    follow({N::kReady, N::kFenced, N::kDown}),    // unknown
    follow({N::kSuspect, N::kFenced, N::kDown}),  // ready
    follow({N::kReady, N::kFenced, N::kDown}),    // suspect
    follow({N::kReady, N::kDown}),                // fenced
    follow({N::kReady, N::kFenced}),              // down
};

template <class Table, class S>
bool in(const Table& table, S from, S to) {
  return (table[static_cast<std::size_t>(from)] >> static_cast<unsigned>(to)) & 1U;
}

constexpr std::array kJobStates{J::kPending, J::kRunning, J::kSucceeded, J::kFailed, J::kCancelled};
constexpr std::array kTaskStates{T::kPending,   T::kStarting, T::kRunning,   T::kStopping,
                                 T::kSucceeded, T::kFailed,   T::kCancelled, T::kIdle};
constexpr std::array kNodeStates{N::kUnknown, N::kReady, N::kSuspect, N::kFenced, N::kDown};

constexpr std::array<std::string_view, 4> kKindNames{"rigid", "bag", "dag", "service"};
constexpr std::array<std::string_view, 5> kJobNames{"pending", "running", "succeeded", "failed", "cancelled"};
constexpr std::array<std::string_view, 8> kTaskNames{"pending",   "starting", "running",   "stopping",
                                                     "succeeded", "failed",   "cancelled", "idle"};
constexpr std::array<std::string_view, 5> kNodeNames{"unknown", "ready", "suspect", "fenced", "down"};
constexpr std::array<std::string_view, 7> kOutcomeNames{"succeeded",     "failed", "timed_out", "killed",
                                                        "launch_failed", "lost",   "unhealthy"};
constexpr std::array<std::string_view, 3> kRestartNames{"always", "on_failure", "never"};

}  // namespace

bool allowed(JobState from, JobState to) { return in(kJob, from, to); }
bool allowed(TaskState from, TaskState to) { return in(kTask, from, to); }
bool allowed(NodeState from, NodeState to) { return in(kNode, from, to); }

bool terminal(JobState state) { return kJob[static_cast<std::size_t>(state)] == 0; }
bool terminal(TaskState state) { return kTask[static_cast<std::size_t>(state)] == 0; }

bool active(TaskState state) {
  return state == TaskState::kStarting || state == TaskState::kRunning || state == TaskState::kStopping;
}

std::string_view name(JobKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }
std::string_view name(JobState state) { return kJobNames[static_cast<std::size_t>(state)]; }
std::string_view name(TaskState state) { return kTaskNames[static_cast<std::size_t>(state)]; }
std::string_view name(NodeState state) { return kNodeNames[static_cast<std::size_t>(state)]; }
std::string_view name(Outcome outcome) { return kOutcomeNames[static_cast<std::size_t>(outcome)]; }
std::string_view name(RestartPolicy policy) { return kRestartNames[static_cast<std::size_t>(policy)]; }

std::span<const JobState> job_states() { return kJobStates; }
std::span<const TaskState> task_states() { return kTaskStates; }
std::span<const NodeState> node_states() { return kNodeStates; }

}  // namespace duet
