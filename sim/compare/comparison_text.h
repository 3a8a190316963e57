// A comparison for terminals, spreadsheets and pull requests.
#pragma once

#include <string>

#include "core/result.h"
#include "sim/compare/comparison.h"
#include "sim/table.h"

namespace duet::sim {

/// The word for how a variant stands, with what keeps it from being certain: "better", "worse, one seed".
std::string standing_text(const ComparedCell& cell);

/// For the terminal: the verdicts, a table of the shown metrics per scenario, what else must be known.
std::string comparison_text(const Comparison& comparison);

/// One row per scenario, metric and variant; all metrics. For programs.
Table comparison_table(const Comparison& comparison);

/// One row per run, with all its metrics: results.csv.
Table runs_table(const Comparison& comparison);

/// Markdown for pull requests: verdicts, tables, how to run it again.
std::string comparison_markdown(const Comparison& comparison);

/// Writes results.csv, comparison.json and report.md into a folder that exists.
Problems write_comparison_files(const Comparison& comparison, const std::string& folder);

}  // namespace duet::sim
