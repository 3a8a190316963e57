// From runs to an answer: differences, how sure they are, and the sentence that says so.
#pragma once

#include <string>
#include <vector>

#include "sim/compare/comparison.h"
#include "sim/compare/runs.h"

namespace duet::sim {

/// Everything about the runs of a plan. `command` is what a shell must be told to do it again.
Comparison compare_runs(const RunPlan& plan, std::vector<ComparedRun> runs, std::string command);

/// Fills metrics, shown, objective (if empty), cells, confidence, verdicts and notices from the runs.
/// Differences are paired over seeds; intervals are interval_of_mean() at Comparison::confidence.
void conclude(Comparison& comparison);

/// The values of a metric by seed, ascending, of one variant of one scenario; runs without the metric are
/// left out.
std::vector<std::pair<std::uint64_t, double>> values_of(const Comparison& comparison, std::size_t scenario,
                                                        std::size_t variant, std::string_view metric);

/// a - b, over the seeds that both have.
std::vector<double> paired_differences(const std::vector<std::pair<std::uint64_t, double>>& a,
                                       const std::vector<std::pair<std::uint64_t, double>>& b);

/// The variants to look at where there is no room for all: the baseline and the best by the objective, at
/// most `most` (at least 1) of those that have it, in the order of Comparison::variants.
std::vector<std::size_t> best_variants(const Comparison& comparison, std::size_t scenario, std::size_t most);

/// One sentence: which variant is best by the objective, by how much, how surely; or that it is a tie.
std::string verdict_of(const Comparison& comparison, std::size_t scenario);

/// Four significant digits: "3479", "0.01235", "1.2e9". Beyond what is known, not shown.
std::string figure(double value);
/// A value with its metric's unit: "12.5 s", "37.2 %" stays to callers.
std::string with_unit(double value, const Metric* metric);
/// "12.3 %", signed if wanted.
std::string percent(double share, bool sign = false);

}  // namespace duet::sim
