// Has anything become worse? A comparison held against an earlier one of the same scenarios, variants and
// seeds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "sim/compare/comparison.h"

namespace duet::sim {

/// A metric that moved, of one variant of one scenario, over the seeds of both comparisons.
struct Movement {
  std::string scenario;
  std::string variant;
  std::string metric;
  Standing standing = Standing::kDiffers;  ///< kWorse, kBetter or kDiffers.
  std::size_t pairs = 0;
  double before = 0;  ///< Means over the pairs.
  double after = 0;
  std::optional<double> relative;     ///< (after - before) / |before|; absent if that is 0.
  std::optional<double> probability;  ///< That it is chance, adjusted; absent if nothing was left to chance.
};

struct Regression {
  std::vector<Movement> moved;  ///< Worse ones first, then by scenario, variant and metric.
  std::size_t runs = 0;         ///< That both have.
  std::size_t changed = 0;      ///< Of these, those with another digest: other decisions.
  std::vector<std::string> notices;
  bool worse() const { return !moved.empty() && moved.front().standing == Standing::kWorse; }
};

/// Simulated metrics are exact: equal decisions give equal numbers, so what differs has changed. Whether it
/// has moved on the whole is another question: over six seeds or more, Student's paired t test must
/// say so at 0.1 %, all metrics that differ judged together (Holm); over fewer, all of them must have moved
/// the same way; one is a fact. Changes of the mean by no more than `tolerance`, a share, do not count.
/// Problems: the two have no run in common.
Result<Regression> hold_against(const Comparison& after, const Comparison& before, double tolerance);

/// What moved, a line each, and how many runs decided otherwise.
std::string regression_text(const Regression& regression);

/// "1%", "0.5 %", "0.01": a share from 0 to 1.
Result<double> parse_tolerance(std::string_view text);

}  // namespace duet::sim
