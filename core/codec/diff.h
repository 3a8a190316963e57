// The first difference of two traces, headers apart from decisions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/codec/trace_file.h"
#include "core/codec/trace_header.h"
#include "core/result.h"

namespace duet::codec {

/// The first step in which two traces differ.
struct StepDifference {
  std::uint64_t step = 0;            ///< From 1.
  std::vector<std::string> context;  ///< The common steps before it, one line of JSON each.
  std::string left;                  ///< The step as one line of JSON; empty if this trace has ended.
  std::string right;
};

struct TraceDifference {
  std::vector<HeaderDifference> header;
  std::optional<StepDifference> body;

  /// True if both made the same decisions, whatever their headers say.
  bool same_body() const { return !body.has_value(); }
};

/// Compares two traces. `context`: how many common steps to keep before the first difference. A Problem if
/// one of them is damaged before that difference.
Result<TraceDifference> diff(TraceReader& left, TraceReader& right, std::size_t context = 3);

/// For people; empty if there is no difference at all.
std::string to_text(const TraceDifference& difference);

}  // namespace duet::codec
