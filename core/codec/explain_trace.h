// Explains a decision of a recorded run: replays the controller up to it, then asks the core.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/codec/task_story.h"
#include "core/explain.h"
#include "core/result.h"

namespace duet::codec {

struct TaskExplanation {
  TaskId task;
  std::string key;  ///< Its job's.
  Instant submitted;
  std::string queue;
  std::string scheduler;
  std::vector<Chapter> story;
  /// The placement explained; nothing: how it stands at the end of the trace is.
  std::optional<TaskRecord> placed;
  /// Which of the candidates it went to: a node, or for an operation a worker.
  std::size_t chosen() const { return placed->worker ? placed->worker->task.index : placed->node.value; }
  std::uint64_t step = 0;  ///< Of that placement, or the trace's last.
  Instant at;
  std::optional<Choice> choice;                             ///< Nothing if it ended without a place.
  std::optional<Standing> standing;                         ///< If no placement is explained.
  std::optional<ReservationWatcher::Reservation> reserved;  ///< By the last pass, if it still stands.
  std::vector<std::string> reserved_nodes;                  ///< Their names.
};

/// Explains the placement of attempt `number` of the task. If that is 0: of its last attempt, or, if the task
/// waits when the trace ends, why. Reads the trace twice. `progress`: see Walk.
Result<TaskExplanation> explain_task(const std::string& trace, TaskId task, std::uint32_t number,
                                     std::atomic<std::uint64_t>* progress = nullptr);
/// The same of a trace in memory.
Result<TaskExplanation> explain_task(TraceReader first, TraceReader second, TaskId task, std::uint32_t number,
                                     std::atomic<std::uint64_t>* progress = nullptr);

}  // namespace duet::codec
