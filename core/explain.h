// Why a task is where it is, or why it waits. A run pays nothing for it: replay up to the moment in question,
// then ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/controller.h"

namespace duet {

/// What speaks against a node.
enum class Obstacle : std::uint8_t {
  kNeverSeen,  ///< Named in the inventory, never registered.
  kNotReady,   ///< Suspect, fenced or down.
  kDraining,
  kAvoided,    ///< A task of the group has just failed there, and another node has room.
  kNotAsking,  ///< A worker that pulls, and has not asked since it was given an operation.
  kNoCore,     ///< No core is wholly free, and the task wants one.
  kNoCpu,
  kNoMemory,
  kNoCountable,
};
/// "not_ready"
std::string_view name(Obstacle obstacle);

struct Objection {
  Obstacle obstacle;
  std::string text;  ///< "CPU: needs 2000 m, has 500 m free, short by 1500 m"
};

/// A node, or for an operation a worker, as a place for the task.
struct Candidate {
  NodeId node;  ///< Of a worker: its node.
  std::string name;
  std::vector<Objection> against;  ///< Everything; empty if the task fits.
  std::optional<double> score;     ///< Of the scheduler; nothing if it did not look at the node.
  std::uint32_t rank = 0;          ///< 1 = the best score; 0 = none.
};

/// How the nodes stand at one choice.
struct Choice {
  Request request;
  bool of_workers = false;           ///< An operation's: CPU then is load, in thousandths of a worker.
  std::string_view measure;          ///< What the scores are; empty if the queue itself chooses.
  std::size_t passed = 0;            ///< Entries of the queue that were before it and still wait.
  std::vector<Candidate> nodes;      ///< All, by id; of an operation the workers of its pool.
  std::optional<std::size_t> first;  ///< Index of the candidate with rank 1.
};

/// Catches one choice of a pass in the act.
class ChoiceWatcher final : public PassWatcher {
 public:
  /// Of the placements of a Wake, number `nth` is the one, counted from 0.
  ChoiceWatcher(const Cluster& cluster, std::size_t nth) : cluster_(cluster), nth_(nth) {}
  void choosing(const Plan& plan, const Waiting& waiting, const Scheduler* scheduler) override;
  void finished(const Plan& plan) override { before_ += plan.placed(); }
  /// Nothing if the passes did not come so far.
  const std::optional<Choice>& choice() const { return choice_; }

 private:
  const Cluster& cluster_;
  std::size_t nth_;
  std::size_t before_ = 0;  ///< Placements of earlier passes.
  std::optional<Choice> choice_;
};

/// Remembers what the queue has last kept for an entry that it could not start.
class ReservationWatcher final : public PassWatcher {
 public:
  struct Reservation {
    JobId job;
    Instant at = kNever;        ///< By the estimates; kNever: they do not tell.
    std::vector<NodeId> nodes;  ///< Empty: anywhere.
  };
  void reserved(const Plan&, const Waiting& waiting, Instant at, std::span<const NodeId> nodes) override {
    last_ = Reservation{waiting.job, at, {nodes.begin(), nodes.end()}};
  }
  const std::optional<Reservation>& last() const { return last_; }

 private:
  std::optional<Reservation> last_;
};

/// Why a task of a live job does not run.
struct Standing {
  enum class Why : std::uint8_t {
    kActive,        ///< It does: it has a place.
    kQueued,        ///< It stands in the queue.
    kBackoff,       ///< It failed, and waits before it stands in the queue again.
    kPredecessors,  ///< Groups that it comes after have not succeeded yet.
    kGang,          ///< Other members of its gang must end first.
    kIdle,          ///< A replica that is not desired at present.
    kOver,          ///< It has ended.
  };
  Why why = Why::kOver;
  std::size_t ahead = 0;             ///< Queued: entries before its own.
  std::uint64_t tasks_ahead = 0;     ///< Queued: tasks before it, in those entries and in its own.
  std::size_t entries = 0;           ///< Entries of the queue, all together.
  std::optional<JobId> head;         ///< The job of the queue's first entry.
  std::uint32_t width = 0;           ///< Queued: tasks of its entry.
  bool together = false;             ///< Queued: they start together or not at all.
  std::uint64_t room = 0;            ///< Queued: for so many of them there is room; at most `width`.
  std::optional<Duration> estimate;  ///< Queued: of each task's run time.
  Instant until;                     ///< Backoff.
  std::vector<std::uint32_t> on;     ///< The groups, or the members of the gang, that it waits for.
};
/// "queued"
std::string_view name(Standing::Why why);

Standing standing(const Controller& controller, TaskId task);

/// A rule that holds back what might let a task go on.
struct Restraint {
  enum class Kind : std::uint8_t {
    kCooldown,     ///< The pool of an operation that waits gets no further worker for a while.
    kMostWorkers,  ///< It has as many workers as it may have.
    kMassLoss,     ///< A node is dead to its detector, and is not given up yet: too many were lately.
  };
  Kind kind = Kind::kCooldown;
  std::string what;         ///< The pool, or the node.
  Instant since{};          ///< Cooldown: when the number of workers changed.
  Instant until = kNever;   ///< Cooldown: its end. kNever: not known.
  std::uint32_t count = 0;  ///< Most workers: their number.
};
/// "cooldown"
std::string_view name(Restraint::Kind kind);

/// What holds back this task of a live job at `now`, the instant of the controller's last step. Nodes count
/// for a task that has its place there, and for all that wait for a node.
std::vector<Restraint> restraints(const Controller& controller, TaskId task, Instant now);

/// How the nodes stand for a task of a live job right now, if its scheduler were to choose next.
Choice choice_now(const Controller& controller, TaskId task);

}  // namespace duet
