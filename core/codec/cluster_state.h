// The cluster as the controller holds it at one moment, in the order in which people read it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/controller.h"

namespace duet::codec {

/// An attempt that holds room.
struct AttemptState {
  AttemptId id;
  TaskState state = TaskState::kStarting;
  ThreadSet threads;  ///< Empty where threads are not told apart.
};

/// Of a node, by id.
std::vector<AttemptState> attempts_on(const Controller& controller, NodeId node);
/// Of all nodes.
std::size_t attempts_in(const Controller& controller);

/// Tasks that wait, but not in the queue.
struct WaitElsewhere {
  std::vector<std::pair<Instant, TaskId>> backoffs;  ///< Until when; ascending.
  std::uint64_t blocked = 0;                         ///< Of DAGs, whose predecessors have not succeeded.
};
WaitElsewhere wait_elsewhere(const Controller& controller);

/// "ready", "suspect, draining"
std::string state_text(const ClusterNode& node);

/// What waits: for nodes first, then for the workers of each pool, each in the order of its queue.
std::vector<const Waiting*> queue_entries(const Controller& controller);
/// Tasks of the queue's entries, all together.
std::uint64_t queued_tasks(const Controller& controller);

/// "job 7 `render`, group 2"; the group only if there are several.
std::string entry_text(const Controller& controller, const Waiting& waiting);

}  // namespace duet::codec
