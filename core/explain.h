// Why a task is where it is: what the scheduler saw of every node when it chose. A pure function of the
// controller's state, so a run pays nothing for it: replay up to the decision, then ask.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/controller.h"

namespace duet {

/// A node, as a place for the task.
struct Candidate {
  NodeId node;
  std::string name;
  std::vector<std::string> refused;  ///< Every reason against it; empty if the task fits.
  std::optional<double> score;  ///< Of the scheduler, if the task fits and it compares; the highest wins.
};

struct Explanation {
  Request request;
  std::string queue;
  std::string scheduler;
  std::size_t ahead = 0;         ///< Entries before it in the queue.
  bool waiting = false;          ///< It stands in the queue.
  std::optional<NodeId> avoid;   ///< Where a task of its group has just failed.
  std::vector<Candidate> nodes;  ///< All, by id.
};

/// What the scheduler would see for a task of group `group` of a live job, after the same pass has placed
/// `earlier`. The job must live.
Explanation explain(const Controller& controller, JobId job, std::uint32_t group,
                    std::span<const TaskRecord> earlier);

}  // namespace duet
