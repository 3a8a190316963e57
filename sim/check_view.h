// What the checkers know of a run, gathered from commands and from what truly ran; nothing of it is asked of
// the controller.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/machine.h"
#include "sim/scenario.h"

namespace duet::sim {

/// What attempts hold on one node, and whether that is possible.
class Ledger {
 public:
  explicit Ledger(const NodeOffer& offer);
  /// Books what an attempt of `spec` on `threads` takes. Empty if that was free, else what is wrong with it.
  std::string_view add(const TaskSpec& spec, const ThreadSet& threads);
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
  std::string_view crowded(const TaskSpec& spec, const ThreadSet& threads) const;
  void load(const TaskSpec& spec, const ThreadSet& threads, int sign);
  std::int64_t free_slots() const;

  NodeOffer offer_;
  Resources free_;
  std::vector<Load> loads_;  ///< By thread; empty on pools whose threads are not told apart.
};

/// One attempt as it truly went.
struct AttemptView {
  bool launched = false;  ///< The controller sent its launch.
  bool began = false;
  bool running = false;
  bool ended = false;  ///< Its agent saw its end, as `outcome` says.
  Outcome outcome = Outcome::kLost;
};

struct TaskView {
  TaskState state = TaskState::kPending;
  const TaskSpec* spec = nullptr;
  std::uint32_t group = 0;
  std::uint32_t number = 0;  ///< Of the last attempt.
  NodeId node;               ///< Of the last attempt, as are the threads.
  ThreadSet threads;
  bool booked = false;  ///< Its threads are known and stand in the node's ledger.
  std::uint32_t failures = 0;
  std::uint32_t losses = 0;
  std::vector<AttemptView> attempts;  ///< Number 1 first.

  bool active() const {
    return state == TaskState::kStarting || state == TaskState::kRunning || state == TaskState::kStopping;
  }
};

struct JobView {
  JobSpecPtr spec;
  JobState state = JobState::kPending;
  bool ended = false;
  bool cancelled = false;  ///< Somebody asked for its end, and it had not ended.
  std::vector<TaskView> tasks;
  std::uint32_t generation_counted = 0;  ///< A gang's attempts of this number have cost it a retry or a loss.
  std::uint32_t generation_stopped = 0;  ///< Of this number some were told to stop,
  std::uint64_t stopped_at_step = 0;     ///< in this step of the controller first.

  bool gang() const { return spec->kind == JobKind::kRigid && tasks.size() > 1; }
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
