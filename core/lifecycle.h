// The lifecycle of jobs, tasks and nodes, as tables: what is not listed here cannot happen.
#pragma once

#include <span>
#include <string_view>

#include "core/model.h"

namespace duet {

/// True if a thing in state `from` may go to state `to`. No state may go to itself.
bool allowed(JobState from, JobState to);
bool allowed(TaskState from, TaskState to);
bool allowed(NodeState from, NodeState to);

/// True if no transition leads out of `state`.
bool terminal(JobState state);
bool terminal(TaskState state);
/// True if the task has an attempt that holds resources.
bool active(TaskState state);

/// Lower-case words, as users read them.
std::string_view name(JobKind kind);
std::string_view name(JobState state);
std::string_view name(TaskState state);
std::string_view name(NodeState state);
std::string_view name(Outcome outcome);
std::string_view name(RestartPolicy policy);

/// All states, in the order of their declaration.
std::span<const JobState> job_states();
std::span<const TaskState> task_states();
std::span<const NodeState> node_states();

}  // namespace duet
