// What a comparison found: the runs, the variants they belong to, and how sure the differences are. Made by
// `duet compare`, read by everything that shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/assertions.h"

namespace duet::sim {

/// One value that distinguishes a variant: what was set, and to what, as `--set` takes it.
struct Setting {
  std::string pointer;  ///< JSON pointer into the scenario: /policies/queue
  std::string value;    ///< As text: easy

  bool operator==(const Setting&) const = default;
};

/// One point of the product of the axes. The first of a comparison is its baseline, unless it names another.
struct Variant {
  std::string name;  ///< Short and unique: "easy", "easy bin_pack".
  std::vector<Setting> settings;
};

/// One run of one variant of one scenario with one seed.
struct ComparedRun {
  std::size_t scenario = 0;  ///< Index in Comparison::scenarios.
  std::size_t variant = 0;   ///< Index in Comparison::variants.
  std::uint64_t seed = 0;
  Metrics metrics;
  std::string digest;  ///< "sha256:..."
  std::string ended;   ///< done, horizon or stalled.
  std::string folder;  ///< With jobs.csv, tasks.csv and summary.json, relative to the output folder.
  /// What went wrong, if anything: it did not end by itself (metrics are empty then), or an assertion failed.
  std::vector<std::string> failures;
};

/// How a variant stands against the baseline in one metric: paired over the seeds both have.
enum class Standing : std::uint8_t {
  kBaseline,
  kTie,  ///< The interval of the difference holds 0, or no pair differs.
  kBetter,
  kWorse,
  kDiffers,  ///< Certain, of a metric that is neither better nor worse.
  kUnknown,  ///< They differ, in too few pairs to be certain (below fewest_pairs()): an exact difference,
             ///< no more.
};

/// One metric of one variant of one scenario, over its seeds.
struct ComparedCell {
  std::string metric;
  std::size_t scenario = 0;
  std::size_t variant = 0;
  std::size_t runs = 0;  ///< That have the metric.
  double mean = 0;
  double least = 0;
  double most = 0;
  std::size_t pairs = 0;            ///< Seeds that this variant and the baseline have.
  double difference = 0;            ///< Mean of this minus the baseline over the pairs.
  std::optional<double> low, high;  ///< Bootstrap interval of the difference; see Comparison::confidence.
  std::optional<double> relative;   ///< difference / the baseline's mean; absent if that is 0.
  Standing standing = Standing::kBaseline;
};

/// A scheduler's measured cost, joined from a benchmark's file: `decision/POLICY/NODES`.
struct DecisionCost {
  std::string policy;
  std::uint64_t nodes = 0;
  double ns = 0;     ///< Per decision: the median of the repetitions.
  double noise = 0;  ///< Their spread, as a share of `ns`: 1.4826 * median distance from the median.
};

struct Comparison {
  std::string title;
  std::string version;                 ///< Of duet.
  std::string command;                 ///< What a shell must be told to do it again.
  std::vector<std::string> scenarios;  ///< Names, as the files give them.
  std::vector<std::string> scenario_files;
  std::vector<Variant> variants;
  std::size_t baseline = 0;
  std::vector<std::uint64_t> seeds;
  std::string objective;              ///< The metric the verdict is about.
  std::vector<std::string> metrics;   ///< Those that any run has, in the order of known_metrics().
  std::vector<ComparedRun> runs;      ///< By scenario, variant, seed.
  std::vector<ComparedCell> cells;    ///< By scenario, metric, variant.
  std::vector<std::string> verdicts;  ///< One sentence per scenario; the answer.
  /// Of the intervals of a metric: 1 - 0.05 / (variants - 1), so that all of them together hold at 95 %.
  double confidence = 0.95;
  std::string engine;
  std::vector<std::string> shown;    ///< Of `metrics`, those to show first; the objective leads.
  std::vector<DecisionCost> costs;   ///< By policy and nodes; empty without a benchmark's file.
  std::vector<std::string> notices;  ///< What a reader must know: runs that failed, seeds that are few.
};

/// "baseline", "tie", "better", "worse", "differs", "unknown"
std::string_view name_of(Standing standing);

/// The cell, or nothing if no run of that variant has the metric.
const ComparedCell* find_cell(const Comparison& comparison, std::size_t scenario, std::string_view metric,
                              std::size_t variant);

}  // namespace duet::sim
