// A trace as JSON Lines, whole or filtered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/codec/atomic_file.h"
#include "core/codec/trace_file.h"
#include "core/result.h"

namespace duet::codec {

/// Which steps, and which of their commands, are wanted. Without conditions: all.
struct TraceFilter {
  std::optional<JobId> job;             ///< Only what names this job, or a task of it.
  std::optional<std::uint32_t> task;    ///< With `job`: nothing that names other tasks of it only.
  std::optional<MachineIndex> machine;  ///< Only steps of this machine.
  Instant from = Instant::min();
  Instant to = Instant::max();  ///< Included.
};

/// Reads "17", "17.0" or "17.0#1" (the attempt is not looked at) into a filter; a Problem if it is none of
/// these.
Result<TraceFilter> filter_by_task(const std::string& text);

/// Reads "17" (its first task), "17.0" or "17.0#1"; number 0 if no attempt is named.
Result<AttemptId> attempt_by_text(const std::string& text);

struct CatOptions {
  TraceFilter filter;
  bool framed =
      false;  ///< With the lines {"header":...} and {"end":...}, as TraceOutput::jsonl() writes them.
};

/// Writes the wanted steps, one line each, and returns their number. With a job, a step's other commands
/// are left out. If a damaged frame is met, the lines before it have been written.
Result<std::uint64_t> cat(TraceReader& reader, const CatOptions& options, TextSink& to);

/// One frame as a line of JSON without a line break. False if its bytes are no step.
bool render_frame(std::string& out, const Frame& frame);

}  // namespace duet::codec
