// The answer in one sentence.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "sim/compare/compare.h"
#include "sim/compare/statistics.h"

namespace duet::sim {
namespace {

std::string enumerated(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return out;
}

/// How one variant stands to another by the objective.
struct Duel {
  std::size_t pairs = 0;
  double difference = 0;  ///< Of the first minus the second.
  std::optional<Interval> interval;
  bool equal = false;
  bool tie() const { return equal || (interval && interval->holds(0)); }
  bool certain() const {
    if (tie() || !interval) return false;
    return interval->low == interval->high || pairs >= kFewestPairs;
  }
};

class VerdictWriter {
 public:
  VerdictWriter(const Comparison& comparison, std::size_t scenario)
      : comparison_(comparison), scenario_(scenario), metric_(*find_metric(comparison.objective)) {}

  std::string write() {
    std::vector<std::size_t> with;
    for (std::size_t v = 0; v < comparison_.variants.size(); ++v)
      if (cell(v) != nullptr) with.push_back(v);
    if (with.empty()) return "no run has " + std::string(metric_.name) + '.';
    if (with.size() == 1) return alone(with.front());
    if (metric_.better == Better::kNeither) return spread(with);
    keep_common(with);
    const auto better = [&](std::size_t a, std::size_t b) {
      return metric_.better == Better::kLess ? mean(a) < mean(b) : mean(a) > mean(b);
    };
    best_ = *std::min_element(with.begin(), with.end(), better);
    // Of equals the baseline comes first: nothing is gained by leaving it.
    if (with.end() != std::find(with.begin(), with.end(), comparison_.baseline) &&
        !better(best_, comparison_.baseline))
      best_ = comparison_.baseline;
    return contest(with);
  }

 private:
  const ComparedCell* cell(std::size_t variant) const {
    return find_cell(comparison_, scenario_, comparison_.objective, variant);
  }
  using Seeded = std::vector<std::pair<std::uint64_t, double>>;

  /// Runs may be missing: who is better is a question about the seeds that all have.
  void keep_common(const std::vector<std::size_t>& with) {
    std::map<std::uint64_t, std::size_t> seen;
    for (const std::size_t v : with)
      for (const auto& [seed, value] : values_of(comparison_, scenario_, v, comparison_.objective))
        ++seen[seed];
    for (const auto& [seed, times] : seen)
      if (times == with.size()) common_.insert(seed);
  }
  Seeded values(std::size_t variant) const {
    Seeded all = values_of(comparison_, scenario_, variant, comparison_.objective);
    if (!common_.empty()) std::erase_if(all, [&](const auto& one) { return !common_.contains(one.first); });
    return all;
  }
  double mean(std::size_t variant) const {
    const Seeded all = values(variant);
    if (common_.empty() || all.size() == cell(variant)->runs) return cell(variant)->mean;
    double total = 0;
    for (const auto& [seed, value] : all) total += value;
    return total / static_cast<double>(all.size());
  }
  const std::string& name(std::size_t variant) const { return comparison_.variants[variant].name; }
  std::string unit(double value) const { return with_unit(value, &metric_); }
  std::string runs(std::size_t n) const { return std::to_string(n) + (n == 1 ? " seed" : " seeds"); }

  Duel duel(std::size_t a, std::size_t b) const {
    const auto differences = paired_differences(values(a), values(b));
    Duel duel;
    duel.pairs = differences.size();
    if (differences.empty()) return duel;
    duel.difference = mean_of(differences);
    duel.interval = interval_of_mean(differences, comparison_.confidence);
    duel.equal = std::all_of(differences.begin(), differences.end(), [](double d) { return d == 0; });
    return duel;
  }

  std::string alone(std::size_t variant) const {
    const ComparedCell& only = *cell(variant);
    std::string text = std::string(metric_.name) + " of " + name(variant) + " is " + unit(only.mean);
    if (only.runs > 1)
      text +=
          " on average over " + runs(only.runs) + " (" + figure(only.least) + " to " + unit(only.most) + ')';
    return text + '.';
  }

  std::string spread(const std::vector<std::size_t>& with) const {
    const auto [least, most] = std::minmax_element(
        with.begin(), with.end(), [&](std::size_t a, std::size_t b) { return mean(a) < mean(b); });
    return std::string(metric_.name) + " is neither good nor bad: " + unit(mean(*least)) + " with " +
           name(*least) + ", " + unit(mean(*most)) + " with " + name(*most) + '.';
  }

  std::string contest(const std::vector<std::size_t>& with) const {
    std::vector<std::string> tied;  // with the best
    bool baseline_tied = best_ == comparison_.baseline;
    std::size_t equal = 0;
    for (const std::size_t v : with) {
      if (v == best_) continue;
      const Duel d = duel(best_, v);
      equal += d.equal;
      if (d.tie()) tied.push_back(name(v));
      baseline_tied |= v == comparison_.baseline && d.tie();
    }
    const std::string extreme = metric_.better == Better::kLess ? "the least " : "the most ";
    if (tied.size() + 1 == with.size()) return tie(equal == tied.size(), with);
    std::string text;
    if (tied.empty()) {
      text = name(best_) + " has " + extreme + std::string(metric_.name) + ": " + unit(mean(best_));
    } else {
      std::vector<std::string> first = {name(best_)};
      first.insert(first.end(), tied.begin(), tied.end());
      text = enumerated(first) + " tie for " + extreme + std::string(metric_.name) + ": " + unit(mean(best_));
      text += tied.size() == 1 ? " with the first" : " with the first of them";
    }
    return text + (baseline_tied ? to_next(with, tied) : to_baseline()) + '.';
  }

  std::string tie(bool all_equal, const std::vector<std::size_t>& with) const {
    std::vector<std::string> names;
    for (const std::size_t v : with) names.push_back(name(v));
    std::string text = "a tie: " + enumerated(names);
    if (all_equal)
      return text + (with.size() == 2 ? " both" : " all") + " have " + unit(mean(best_)) + ' ' +
             std::string(metric_.name) + " with every seed.";
    double least = mean(with.front());
    double most = least;
    for (const std::size_t v : with) {
      least = std::min(least, mean(v));
      most = std::max(most, mean(v));
    }
    return text + " cannot be told apart by " + std::string(metric_.name) + " (" + figure(least) + " to " +
           unit(most) + ", " + runs(cell(best_)->runs) + ").";
  }

  /// How the best stands to the baseline, which is another one.
  std::string to_baseline() const {
    return cell(comparison_.baseline) == nullptr ? "; the baseline has none" : against(comparison_.baseline);
  }
  /// To the nearest that it beats.
  std::string to_next(const std::vector<std::size_t>& with, const std::vector<std::string>& tied) const {
    std::optional<std::size_t> next;
    for (const std::size_t v : with) {
      if (v == best_ || std::find(tied.begin(), tied.end(), name(v)) != tied.end()) continue;
      if (!next || std::abs(mean(v) - mean(best_)) < std::abs(mean(*next) - mean(best_))) next = v;
    }
    return next ? against(*next) : std::string();
  }
  std::string against(std::size_t other) const {
    const Duel d = duel(best_, other);
    if (d.pairs == 0) return "; " + name(other) + " has no seed in common with it";
    const double gap = std::abs(d.difference);
    std::string text = ", " + unit(gap);
    if (mean(other) != 0) text += " (" + percent(gap / std::abs(mean(other))) + ')';
    text += d.difference < 0 ? " less than " : " more than ";
    text += name(other);
    if (d.pairs == 1) return text + ", exactly, in one run of each";
    if (d.interval && d.interval->low == d.interval->high)
      return text + ", exactly, with each of " + runs(d.pairs);
    if (!d.certain())
      return text + ", but " + runs(d.pairs) + " are too few to be certain (at least " +
             std::to_string(kFewestPairs) + ')';
    const double low = std::min(std::abs(d.interval->low), std::abs(d.interval->high));
    const double high = std::max(std::abs(d.interval->low), std::abs(d.interval->high));
    return text + " (" + figure(low) + " to " + unit(high) + " at " + percent(comparison_.confidence) + ", " +
           runs(d.pairs) + ')';
  }

  const Comparison& comparison_;
  std::size_t scenario_;
  const Metric& metric_;
  std::size_t best_ = 0;
  std::set<std::uint64_t> common_;  ///< Seeds that all variants have; empty: none, or not asked for.
};

}  // namespace

std::string verdict_of(const Comparison& comparison, std::size_t scenario) {
  return comparison.scenarios[scenario] + ": " + VerdictWriter(comparison, scenario).write();
}

std::string figure(double value) {
  if (value == 0) return "0";
  if (!std::isfinite(value)) return value > 0 ? "infinite" : value < 0 ? "-infinite" : "none";
  const double size = std::abs(value);
  char digits[64];
  const auto text = [&](std::chars_format format, int precision) {
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, value, format, precision).ptr);
  };
  if (size >= 1e7 || size < 1e-4) return text(std::chars_format::scientific, 3);
  const int before = static_cast<int>(std::floor(std::log10(size))) + 1;
  std::string out = text(std::chars_format::fixed, std::clamp(4 - before, 0, 8));
  if (out.find('.') == std::string::npos) return out;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

std::string with_unit(double value, const Metric* metric) {
  if (metric == nullptr || metric->unit.empty()) return figure(value);
  return figure(value) + ' ' + std::string(metric->unit);
}

std::string percent(double share, bool sign) {
  const double rounded = std::round(share * 1000) / 10;
  std::string text = figure(rounded);
  if (sign && rounded > 0) text.insert(0, "+");
  return text + " %";
}

}  // namespace duet::sim
