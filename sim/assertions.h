// Assertions of a scenario: `metric relation bound`, such as makespan_s <= 120.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/scenario.h"

namespace duet::sim {

/// Which end of a metric is the good one.
enum class Better : std::uint8_t { kLess, kMore, kNeither };

/// A number that a run yields, and what it is. The definitions hold for both engines and for summary.json.
struct Metric {
  std::string_view name;
  std::string_view unit;  ///< "s", "J", "thread-s"; empty for counts, shares and ratios.
  Better better = Better::kNeither;
  std::string_view doc;
};
std::span<const Metric> known_metrics();
/// The metric of this name, or null.
const Metric* find_metric(std::string_view name);
/// The table of metrics in docs/scenario-format.md, in Markdown.
std::string metric_table();

/// The metrics of one run, by name.
using Metrics = std::map<std::string, double, std::less<>>;

/// What is wrong with the text of an assertion: bytes [begin, begin + length) of it.
struct AssertionMistake {
  std::size_t begin = 0;
  std::size_t length = 0;
  std::string what;
  std::string hint;
};
std::variant<Assertion, AssertionMistake> parse_assertion(std::string_view text);

/// How an assertion came out.
struct Verdict {
  const Assertion* assertion = nullptr;
  std::optional<double> actual;  ///< Nothing if the run yielded no such number, as a mean over no jobs.
  bool holds = false;            ///< False without a number.
};
/// In the order of the assertions, which must outlive the verdicts.
std::vector<Verdict> evaluate(const std::vector<Assertion>& assertions, const Metrics& metrics);

/// "makespan_s <= 120: 117.5", "makespan_s <= 120: it is 130.25", "...: this run has no makespan_s".
std::string to_text(const Verdict& verdict);

}  // namespace duet::sim
