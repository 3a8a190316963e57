// How the states of jobs and tasks read in the words of the interfaces that Duet also speaks: mappings of one
// lattice, so that each interface shows only transitions that its own users know.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/model.h"

namespace duet {

/// A job as the orchestrator service shows it.
enum class ServiceStatus : std::uint8_t { kSubmitted, kQueued, kRunning, kCompleted, kFailed, kCancelled };

/// Submitted until its acceptance is durable, queued while nothing of it has run or all of it waits again.
ServiceStatus service_status(JobState state, bool accepted);
bool allowed(ServiceStatus from, ServiceStatus to);
/// Capitals, as that interface writes them.
std::string_view name(ServiceStatus status);

/// A task as cube shows it; the numbers are those of its interface.
enum class CubeState : std::uint8_t { kPending, kScheduled, kRunning, kCompleted, kFailed };

/// `attempts` is the number of the task's last attempt: cube has no way back to pending, so what waits for
/// another attempt is scheduled. What ends because it is not wanted any more is completed.
CubeState cube_state(TaskState state, std::uint32_t attempts);
/// cube's own table, in which a state may follow itself.
bool allowed(CubeState from, CubeState to);
/// The states to show after `from` up to `to`: one step of a task can be several of cube's, as when the news
/// of its start got lost. Empty if `to` is where it is, or cannot be reached.
std::span<const CubeState> cube_steps(CubeState from, CubeState to);
std::string_view name(CubeState state);

}  // namespace duet
