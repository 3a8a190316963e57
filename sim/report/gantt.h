// The static drawing of who ran where, when: a Gantt chart, and beside it how busy each host was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/report/run_view.h"

namespace duet::sim::report {

/// What goes onto the time axis: from 0 to a little after the last bar, or the run's end if that is near.
std::int64_t shown_until(const RunView& view);

/// Bars on lanes as SVG, failures last and in their own colour, with a count of failures at the end of each
/// lane. Few bars carry their story as a title, many are merged where they could not be told apart.
std::string gantt_svg(const RunView& view);

/// Strips of one drawing.
inline constexpr std::size_t kMostStrips = 40;

/// One strip per host, or per group of hosts if there are more than kMostStrips: how much of its threads was
/// held, in seven shades, with the number where it is constant enough to be read.
std::string heat_svg(const RunView& view);

/// Failed attempts by lane.
std::vector<std::uint32_t> failures_by_lane(const RunView& view);

/// "demo.3, node n1, 0 s to 5 s, lost", for a tooltip.
std::string story_of(const RunView& view, const Bar& bar);

/// How much of the hosts' threads was held: rows of hosts (or groups of them), columns of equal parts of the
/// time shown, shares from 0 to 1.
struct Heat {
  std::vector<std::string> hosts;  ///< "n0", or of a group "n0 +24".
  std::vector<std::vector<double>> shares;
};
Heat heat_of(const RunView& view, std::size_t columns, std::size_t most_hosts);

}  // namespace duet::sim::report
