// Replay: the same machines, fed the recorded events, must give the recorded commands, byte for byte.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/codec/trace_file.h"
#include "core/result.h"

namespace duet::codec {

/// The first step that did not come out as recorded.
struct Divergence {
  std::uint64_t step = 0;    ///< From 1.
  std::uint64_t offset = 0;  ///< Of its frame in the file, in bytes.
  Instant now{};
  MachineIndex machine = 0;
  std::string what;                     ///< In words.
  std::string event;                    ///< JSON
  std::vector<std::string> recorded;    ///< Commands, JSON each.
  std::vector<std::string> recomputed;  ///< Commands, JSON each.
};

struct ReplayReport {
  std::uint64_t controller_steps = 0;
  std::uint64_t agent_steps = 0;
  std::uint64_t skipped = 0;  ///< Before the first Restore or Boot, where the run's first segments are gone.
  std::optional<TraceSummary> summary;    ///< Nothing if the replay stopped before the end.
  std::optional<std::string> unfinished;  ///< In words, that the trace lacks its end.
  std::optional<Divergence> divergence;

  /// 0 if all was as recorded, else 1.
  int exit_status() const { return divergence ? 1 : 0; }
};

/// Rebuilds controller and agents from the header and steps them through the trace. A controller's Restore
/// and an agent's Boot begin a new life. Also checks that after a controller's Wake its next deadline lies
/// ahead. Problems: the trace is damaged, or its header or its order of events is impossible. A trace that
/// verifies but was forged may hold events that no driver delivers, and stop the process: whoever replays
/// what others wrote does it in a process of its own. `step`, if not null, gets the number of each step
/// before it is taken, so that somebody can say which one that was.
Result<ReplayReport> replay(TraceReader& reader, std::atomic<std::uint64_t>* step = nullptr);

/// For people, several lines.
std::string to_text(const ReplayReport& report);

}  // namespace duet::codec
