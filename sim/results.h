// What a run leaves behind: one row per job and task, in memory while it runs, written out at its end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"

namespace duet::sim {

/// One submitted job. Instants that never came are kNever.
struct JobRow {
  JobId id;  ///< 0 if it was refused.
  JobState state = JobState::kPending;
  bool repeated = false;        ///< The submission was answered with the job of an earlier one.
  std::uint16_t pool = 0xffff;  ///< Of a service: whose workers its replicas are, as the driver counts pools.
  std::uint32_t first_task = 0;  ///< Index of its first row in Results::tasks; rows of a job are contiguous.
  std::uint32_t tasks = 0;
  std::uint32_t user = 0;  ///< Which of Results::users.
  Instant submitted;
  Instant started = kNever;      ///< First start among the last attempts of its tasks.
  Instant ended = kNever;        ///< When its last attempt ended.
  std::int64_t cpu_m = 0;        ///< Asked for by all its tasks together.
  std::int64_t estimate_ns = 0;  ///< 0 = none
  std::string key;
  JobKind kind = JobKind::kRigid;
  bool workers = false;    ///< A service whose replicas execute operations.
  bool operation = false;  ///< Its tasks run on such workers.

  bool service() const { return kind == JobKind::kService; }
};

/// The last attempt of one task.
struct TaskRow {
  Instant started = kNever;
  Instant ended = kNever;
  std::uint32_t node = 0;  ///< Meaningful if attempts > 0.
  std::uint32_t attempts = 0;
  TaskState state = TaskState::kPending;
  Outcome outcome = Outcome::kSucceeded;
  std::uint32_t threads = 0;  ///< Which of Results::thread_sets it holds; 0, the empty one, on counted pools.
  std::uint32_t width = 0;    ///< Hardware threads it was given.
  std::uint32_t need_m = 0;   ///< Millicores it asks for; of an operation kOperation + its expected load.

  static constexpr std::uint32_t kOperation = 0x8000'0000U;
};

/// An attempt that was not its task's last; or the end of a task that never had one, then its number is 0.
struct EarlierAttempt {
  AttemptId id;
  std::uint32_t node = 0;  ///< This and what follows: meaningful if the number is not 0.
  std::uint32_t threads = 0;
  std::uint32_t width = 0;
  Outcome outcome = Outcome::kLost;
  Instant started = kNever;
  Instant ended = kNever;  ///< kNever: nobody heard of its end before the next one was placed.
};

/// What the controller believed of a node from an instant on.
struct NodeChange {
  Instant at;
  std::uint32_t node = 0;
  NodeState state = NodeState::kUnknown;
  bool draining = false;
};

/// What was executed, for replaying the same load on a bare engine (--export-raw): start, operations, end,
/// where.
struct Execution {
  double start_s = 0;  ///< By the engine's clock, which is finer than instants.
  double operations = 0;
  double end_s = 0;
  std::uint32_t task = 0;    ///< Row in Results::tasks.
  std::uint32_t thread = 0;  ///< node * threads of a node + thread.
};

struct Results {
  std::vector<JobRow> jobs;  ///< In submission order.
  std::vector<TaskRow> tasks;
  std::map<std::uint32_t, std::string> refusals;    ///< Why the jobs in these rows were refused.
  std::vector<std::string> users{""};               ///< Each once; the first is nobody in particular.
  std::vector<ThreadSet> thread_sets{ThreadSet{}};  ///< Each once: a cluster has few, a run has many tasks.
  std::vector<Execution> executions;                ///< Kept only if asked for.
  std::vector<EarlierAttempt> earlier;              ///< As they were followed by others.
  std::vector<NodeChange> node_changes;             ///< As they came.
  Instant end;                                      ///< Of the simulated time.
  bool stalled = false;                             ///< Stopped because waiting jobs could never run.
  std::string stall_cause;                          ///< What they wait for; empty if it did not stall.
  bool horizon_reached = false;

  std::uint64_t attempts = 0;
  std::uint64_t attempts_failed = 0;  ///< Failed or timed out by themselves.
  std::uint64_t attempts_lost = 0;    ///< With their node.
  std::uint64_t scaled_up = 0;        ///< Times an autoscaler made a pool larger, ...
  std::uint64_t scaled_down = 0;      ///< ... and smaller.
  std::uint64_t flaps = 0;            ///< Scalings that the opposite undid within kFlapWindow.
  std::optional<double> over_provisioned,
      under_provisioned;           ///< Mean workers too many, too few; see PoolMeters.
  std::uint64_t nodes_lost = 0;    ///< Times a node was declared down, ...
  std::uint64_t false_alarms = 0;  ///< ... of these, while nothing was wrong with it.
  std::optional<double> mean_detection_s, max_detection_s;  ///< From the trouble to the declaration.
  std::uint64_t nodes_down = 0;                             ///< Nodes that were down at the end.
  Instant last_attempt_end;                                 ///< Of any attempt; 0 if none ended.
  std::int64_t busy_cpu_s = 0;  ///< Sum over attempts of width * run time, in whole thread-seconds,
  std::int64_t busy_cpu_ns =
      0;                     ///< and the rest of it: nanoseconds alone would overflow after 292 core-years.
  double used_cpu_s = 0;     ///< Of the busy time, what was used; see the metric used_core_s.
  double lost_cpu_s = 0;     ///< Sum over attempts that did not succeed, of no service, of width * run time.
  double waited_s = 0;       ///< How long some task waited.
  double fragmentation = 0;  ///< See CapacityMeter.
  std::optional<std::int64_t> estimate_error_ppm;  ///< As the controller's estimator says of itself.
  std::vector<double> energy_j;  ///< By node, from instant 0 to `end`; empty if no type has a power model.
  double energy_idle_j = 0;      ///< What all of them would have drawn with nothing to run.
  std::uint64_t instants = 0;
  std::uint64_t messages = 0;
  std::uint64_t steps = 0;  ///< Steps of all machines.
};

/// Counts `width` threads that were busy for `ran`.
void add_busy(Results& results, Duration ran, std::uint32_t width);
/// Sets when jobs started and ended from their tasks' rows.
void date_jobs(Results& results);

}  // namespace duet::sim
