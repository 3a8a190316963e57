// Explains a decision of a recorded run: replays the controller up to it, then asks the core.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "core/codec/trace_file.h"
#include "core/explain.h"
#include "core/result.h"

namespace duet::codec {

struct TaskExplanation {
  TaskId task;
  std::optional<TaskRecord> placed;  ///< The placement explained; nothing if the task waits at the end.
  std::uint64_t step = 0;            ///< Of that placement, or the trace's last.
  Instant at;
  Instant submitted;
  Explanation why;
};

/// Explains the placement of attempt `number` of the task, or of its last attempt if 0; if it has never been
/// placed, why it waits at the end of the trace. Reads the trace twice. `step`: see replay().
Result<TaskExplanation> explain_task(const std::string& trace, TaskId task, std::uint32_t number,
                                     std::atomic<std::uint64_t>* step = nullptr);

}  // namespace duet::codec
