#include "sim/compare/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "sim/compare/statistics.h"
#include "sim/diagnostics.h"

namespace duet::sim {
namespace {

/// What one looks at first.
constexpr std::array<std::string_view, 11> kUsual = {
    "makespan_s", "mean_wait_s", "p95_wait_s",   "max_wait_s",    "mean_bounded_slowdown", "utilization",
    "energy_j",   "jobs_failed", "jobs_refused", "tasks_retried", "scaling_actions"};

bool any_run_has(const Comparison& comparison, std::string_view metric) {
  return std::any_of(comparison.runs.begin(), comparison.runs.end(),
                     [&](const ComparedRun& run) { return run.metrics.contains(metric); });
}

/// Shows the objective, what was asked for, or else the usual ones of which not all values are 0.
void choose_metrics(Comparison& comparison) {
  comparison.metrics.clear();
  for (const Metric& metric : known_metrics())
    if (any_run_has(comparison, metric.name)) comparison.metrics.emplace_back(metric.name);
  if (comparison.objective.empty())
    comparison.objective = any_run_has(comparison, "mean_wait_s") ? "mean_wait_s" : "makespan_s";
  std::vector<std::string> shown = {comparison.objective};
  const auto add = [&](const std::string& name) {
    if (std::find(shown.begin(), shown.end(), name) == shown.end() && any_run_has(comparison, name))
      shown.push_back(name);
  };
  for (const std::string& name : comparison.shown) add(name);
  if (comparison.shown.empty())
    for (const std::string_view name : kUsual) {
      const auto says_something = [&](const ComparedRun& run) {
        const auto found = run.metrics.find(name);
        return found != run.metrics.end() && found->second != 0;
      };
      if (std::any_of(comparison.runs.begin(), comparison.runs.end(), says_something)) add(std::string(name));
    }
  comparison.shown = std::move(shown);
}

Standing standing_of(const ComparedCell& cell, bool all_zero, Better better, std::size_t fewest) {
  if (cell.pairs == 0) return Standing::kUnknown;
  if (all_zero) return Standing::kTie;
  if (!cell.low) return Standing::kUnknown;
  if (*cell.low <= 0 && 0 <= *cell.high) return Standing::kTie;
  if (*cell.low != *cell.high && cell.pairs < fewest) return Standing::kUnknown;
  if (better == Better::kNeither) return Standing::kDiffers;
  return (cell.difference < 0) == (better == Better::kLess) ? Standing::kBetter : Standing::kWorse;
}

using BySeed = std::vector<std::pair<std::uint64_t, double>>;

ComparedCell cell_of(const Comparison& comparison, const Metric& metric, std::size_t scenario,
                     std::size_t variant, const BySeed& values, const BySeed& baseline) {
  ComparedCell cell;
  cell.metric = metric.name;
  cell.scenario = scenario;
  cell.variant = variant;
  cell.runs = values.size();
  cell.least = cell.most = values.front().second;
  for (const auto& [seed, value] : values) {
    cell.mean += value / static_cast<double>(values.size());
    cell.least = std::min(cell.least, value);
    cell.most = std::max(cell.most, value);
  }
  // The mean of equal values is that value, whatever rounding says.
  if (cell.least == cell.most) cell.mean = cell.least;
  if (variant == comparison.baseline) return cell;
  const std::vector<double> differences = paired_differences(values, baseline);
  cell.pairs = differences.size();
  if (differences.empty()) {
    cell.standing = Standing::kUnknown;
    return cell;
  }
  cell.difference = mean_of(differences);
  if (const auto interval = interval_of_mean(differences, comparison.confidence)) {
    cell.low = interval->low;
    cell.high = interval->high;
  }
  double base = 0;  // over the pairs
  for (const auto& one : baseline)
    if (std::any_of(values.begin(), values.end(),
                    [&](const auto& other) { return other.first == one.first; }))
      base += one.second / static_cast<double>(differences.size());
  if (base != 0) cell.relative = cell.difference / std::abs(base);
  const bool all_zero = std::all_of(differences.begin(), differences.end(), [](double d) { return d == 0; });
  cell.standing = standing_of(cell, all_zero, metric.better, fewest_pairs(comparison.confidence));
  return cell;
}

void fill_cells(Comparison& comparison) {
  comparison.cells.clear();
  for (std::size_t s = 0; s < comparison.scenarios.size(); ++s)
    for (const std::string& name : comparison.metrics) {
      const Metric* metric = find_metric(name);
      const BySeed baseline = values_of(comparison, s, comparison.baseline, name);
      for (std::size_t v = 0; v < comparison.variants.size(); ++v) {
        const BySeed values = values_of(comparison, s, v, name);
        if (!values.empty()) comparison.cells.push_back(cell_of(comparison, *metric, s, v, values, baseline));
      }
    }
}

std::string where(const Comparison& comparison, const ComparedRun& run) {
  return comparison.scenarios[run.scenario] + ", " + comparison.variants[run.variant].name + ", seed " +
         std::to_string(run.seed);
}

/// Equal failures of many runs are one notice, with the first of them.
void note_failures(Comparison& comparison) {
  std::map<std::string, std::vector<const ComparedRun*>> by_what;
  for (const ComparedRun& run : comparison.runs) {
    if (run.ended == "failed")
      by_what["did not end: " + (run.failures.empty() ? "" : run.failures.front())].push_back(&run);
    else if (run.ended == "stalled")
      by_what["stalled: jobs wait that will never run"].push_back(&run);
    else if (!run.failures.empty())
      by_what["an assertion of the scenario does not hold"].push_back(&run);
  }
  for (const auto& [what, runs] : by_what) {
    const std::string first = where(comparison, *runs.front());
    std::string text = std::to_string(runs.size()) + (runs.size() == 1 ? " run: " : " runs: ") + what + " (" +
                       (runs.size() == 1 ? "" : "the first: ") + first;
    if (runs.front()->ended != "failed" && !runs.front()->failures.empty())
      text += ": " + runs.front()->failures.front();
    comparison.notices.push_back(text + ')');
  }
}

/// Seeds are no evidence where nothing is drawn from them.
void note_equal_seeds(Comparison& comparison) {
  if (comparison.seeds.size() < 2) return;
  const ComparedRun* first = nullptr;
  for (const ComparedRun& run : comparison.runs) {
    if (run.digest.empty()) return;
    const bool same = first != nullptr && first->scenario == run.scenario && first->variant == run.variant;
    if (same && first->digest != run.digest) return;
    if (!same) first = &run;
  }
  if (first != nullptr)
    comparison.notices.push_back("nothing is drawn from the seeds: each of them gives the same run");
}

void note_few_seeds(Comparison& comparison) {
  std::size_t most = 0;
  bool unknown = false;
  for (const ComparedCell& cell : comparison.cells) {
    most = std::max(most, cell.pairs);
    unknown |= cell.standing == Standing::kUnknown && cell.pairs > 1 && cell.metric == comparison.objective;
  }
  const std::size_t fewest = fewest_pairs(comparison.confidence);
  if (unknown && most < fewest)
    comparison.notices.push_back("too few seeds to be certain: " + std::to_string(most) + ", of at least " +
                                 std::to_string(fewest) + " for " +
                                 std::to_string(comparison.variants.size()) + " variants");
}

}  // namespace

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::kBaseline:
      return "baseline";
    case Standing::kTie:
      return "tie";
    case Standing::kBetter:
      return "better";
    case Standing::kWorse:
      return "worse";
    case Standing::kDiffers:
      return "differs";
    case Standing::kUnknown:
      break;
  }
  return "unknown";
}

const ComparedCell* find_cell(const Comparison& comparison, std::size_t scenario, std::string_view metric,
                              std::size_t variant) {
  auto cell = std::partition_point(comparison.cells.begin(), comparison.cells.end(),
                                   [&](const ComparedCell& one) { return one.scenario < scenario; });
  for (; cell != comparison.cells.end() && cell->scenario == scenario; ++cell)
    if (cell->variant == variant && cell->metric == metric) return &*cell;
  return nullptr;
}

std::vector<std::pair<std::uint64_t, double>> values_of(const Comparison& comparison, std::size_t scenario,
                                                        std::size_t variant, std::string_view metric) {
  BySeed values;
  // Runs are ordered by scenario and variant.
  const std::pair wanted(scenario, variant);
  auto run = std::partition_point(comparison.runs.begin(), comparison.runs.end(), [&](const ComparedRun& r) {
    return std::pair(r.scenario, r.variant) < wanted;
  });
  for (; run != comparison.runs.end() && std::pair(run->scenario, run->variant) == wanted; ++run) {
    const auto found = run->metrics.find(metric);
    if (found != run->metrics.end()) values.emplace_back(run->seed, found->second);
  }
  std::sort(values.begin(), values.end());
  return values;
}

std::vector<double> paired_differences(const std::vector<std::pair<std::uint64_t, double>>& a,
                                       const std::vector<std::pair<std::uint64_t, double>>& b) {
  std::vector<double> differences;
  auto other = b.begin();
  for (const auto& [seed, value] : a) {
    while (other != b.end() && other->first < seed) ++other;
    if (other != b.end() && other->first == seed) differences.push_back(value - other->second);
  }
  return differences;
}

std::vector<std::size_t> best_variants(const Comparison& comparison, std::size_t scenario, std::size_t most) {
  std::vector<std::pair<double, std::size_t>> ranked;
  const Metric* metric = find_metric(comparison.objective);
  const Better better = metric == nullptr ? Better::kNeither : metric->better;
  for (std::size_t v = 0; v < comparison.variants.size(); ++v)
    if (const ComparedCell* cell = find_cell(comparison, scenario, comparison.objective, v)) {
      const double mean = std::isfinite(cell->mean) ? cell->mean : std::numeric_limits<double>::max();
      ranked.emplace_back(better == Better::kLess ? mean : better == Better::kMore ? -mean : 0, v);
    }
  std::stable_sort(ranked.begin(), ranked.end(), [&](const auto& a, const auto& b) {
    const bool first = a.second == comparison.baseline;
    const bool second = b.second == comparison.baseline;
    return first != second ? first : a.first < b.first;
  });
  if (ranked.size() > most) ranked.resize(most);
  std::vector<std::size_t> chosen;
  for (const auto& [rank, variant] : ranked) chosen.push_back(variant);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

void conclude(Comparison& comparison) {
  const std::size_t others = std::max<std::size_t>(1, comparison.variants.size() - 1);
  comparison.confidence = 1 - 0.05 / static_cast<double>(others);
  comparison.verdicts.clear();
  comparison.notices.clear();
  choose_metrics(comparison);
  fill_cells(comparison);
  for (std::size_t s = 0; s < comparison.scenarios.size(); ++s)
    comparison.verdicts.push_back(verdict_of(comparison, s));
  note_failures(comparison);
  note_equal_seeds(comparison);
  note_few_seeds(comparison);
}

Comparison compare_runs(const RunPlan& plan, std::vector<ComparedRun> runs, std::string command) {
  Comparison comparison;
  comparison.title = plan.experiment.title;
  comparison.version = DUET_VERSION;
  comparison.command = std::move(command);
  comparison.scenarios = plan.names;
  comparison.scenario_files = plan.experiment.scenarios;
  comparison.variants = plan.variants;
  comparison.baseline = plan.baseline;
  comparison.engine = plan.experiment.engine;
  std::set<std::uint64_t> seeds;
  for (const ComparedRun& run : runs) seeds.insert(run.seed);
  comparison.seeds.assign(seeds.begin(), seeds.end());
  comparison.objective = plan.experiment.objective;
  comparison.shown = plan.experiment.metrics;
  comparison.runs = std::move(runs);
  conclude(comparison);
  if (comparison.title.empty()) {
    for (const std::string& name : comparison.scenarios)
      comparison.title += (comparison.title.empty() ? "" : ", ") + name;
  }
  return comparison;
}

}  // namespace duet::sim
