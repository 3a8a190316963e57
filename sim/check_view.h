// What the checkers know of a run, gathered from commands and from what truly ran; nothing of it is asked of
// the controller.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/machine.h"
#include "sim/scenario.h"

namespace duet::sim {

/// What attempts hold on one node, and whether that is possible.
class Ledger {
 public:
  explicit Ledger(const NodeOffer& offer);
  /// What is wrong with an attempt, and which promise that breaks.
  struct Wrong {
    const char* invariant = nullptr;
    std::string_view what;
  };
  /// Books what an attempt of `spec` on `threads` takes. Nothing if that was free.
  std::optional<Wrong> add(const TaskSpec& spec, const ThreadSet& threads);
  void remove(const TaskSpec& spec, const ThreadSet& threads);
  /// How many tasks of `spec` still fit, at most `limit`.
  std::uint32_t copies(const TaskSpec& spec, std::uint32_t limit) const;
  const Resources& free() const { return free_; }

 private:
  struct Load {
    std::uint16_t whole = 0;   ///< Attempts that count on this thread alone.
    std::uint16_t shared = 0;  ///< Attempts that take a part of it.
  };
  Resources charge(const TaskSpec& spec) const;
  std::optional<Wrong> crowded(const TaskSpec& spec, const ThreadSet& threads) const;
  void load(const TaskSpec& spec, const ThreadSet& threads, int sign);
  std::int64_t free_slots() const;

  NodeOffer offer_;
  Resources free_;
  std::vector<Load> loads_;  ///< By thread; empty on pools whose threads are not told apart.
};

/// Shares its ownership with the job's specification of which it is a part.
using TaskSpecPtr = std::shared_ptr<const TaskSpec>;

inline TaskSpecPtr task_spec(const JobSpecPtr& job, std::uint32_t group) {
  return {job, &job->groups[group].spec};
}

/// An attempt that ended so was not ended by others.
inline bool of_its_own(Outcome outcome) {
  return outcome == Outcome::kSucceeded || outcome == Outcome::kFailed || outcome == Outcome::kTimedOut ||
         outcome == Outcome::kLaunchFailed || outcome == Outcome::kUnhealthy;
}

/// One attempt as it truly went.
struct AttemptView {
  bool launched = false;  ///< The controller sent its launch.
  bool began = false;
  bool running = false;
  bool ended = false;  ///< Its agent saw its end, as `outcome` says.
  Instant since;       ///< When it began.
  Outcome outcome = Outcome::kLost;
  TaskSpecPtr spec;                 ///< Which its service may have changed since.
  std::optional<AttemptId> worker;  ///< Of an operation.
  // What its agent heard of its health check.
  Instant counts_from;         ///< Failures before do not count.
  std::uint32_t failures = 0;  ///< In a row, that count.
};

/// What the controller said of a task. All that is durable of it is what a later controller starts from.
struct TaskFacts {
  TaskState state = TaskState::kPending;
  bool stored = false;        ///< Something was said of it, so it has a record.
  bool ready = false;         ///< It runs and can be relied on.
  bool booked = false;        ///< Its threads are known and stand in the node's ledger.
  std::uint32_t number = 0;   ///< Of the last attempt.
  std::uint32_t version = 0;  ///< Of its service, when that was placed.
  std::uint32_t failures = 0;
  std::uint32_t losses = 0;
  NodeId node;  ///< Of the last attempt, as are the threads and the specification.
  ThreadSet threads;
  TaskSpecPtr spec;
  std::optional<AttemptId> worker;  ///< Of an operation: to which its last attempt was given.

  bool active() const {
    return state == TaskState::kStarting || state == TaskState::kRunning || state == TaskState::kStopping;
  }
};

struct TaskView : TaskFacts {
  std::uint32_t group = 0;
  std::vector<AttemptView> attempts;  ///< Number 1 first.
  // The controller may forget these when it dies. Those of a gang stand with the first of it.
  std::optional<NodeId> failed_on;  ///< Where the last attempt that cost a retry failed,
  std::uint32_t failed_number = 0;  ///< and which that was.
  Instant not_before;               ///< The backoff after the last end by itself ends.
};

/// What the controller said of a job, as TaskFacts.
struct JobFacts {
  JobSpecPtr spec;
  JobState state = JobState::kPending;
  bool ended = false;
  std::optional<controller::IdempotencyKey> once;  ///< Under which it was submitted,
  Instant submitted;                               ///< and when.
  bool cancelled = false;                          ///< Somebody asked for its end, and it had not ended.
  std::uint32_t size = 0;                          ///< Tasks; of a service, as many as ever were desired.
  std::uint32_t version = 0;                       ///< How often a service was updated.
  std::uint32_t generation_counted = 0;  ///< A gang's attempts of this number have cost it a retry or a loss.
  std::uint32_t generation_stopped = 0;  ///< Of this number some were told to stop,
  std::uint64_t stopped_at_step = 0;     ///< in this step of the controller first.

  bool service() const { return spec->kind == JobKind::kService; }
  bool rigid() const { return spec->kind == JobKind::kRigid; }
  /// Replicas that a service should have: those of the lowest indices.
  std::uint32_t desired() const { return spec->groups.front().count; }
};

struct JobView : JobFacts {
  std::vector<TaskView> tasks;

  bool gang() const { return rigid() && tasks.size() > 1; }
  /// With whom the counts of a task stand: a gang's members share those of the first.
  TaskView& counts_of(TaskView& task) { return gang() ? tasks.front() : task; }
  const TaskView& counts_of(const TaskView& task) const { return gang() ? tasks.front() : task; }
  /// True if groups that this one of a DAG comes after have not all succeeded.
  bool blocked(std::uint32_t group) const;
  /// What the task will be when it is placed the next time.
  const TaskSpec& next_spec(const TaskView& task) const { return spec->groups[task.group].spec; }
};

/// What is durable of a job.
struct KeptJob {
  JobFacts facts;
  std::vector<TaskFacts> tasks;
};

struct NodeView {
  explicit NodeView(const NodeOffer& its) : offer(its), believed(its), true_load(its) {}

  NodeOffer offer;
  NodeState state = NodeState::kUnknown;
  bool draining = false;
  // The registration the controller granted last.
  BootNonce boot;
  Epoch epoch;
  std::map<BootNonce, std::uint32_t> highest_serial;  ///< Of the registrations heard, by life.
  // The agent, as seen from outside.
  bool on = false;
  std::uint32_t repeated = 0;   ///< Rounds of launches sent to it again since it last answered one,
  Instant repeated_at;          ///< and when the last was.
  Instant granted_at = kNever;  ///< Its last registration.
  bool wrong_clock = false;     ///< At some time in this run; or nobody looks at it.
  BootNonce agent_boot;
  Epoch agent_epoch;
  std::uint32_t asked_serial = 0;  ///< Of the last registration it asked for.
  std::vector<AttemptId> running;  ///< What truly runs there.
  std::vector<BootNonce> granted;  ///< By epoch - 1: to which life.
  Instant heard;                   ///< When a message of the current registration last came.

  Ledger believed;              ///< Of the attempts the controller has placed there.
  Ledger true_load;             ///< Of what runs there.
  Instant down_by = kNever;     ///< L3
  Instant ready_from = kNever;  ///< L4: from here on it must be Ready, as long as nothing happens to it.
};

}  // namespace duet::sim
