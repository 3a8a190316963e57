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
  std::string pool;  ///< Of an operation: whose workers execute it.
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
  std::vector<Restraint> restraints;      ///< Of a task whose job lives when the trace ends, or then.
  std::optional<Instant> asked;           ///< The instant in question, and what
  std::optional<std::string> unfinished;  ///< In words, that the trace lacks its end.
  std::optional<TaskState> state_then;    ///< state the task was in then.
};

/// What is to be explained.
struct ExplainQuestion {
  TaskId task;
  std::uint32_t number = 0;        ///< Of the attempt; 0: the last one, or why the task waits.
  std::optional<Instant> at = {};  ///< As if the run had ended with this instant; not with a number.
};

/// Explains the placement of an attempt of a task, or, if the task waits when the trace ends or at the
/// instant in question, why. Reads the trace twice. A Problem if there was no such task (by then), or no such
/// attempt, or if the run had ended. `progress`: see Walk.
Result<TaskExplanation> explain_task(const std::string& trace, const ExplainQuestion& question,
                                     std::atomic<std::uint64_t>* progress = nullptr);
/// The same of a trace in memory.
Result<TaskExplanation> explain_task(TraceReader first, TraceReader second, const ExplainQuestion& question,
                                     std::atomic<std::uint64_t>* progress = nullptr);

}  // namespace duet::codec
