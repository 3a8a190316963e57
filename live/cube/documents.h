// cube's documents: what is posted to start a task, as a job, and a task as cube shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/facade_states.h"
#include "core/model.h"
#include "core/result.h"
#include "live/driver/cluster_view.h"
#include "live/runtime/task_command.h"

namespace duet::live::cube {

using Json = nlohmann::ordered_json;

/// By these labels of its payload a task is known to be cube's.
inline constexpr const char* kEventLabel = "cube.event";
inline constexpr const char* kTaskLabel = "cube.task";
/// Empty if it has none of that name.
std::string label(const TaskCommand& command, const char* name);

/// What is to become of a task, and the task: {"ID", "State", "Timestamp", "Task": {...}}.
struct TaskEvent {
  std::string id;  ///< Repeated, it is the same event.
  CubeState state = CubeState::kRunning;
  std::string task_id;
  std::string name;
  std::string image;
  Json task;  ///< With the members of its submitter, in cube's spelling and order.
};

/// Strict: members that cube does not know, and wrong types, are Problems; names are read in any case, as Go
/// does. What is left out is made up: ids are drawn. Beside cube's own members a task may have those by which
/// a process is named, in Docker's words: "Cmd", "Env" (["A=1"]), "WorkingDir".
Result<TaskEvent> read_event(std::string_view body);

/// What a manager asks those of its tasks that have a "HealthCheck", so often: three failures in a row, and
/// the task is ended. A worker that is not told otherwise is asked every 15 s.
HealthCheck health_check(std::chrono::seconds interval = std::chrono::seconds(15));

/// Restart policies and health checks are the manager's business: the jobs of a worker end when their process
/// does, and `check` is nothing there.
Result<JobSpecPtr> job_of(const TaskEvent& event, const std::optional<HealthCheck>& check);

/// Where a task, as its worker shows it, is asked whether it is healthy.
struct HealthPlace {
  std::uint16_t port = 0;  ///< The first one that is bound, by name, or that was chosen.
  std::string target;      ///< "/health"
};
/// Nothing if it has no health check, or no port yet.
std::optional<HealthPlace> health_place(const Json& task);

/// The event by which `command` is started on a worker as `event_id`.
Json event_for(const TaskCommand& command, const std::string& event_id, const std::string& name,
               const Resources& need);

/// A task that was submitted as such an event, as it stands.
struct ShownTask {
  JobId job;
  std::string event_id;
  std::string task_id;
  CubeState state = CubeState::kPending;
  bool live = false;
  Json json;  ///< As GET shows it.
};
/// Nothing if the job was not submitted so.
std::optional<ShownTask> shown(const JobView& job, const ClusterView& view, const Controller& machine);
/// The same of a job that ended before this controller began; `row` is what the store's history has of it.
std::optional<ShownTask> shown(JobId job, const std::string& row);

}  // namespace duet::live::cube
