// The work model as values: jobs, tasks, nodes, their states, and the records that outlive a controller.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/ids.h"
#include "core/resources.h"
#include "core/time.h"

namespace duet {

/// How the tasks of a job belong together.
enum class JobKind : std::uint8_t {
  kRigid,    ///< One task, or a gang of n equal tasks that start together or not at all.
  kBag,      ///< Independent tasks, run as capacity allows.
  kDag,      ///< Groups of tasks; a group waits until those it comes after have succeeded.
  kService,  ///< A desired number of equal replicas that run until the job is cancelled.
};

enum class JobState : std::uint8_t { kPending, kRunning, kSucceeded, kFailed, kCancelled };

enum class TaskState : std::uint8_t {
  kPending,   ///< Waits for a place.
  kStarting,  ///< Placed; its launch is on the way.
  kRunning,   ///< Its agent said that it started.
  kStopping,  ///< Told to end; its threads stay taken until the exit is confirmed.
  kSucceeded,
  kFailed,
  kCancelled,
  kIdle,  ///< A replica beyond the number that is desired at present.
};

enum class NodeState : std::uint8_t {
  kUnknown,  ///< Named in the inventory, never seen.
  kReady,
  kSuspect,  ///< Heartbeats are late: keeps its tasks, gets no new ones.
  kFenced,   ///< Registered again, still ending attempts that are no longer its own.
  kDown,
};

/// How an attempt ended.
enum class Outcome : std::uint8_t {
  kSucceeded,
  kFailed,        ///< Exited with another code than 0, or by a signal.
  kTimedOut,      ///< Killed by its agent at its timeout.
  kKilled,        ///< Ended because the controller asked for it.
  kLaunchFailed,  ///< Could not be started.
  kLost,          ///< Its node went down or came back without it, or the worker that executed it ended.
  kUnhealthy,     ///< Ended by its agent because it failed its health check.
};

/// What becomes of a replica whose attempt ended by itself.
enum class RestartPolicy : std::uint8_t {
  kAlways,     ///< It runs again.
  kOnFailure,  ///< It runs again if it failed, as often as the job's retries allow.
  kNeverAgain,
};

/// How a running attempt proves that it works. What it is asked stands in its payload, opaque to the core.
struct HealthCheck {
  Duration interval = std::chrono::seconds(10);  ///< From one probe to the next; above 0.
  Duration timeout = std::chrono::seconds(1);    ///< A probe without an answer for so long failed; above 0.
  Duration start_period{0};  ///< So long after its start, and until the first success, failures do not count.
  std::uint32_t failures = 3;  ///< So many in a row, and it is ended; above 0.

  bool operator==(const HealthCheck&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("interval", s.interval);
    v("timeout", s.timeout);
    v("start_period", s.start_period);
    v("failures", s.failures);
  }
};

/// What an attempt does. In a simulation one of the first two is positive; in a live run `payload` says what
/// to start.
struct Work {
  Duration duration{0};         ///< Wall time, independent of the processor; 0 = not given.
  std::int64_t operations = 0;  ///< Operations that each of its threads executes; 0 = not given.
  std::uint32_t weight = 1;     ///< Of its share, where several want a core at once; above 0.
  std::shared_ptr<const std::string> payload;  ///< Opaque to the core: command line, image, environment.
  std::optional<HealthCheck> health{};         ///< Nothing: it is ready as soon as it runs.

  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("duration", s.duration);
    v("operations", s.operations);
    v("weight", s.weight);
    v("payload", s.payload);
    v("health", s.health);
  }
  /// Payloads are compared by content.
  bool operator==(const Work& other) const {
    const bool same_payload =
        payload == other.payload || (payload && other.payload && *payload == *other.payload);
    return duration == other.duration && operations == other.operations && weight == other.weight &&
           health == other.health && same_payload;
  }
};

struct TaskSpec {
  Resources need;
  bool exclusive = false;  ///< Takes one whole slot (a core with all its threads), whatever need.cpu_m says.
  Work work;
  Duration estimate{0};         ///< The user's estimate of the run time; for scheduling only; 0 = none.
  Duration timeout{0};          ///< An attempt is killed this long after its start; 0 = never.
  std::string operation;        ///< What kind of work it is, for estimators that learn; may be empty.
  std::int64_t iterations = 0;  ///< How much of that work; 0 = not given.
  /// If not empty, the task is an operation: a worker of this pool executes it. It needs nothing of its own.
  std::string pool;

  bool operator==(const TaskSpec&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("need", s.need);
    v("exclusive", s.exclusive);
    v("work", s.work);
    v("estimate", s.estimate);
    v("timeout", s.timeout);
    v("operation", s.operation);
    v("iterations", s.iterations);
    v("pool", s.pool);
  }
};

/// `count` tasks of one specification.
struct TaskGroup {
  std::uint32_t count = 1;
  TaskSpec spec;
  std::vector<std::uint32_t> after{};  ///< In a DAG: groups that must have succeeded first; ascending.

  bool operator==(const TaskGroup&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("count", s.count);
    v("spec", s.spec);
    v("after", s.after);
  }
};

/// Makes the replicas of a service the workers of a pool: long-lived tasks that execute operations.
struct PoolSpec {
  std::string name;           ///< Operations name it; no two pools have the same at a time.
  std::uint32_t minimum = 0;  ///< Workers: the autoscaler does not go below, ...
  std::uint32_t maximum = 0;  ///< ... nor above; at least `minimum` and 1.
  std::uint32_t full_permille =
      800;  ///< No operation that would load a worker beyond this; an idle one takes any.
  std::uint32_t queue_limit = 0;  ///< Operations beyond so many that wait are refused; 0 = none are.
  bool pull = false;              ///< Workers get operations when they ask for one, one at a time.
  bool dry_run = false;           ///< The autoscaler only says what it would do.
  Duration cooldown_up{0};        ///< After a change of the number of workers, none up for so long, ...
  Duration cooldown_down{0};      ///< ... and none down.

  bool operator==(const PoolSpec&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("name", s.name);
    v("minimum", s.minimum);
    v("maximum", s.maximum);
    v("full_permille", s.full_permille);
    v("queue_limit", s.queue_limit);
    v("pull", s.pull);
    v("dry_run", s.dry_run);
    v("cooldown_up", s.cooldown_up);
    v("cooldown_down", s.cooldown_down);
  }
};

/// Of retries: there is no limit.
inline constexpr std::uint32_t kUnlimited = 0xffff'ffff;

struct JobSpec {
  std::string key;   ///< The submitter's own name for the job; opaque, need not be unique.
  std::string user;  ///< On whose behalf; may be empty.
  JobKind kind = JobKind::kRigid;
  /// At least one; exactly one if rigid or a service. Task indices run through the groups. (The record of a
  /// service that was updated has one for each version of which replicas may run, the current one last.)
  std::vector<TaskGroup> groups;
  /// Further attempts of a task (rigid: of the job) after failures of its own; kUnlimited: any number. A
  /// service heeds it only if its replicas run again on failure: then so many in a row.
  std::uint32_t retries = 0;
  std::int32_t priority = 0;       ///< For the queue `priority`: the highest first.
  std::string scheduler;           ///< Places its tasks, with default parameters; empty = the cluster's.
  Duration backoff{0};             ///< What failed by itself waits so long, twice as long each further time.
  std::optional<PoolSpec> pool{};  ///< Of a service whose replicas are workers.
  /// Nothing: a service's replicas run again always, other tasks as `retries` say.
  std::optional<RestartPolicy> restart{};

  bool operator==(const JobSpec&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("key", s.key);
    v("user", s.user);
    v("kind", s.kind);
    v("groups", s.groups);
    v("retries", s.retries);
    v("priority", s.priority);
    v("scheduler", s.scheduler);
    v("backoff", s.backoff);
    v("pool", s.pool);
    v("restart", s.restart);
  }
};

using JobSpecPtr = std::shared_ptr<const JobSpec>;

/// What a node has to give. Thread i sits on core i % cores, so threads i and i + cores are siblings.
struct NodeOffer {
  std::uint32_t cores = 1;             ///< Cores that tasks may use; reserved ones are not counted.
  std::uint32_t threads_per_core = 1;  ///< Hardware threads of a core.
  Resources capacity;                  ///< capacity.cpu_m = cores * threads_per_core * 1000.

  std::uint32_t threads() const { return cores * threads_per_core; }
  /// Bigger pools are counted, their threads are not told apart.
  bool threads_placed() const { return threads() <= ThreadSet::kMaxThreads; }
  /// False if no node can be so; agents are not trusted to count right.
  bool possible() const {
    const std::uint64_t all = std::uint64_t{cores} * threads_per_core;
    return all >= 1 && all <= 1'000'000 && capacity.cpu_m == static_cast<std::int64_t>(all) * kThread &&
           capacity.covers({});
  }

  bool operator==(const NodeOffer&) const = default;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("cores", s.cores);
    v("threads_per_core", s.threads_per_core);
    v("capacity", s.capacity);
  }
};

// ---- Records: durable truth, one value per key. A controller restored from them goes on where the old one
// stood.

/// Key: job. An accepted job that has not ended.
struct JobRecord {
  JobId job;
  Instant submitted;
  bool cancelled = false;     ///< Told to end; some tasks may still have to.
  std::uint32_t version = 0;  ///< Counts the updates of a service; its last group is that of this version.
  JobSpecPtr spec;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("job", s.job);
    v("submitted", s.submitted);
    v("cancelled", s.cancelled);
    v("version", s.version);
    v("spec", s.spec);
  }
};

/// Key: task. Absent while a task has never been placed.
struct TaskRecord {
  TaskId task;
  TaskState state = TaskState::kPending;
  std::uint32_t attempt = 0;          ///< Number of the last attempt.
  std::uint32_t failures = 0;         ///< Attempts that failed by themselves.
  std::uint32_t losses = 0;           ///< Attempts lost with their node.
  std::uint32_t version = 0;          ///< Of its job's specification, when the last attempt was placed.
  NodeId node;                        ///< Of the last attempt.
  std::optional<AttemptId> worker{};  ///< Of an operation: the worker that its last attempt was given to.
  ThreadSet threads;                  ///< Of the last attempt.
  Instant placed;                     ///< When the last attempt was placed.
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("task", s.task);
    v("state", s.state);
    v("attempt", s.attempt);
    v("failures", s.failures);
    v("losses", s.losses);
    v("version", s.version);
    v("node", s.node);
    v("worker", s.worker);
    v("threads", s.threads);
    v("placed", s.placed);
  }
};

/// Key: node.
struct NodeRecord {
  NodeId node;
  std::string name;
  Epoch epoch;
  bool draining = false;
  NodeOffer offer;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("node", s.node);
    v("name", s.name);
    v("epoch", s.epoch);
    v("draining", s.draining);
    v("offer", s.offer);
  }
};

/// Key: job. Replaces the records of the job and of its tasks.
struct EndRecord {
  JobId job;
  JobState state = JobState::kSucceeded;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("job", s.job);
    v("state", s.state);
  }
};

/// Key: the idempotency key. Which job it stands for, as long as a repeated submission may come.
struct KeyRecord {
  std::string key;
  JobId job;                      ///< 0: the key is forgotten, and nothing of it need be kept.
  std::uint64_t fingerprint = 0;  ///< Of what was submitted.
  Instant submitted;
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("key", s.key);
    v("job", s.job);
    v("fingerprint", s.fingerprint);
    v("submitted", s.submitted);
  }
};

using Record = std::variant<JobRecord, TaskRecord, NodeRecord, EndRecord, KeyRecord>;

}  // namespace duet
