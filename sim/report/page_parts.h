// The parts of the page, each as HTML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/report/report.h"

namespace duet::sim::report {

/// The style sheet of the static page.
std::string_view style_sheet();

/// The answer in a sentence or a few.
std::string verdict_html(const Comparison& comparison, const std::vector<RunView>& views);
/// The tables right below it, and the complete ones, folded.
std::string tables_html(const Comparison& comparison, const std::vector<RunView>& views);
/// Differences per seed, and how long jobs waited.
std::string comparison_charts_html(const Comparison& comparison, const std::vector<RunView>& views);
/// How long the jobs of one run waited.
std::string waits_html(const RunView& view);
/// Load, queue, Gantt chart and heat strips of one run. `index` is the run's in the page's data.
std::string run_section_html(const RunView& view, std::size_t index, bool alone);
/// How to run it again, versions, hashes, digests.
std::string again_html(const Comparison& comparison, const std::vector<RunView>& views);

/// What the script draws from, as JSON that may stand in a script element.
std::string page_data(const std::vector<RunView>& views);

/// The script and its styles as they were built; empty if they were not.
std::string_view web_script();
std::string_view web_style();

}  // namespace duet::sim::report
