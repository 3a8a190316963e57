// What a trace consists of: steps per machine, events and commands by kind, bytes, span.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/codec/trace_file.h"
#include "core/result.h"

namespace duet::codec {

/// Things of one kind, and the bytes they take in the trace.
struct KindCount {
  std::string kind;  ///< "submit", "send.launch", "publish.task_changed"; the agents' start with "agent.".
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

struct TraceStats {
  TraceSummary summary;
  Instant first{};                   ///< Of the first step.
  Instant last{};                    ///< Of the last step.
  std::vector<std::uint64_t> steps;  ///< By machine index, up to the highest that acts.
  std::vector<KindCount> events;     ///< By name.
  std::vector<KindCount> commands;   ///< By name.
  std::uint64_t frame_bytes = 0;  ///< Of lengths, machines, instants, links: what is no event and no command.
};

/// Reads the trace to its end.
Result<TraceStats> stats(TraceReader& reader);

/// One JSON object; instants in nanoseconds.
std::string to_json(const TraceStats& stats);
/// A table for people.
std::string to_text(const TraceStats& stats);

}  // namespace duet::codec
