// The names of all numbers that a controller shows to a Prometheus: what is not in this table is not shown.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace duet::live {

struct MetricEntry {
  enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram, kSummary };
  std::string_view name;  ///< As the table of its page shows it: base units, counters end with _total.
  Kind kind = Kind::kGauge;
  std::string_view labels;  ///< "state, node"; empty: none.
  std::string_view help;    ///< One sentence, with a full stop.
};

/// In the order in which people read them.
std::span<const MetricEntry> metric_table();

/// The table of docs/metrics.md, in Markdown.
std::string metric_markdown();

}  // namespace duet::live
