// What a comparison is to find out: scenarios, what is varied in them, the seeds, and the metric that
// decides. From a file or from the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sim/compare/comparison.h"

namespace duet::sim {

/// One point of an axis.
struct AxisValue {
  std::string name;   ///< In tables. Two points of one axis may have one value, but not one name.
  std::string value;  ///< As `--set` takes it.
  bool operator==(const AxisValue&) const = default;
};

/// What is varied: a set of values for one place of the scenarios.
struct Axis {
  std::string pointer;  ///< JSON pointer into the scenario.
  std::vector<AxisValue> values;
};

struct Experiment {
  std::string title;
  std::vector<std::string> scenarios;  ///< Paths.
  std::vector<Axis> axes;              ///< Every variant has one value of each.
  std::vector<std::uint64_t> seeds;    ///< Ascending; empty: each scenario's own.
  std::string engine;                  ///< Empty: simgrid.
  std::string objective;               ///< Empty: mean_wait_s, or makespan_s where nothing waits.
  std::string baseline;                ///< A variant's name; empty: the first one.
  std::vector<std::string> metrics;    ///< To show; empty: the usual ones.
};

/// More runs than this are nobody's intention.
inline constexpr std::size_t kMostRuns = 1'000'000;

struct ParsedExperiment {
  std::optional<Experiment> experiment;
  std::string rendered;                   ///< All mistakes, with lines and carets.
  std::vector<std::string> notices = {};  ///< Of points given twice.
  explicit operator bool() const { return experiment.has_value(); }
};

/// Interprets `text`; `source` names it in mistakes, and scenarios are found relative to its folder.
ParsedExperiment parse_experiment(std::string text, const std::string& source);

/// True if the file is an experiment and no scenario: an object with `scenarios` or `axes`.
bool is_experiment(const std::string& path);
ParsedExperiment load_experiment(const std::string& path);

/// The JSON Schema of experiments, for editors: scenarios/experiments/experiment.schema.json.
std::string experiment_schema();

/// "1..30", "1,2,5", "1..3,9": ascending, each once.
Result<std::vector<std::uint64_t>> parse_seeds(std::string_view text);

/// "/policies/queue=fcfs,easy" or, for short, "queue=fcfs,easy". Commas within JSON do not part values. Says
/// in `notices` which values are given twice: an axis is a set.
Result<Axis> parse_axis(std::string_view text, std::vector<std::string>& notices);

/// Splits at commas that stand outside of brackets and strings: one value at least, some may be empty.
std::vector<std::string> split_values(std::string_view text);

/// The cartesian product, the last axis fastest. Without axes one variant, the scenarios as they are.
/// Problems: two variants of one name, more than kMostRuns.
Result<std::vector<Variant>> variants_of(const std::vector<Axis>& axes);

}  // namespace duet::sim
