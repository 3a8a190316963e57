#include "sim/compare/regression.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "sim/compare/compare.h"
#include "sim/compare/statistics.h"
#include "sim/diagnostics.h"

namespace duet::sim {
namespace {

constexpr double kSignificance = 0.001;
/// Of fewer differences Student's test cannot tell whether they are anything like normal.
constexpr std::size_t kFewestForTest = 6;

/// A metric that is not the same with every seed, and what has to be shown for it.
struct Suspicion {
  Movement movement;
  bool by_chance = true;  ///< It may be: `probability` decides.
  double probability = 1;
};

/// Two variants, or scenarios, of one name.
std::map<std::string, std::size_t> by_name(const std::vector<std::string>& names) {
  std::map<std::string, std::size_t> found;
  for (std::size_t i = 0; i < names.size(); ++i) found.emplace(names[i], i);
  return found;
}
std::vector<std::string> names_of(const std::vector<Variant>& variants) {
  std::vector<std::string> names;
  for (const Variant& variant : variants) names.push_back(variant.name);
  return names;
}

Standing direction(const Metric& metric, double difference) {
  if (metric.better == Better::kNeither) return Standing::kDiffers;
  return (difference < 0) == (metric.better == Better::kLess) ? Standing::kBetter : Standing::kWorse;
}

using Seeded = std::vector<std::pair<std::uint64_t, double>>;

double mean_over_common(const Seeded& values, const Seeded& others) {
  std::set<std::uint64_t> seeds;
  for (const auto& [seed, value] : others) seeds.insert(seed);
  std::vector<double> common;
  for (const auto& [seed, value] : values)
    if (seeds.contains(seed)) common.push_back(value);
  return mean_of(common);
}

/// By the ratios where there are any: a run with twice the wait has twice the noise. By the differences else,
/// and where the two point in different ways nothing is sure.
double probability_of(const Seeded& after, const Seeded& before, const std::vector<double>& differences) {
  const auto logarithms = [](const Seeded& values) {
    Seeded logs;
    for (const auto& [seed, value] : values) logs.emplace_back(seed, std::log(value));
    return logs;
  };
  const auto positive = [](const Seeded& values) {
    return std::all_of(values.begin(), values.end(), [](const auto& one) { return one.second > 0; });
  };
  if (!positive(after) || !positive(before)) return paired_t_probability(differences);
  const std::vector<double> ratios = paired_differences(logarithms(after), logarithms(before));
  const bool agree = (mean_of(ratios) > 0) == (mean_of(differences) > 0);
  return agree ? paired_t_probability(ratios) : 1;
}

/// Nothing if the metric is the same with every seed, or moved by no more than is tolerated, or in no one
/// way.
std::optional<Suspicion> suspicion(const Metric& metric, const Seeded& after, const Seeded& before,
                                   double tolerance) {
  const std::vector<double> differences = paired_differences(after, before);
  if (std::all_of(differences.begin(), differences.end(), [](double d) { return d == 0; }))
    return std::nullopt;
  Suspicion found;
  Movement& m = found.movement;
  m.metric = metric.name;
  m.pairs = differences.size();
  m.before = mean_over_common(before, after);
  m.after = mean_over_common(after, before);
  const double difference = mean_of(differences);
  if (m.before != 0) m.relative = difference / std::abs(m.before);
  if (m.relative && std::abs(*m.relative) <= tolerance) return std::nullopt;
  m.standing = direction(metric, difference);
  const auto [least, most] = std::minmax_element(differences.begin(), differences.end());
  if (differences.size() < kFewestForTest || *least == *most) {
    if (*least <= 0 && *most >= 0) return std::nullopt;
    found.by_chance = false;
    return found;
  }
  found.probability = probability_of(after, before, differences);
  return found;
}

class AgainstBaseline {
 public:
  AgainstBaseline(const Comparison& after, const Comparison& before, double tolerance)
      : after_(after), before_(before), tolerance_(tolerance) {}

  Result<Regression> hold() {
    const auto scenarios = by_name(before_.scenarios);
    const auto variants = by_name(names_of(before_.variants));
    for (std::size_t s = 0; s < after_.scenarios.size(); ++s)
      for (std::size_t v = 0; v < after_.variants.size(); ++v) {
        const auto scenario = scenarios.find(after_.scenarios[s]);
        const auto variant = variants.find(after_.variants[v].name);
        if (scenario != scenarios.end() && variant != variants.end())
          look(s, v, scenario->second, variant->second);
      }
    if (out_.runs == 0)
      return Problem{"--against", "the two comparisons have no run in common",
                     "the same scenarios, names of variants, and seeds"};
    if (out_.runs < before_.runs.size())
      out_.notices.push_back(std::to_string(before_.runs.size() - out_.runs) + " of the " +
                             std::to_string(before_.runs.size()) + " earlier runs have no counterpart");
    if (lost_ > 0)
      out_.notices.push_back("of " + std::to_string(lost_) + (lost_ == 1 ? " run" : " runs") +
                             " that ended before, nothing is known now");
    judge();
    return std::move(out_);
  }

 private:
  void look(std::size_t s, std::size_t v, std::size_t s0, std::size_t v0) {
    count_runs(s, v, s0, v0);
    for (const Metric& metric : known_metrics()) {
      const Seeded after = values_of(after_, s, v, metric.name);
      const Seeded before = values_of(before_, s0, v0, metric.name);
      auto found = suspicion(metric, after, before, tolerance_);
      if (!found) continue;
      found->movement.scenario = after_.scenarios[s];
      found->movement.variant = after_.variants[v].name;
      suspicions_.push_back(std::move(*found));
    }
  }
  void count_runs(std::size_t s, std::size_t v, std::size_t s0, std::size_t v0) {
    std::map<std::uint64_t, std::string_view> digests;
    std::set<std::uint64_t> ended;
    for (const ComparedRun& run : before_.runs)
      if (run.scenario == s0 && run.variant == v0) {
        digests.emplace(run.seed, run.digest);
        if (!run.metrics.empty()) ended.insert(run.seed);
      }
    for (const ComparedRun& run : after_.runs) {
      if (run.scenario != s || run.variant != v) continue;
      const auto found = digests.find(run.seed);
      if (found == digests.end()) continue;
      ++out_.runs;
      lost_ += run.metrics.empty() && ended.contains(run.seed);
      out_.changed += found->second != run.digest;
    }
  }
  void judge() {
    std::vector<double> probabilities;
    for (const Suspicion& s : suspicions_)
      if (s.by_chance) probabilities.push_back(s.probability);
    const std::vector<double> adjusted = holm(probabilities);
    std::size_t next = 0;
    for (Suspicion& s : suspicions_) {
      if (s.by_chance) {
        const double probability = adjusted[next++];
        if (probability >= kSignificance) continue;
        s.movement.probability = probability;
      }
      out_.moved.push_back(std::move(s.movement));
    }
    std::stable_sort(out_.moved.begin(), out_.moved.end(), [](const Movement& a, const Movement& b) {
      return (a.standing == Standing::kWorse) > (b.standing == Standing::kWorse);
    });
  }

  const Comparison& after_;
  const Comparison& before_;
  double tolerance_;
  std::vector<Suspicion> suspicions_;
  std::size_t lost_ = 0;  ///< Runs that ended before, and do not now.
  Regression out_;
};

}  // namespace

Result<Regression> hold_against(const Comparison& after, const Comparison& before, double tolerance) {
  return AgainstBaseline(after, before, tolerance).hold();
}

std::string regression_text(const Regression& regression) {
  std::string out;
  for (const Movement& m : regression.moved) {
    const Metric* metric = find_metric(m.metric);
    out += std::string(name_of(m.standing)) + ": " + printable(m.scenario) + ", " + printable(m.variant) +
           ": " + m.metric + ' ' + figure(m.before) + " -> " + with_unit(m.after, metric);
    out += m.relative ? " (" + percent(*m.relative, true) : std::string(" (from nothing");
    out += ", " + std::to_string(m.pairs) + (m.pairs == 1 ? " seed" : " seeds");
    if (m.probability)
      out += ", p " + (*m.probability < 1e-6 ? std::string("< 1e-6") : "= " + figure(*m.probability));
    out += ")\n";
  }
  if (regression.moved.empty()) out += "no metric has moved\n";
  out += regression.changed == 0
             ? "the same decisions in all " + std::to_string(regression.runs) + " runs\n"
             : std::to_string(regression.changed) + " of " + std::to_string(regression.runs) +
                   " runs decide otherwise than before\n";
  for (const std::string& notice : regression.notices) out += "note: " + printable(notice) + '\n';
  return out;
}

Result<double> parse_tolerance(std::string_view text) {
  std::string_view number = text;
  const bool percents = number.ends_with('%');
  if (percents) number.remove_suffix(1);
  while (number.ends_with(' ')) number.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (percents) value /= 100;
  if (error != std::errc{} || end != number.data() + number.size() || !(value >= 0 && value <= 1))
    return Problem{"--tolerance", backquoted(text) + " is no share", "a share from 0% to 100%, such as 1%"};
  return value;
}

}  // namespace duet::sim
