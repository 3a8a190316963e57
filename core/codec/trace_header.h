// What a trace says about itself before its body: everything a replay starts from, and where it came from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/result.h"
#include "core/time.h"

namespace duet::codec {

/// The version of the trace format that this code writes. It reads no other.
inline constexpr std::uint32_t kTraceFormat = 6;

/// Which part of a run a file holds, if the run is kept in several. The bodies of a run's segments, one
/// behind the other, are the body of the whole: what a segment continues is told here.
struct TraceSegment {
  std::string run;           ///< Tells runs apart: one life of a controller or of an agent.
  std::uint64_t number = 1;  ///< From 1.
  std::uint64_t steps = 0;   ///< In the segments before this one.
  std::uint64_t chain = 0;   ///< Chain value of the last frame before this one's first; 0 = there is none.
  Instant last{};            ///< Instant of that frame.

  bool operator==(const TraceSegment&) const = default;
};

struct TraceHeader {
  std::string duet_version;  ///< Of the program that wrote it; filled in by the writer if empty.
  std::string engine;        ///< "simgrid", "loop", "harness", "live".
  std::string driver;    ///< What kind of driver delivered the events, and whatever else tells runs apart.
  std::string scenario;  ///< Its name; empty if there is none.
  std::string
      scenario_hash;       ///< SHA-256 of its parsed and defaulted form, hexadecimal; empty if there is none.
  std::uint64_t seed = 0;  ///< Of the run.
  ControllerConfig controller;            ///< Machine 0.
  std::vector<AgentConfig> agents;        ///< Machine 1 + n is agent n.
  std::optional<TraceSegment> segment{};  ///< Nothing: the file holds the whole run.

  bool operator==(const TraceHeader&) const = default;
};

/// One line of JSON. Neighbouring agents that differ in their names only are written as one entry with all
/// names.
std::string to_json(const TraceHeader& header);
/// The inverse; strict, `where` of a Problem is a JSON pointer.
Result<TraceHeader> header_from_json(std::string_view text);

/// A member in which two headers differ.
struct HeaderDifference {
  std::string where;  ///< JSON pointer
  std::string left;   ///< JSON text; empty if absent.
  std::string right;
};
std::vector<HeaderDifference> header_differences(const TraceHeader& left, const TraceHeader& right);

}  // namespace duet::codec
