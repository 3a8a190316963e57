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

/// Nobody reads a sentence with more names than five.
std::string enumerated(std::vector<std::string> words) {
  constexpr std::size_t kMost = 5;
  if (words.size() > kMost) {
    const std::string others = std::to_string(words.size() - kMost + 1) + " others";
    words.resize(kMost - 1);
    words.push_back(others);
  }
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
};

class VerdictWriter {
 public:
  VerdictWriter(const Comparison& comparison, std::size_t scenario)
      : comparison_(comparison),
        scenario_(scenario),
        metric_(*find_metric(comparison.objective)),
        fewest_(fewest_pairs(comparison.confidence)) {}

  std::string write() {
    std::vector<std::size_t> with;
    for (std::size_t v = 0; v < comparison_.variants.size(); ++v)
      if (cell(v) != nullptr) with.push_back(v);
    if (with.empty()) return "no run has " + metric() + '.';
    if (with.size() == 1) return alone(with.front());
    keep_common(with);
    if (common_.empty())
      return names_of(with) + " cannot be compared: there is no seed with which all of them have " +
             metric() + '.';
    if (metric_.better == Better::kNeither) return spread(with) + without(with) + '.';
    const auto better = [&](std::size_t a, std::size_t b) {
      return metric_.better == Better::kLess ? mean(a) < mean(b) : mean(a) > mean(b);
    };
    best_ = *std::min_element(with.begin(), with.end(), better);
    // Of equals the baseline comes first: nothing is gained by leaving it.
    if (with.end() != std::find(with.begin(), with.end(), comparison_.baseline) &&
        !better(best_, comparison_.baseline))
      best_ = comparison_.baseline;
    return contest(with) + without(with) + '.';
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
    std::erase_if(all, [&](const auto& one) { return !common_.contains(one.first); });
    return all;
  }
  double mean(std::size_t variant) const {
    const Seeded all = values(variant);
    // That of all seeds was taken before, with care for equal values.
    if (all.size() == cell(variant)->runs) return cell(variant)->mean;
    double total = 0;
    for (const auto& [seed, value] : all) total += value;
    return total / static_cast<double>(all.size());
  }
  const std::string& name(std::size_t variant) const { return comparison_.variants[variant].name; }
  std::string names_of(const std::vector<std::size_t>& variants) const {
    std::vector<std::string> names;
    for (const std::size_t v : variants) names.push_back(name(v));
    return enumerated(names);
  }
  std::string metric() const { return std::string(metric_.name); }
  std::string lowest() const {
    return (metric_.better == Better::kLess ? "the lowest " : "the highest ") + metric();
  }
  std::string unit(double value) const { return with_unit(value, &metric_); }
  std::string seeds(std::size_t n) const { return std::to_string(n) + (n == 1 ? " seed" : " seeds"); }
  std::string too_few(std::size_t n) const {
    return seeds(n) + (n == 1 ? " is" : " are") + " too few to be certain, it takes at least " +
           std::to_string(fewest_);
  }
  std::string average(std::size_t n) const { return n == 1 ? "" : " on average over " + seeds(n); }

  /// The variants of which nothing is known.
  std::string without(const std::vector<std::size_t>& with) const {
    std::vector<std::size_t> others;
    for (std::size_t v = 0; v < comparison_.variants.size(); ++v)
      if (std::find(with.begin(), with.end(), v) == with.end()) others.push_back(v);
    if (others.empty()) return "";
    return "; " + names_of(others) + (others.size() == 1 ? " has no " : " have no ") + metric();
  }

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
    std::string text = metric() + " of " + name(variant) + " is " + unit(only.mean) + average(only.runs);
    if (only.runs > 1) text += " (" + figure(only.least) + " to " + unit(only.most) + ')';
    if (comparison_.variants.size() > 1) text = "nothing to compare: " + text + without({variant});
    return text + '.';
  }

  std::string spread(const std::vector<std::size_t>& with) const {
    const auto [least, most] = std::minmax_element(
        with.begin(), with.end(), [&](std::size_t a, std::size_t b) { return mean(a) < mean(b); });
    const std::string text = metric() + " is neither good nor bad: ";
    if (mean(*least) == mean(*most)) return text + unit(mean(*least)) + " with " + names_of(with);
    return text + "from " + unit(mean(*least)) + " with " + name(*least) + " to " + unit(mean(*most)) +
           " with " + name(*most);
  }

  std::string contest(const std::vector<std::size_t>& with) const {
    std::vector<std::size_t> tied = {best_};
    std::size_t equal = 1;
    for (const std::size_t v : with) {
      if (v == best_) continue;
      const Duel d = duel(best_, v);
      equal += d.equal;
      if (d.tie()) tied.push_back(v);
    }
    if (tied.size() == with.size()) return tie(equal == tied.size(), with);
    std::string text = names_of(tied);
    text += (tied.size() == 1 ? " has " : " tie for ") + lowest() + ": " + unit(mean(best_));
    if (tied.size() > 1) text += " with " + name(best_);
    const bool baseline_tied = std::find(tied.begin(), tied.end(), comparison_.baseline) != tied.end() ||
                               std::find(with.begin(), with.end(), comparison_.baseline) == with.end();
    return text + against(baseline_tied ? next(with, tied) : comparison_.baseline);
  }

  std::string tie(bool all_equal, const std::vector<std::size_t>& with) const {
    const std::size_t n = common_.size();
    const std::string text = "a tie: " + names_of(with);
    if (all_equal) {
      const std::string each = n == 1 ? "" : " with each of " + seeds(n);
      return text + " have the same " + metric() + each + ", " + unit(mean(best_)) +
             (n == 1 ? ", with the one seed that all have" : " on average");
    }
    double least = mean(with.front());
    double most = least;
    for (const std::size_t v : with) {
      least = std::min(least, mean(v));
      most = std::max(most, mean(v));
    }
    const std::string range = least == most      ? unit(least)
                              : with.size() == 2 ? figure(mean(with[0])) + " and " + unit(mean(with[1]))
                                                 : figure(least) + " to " + unit(most);
    return text + " cannot be told apart by " + metric() + ": " + range + average(n) +
           (n < fewest_ ? "; " + too_few(n) : "");
  }

  /// The nearest that the best beats.
  std::size_t next(const std::vector<std::size_t>& with, const std::vector<std::size_t>& tied) const {
    std::optional<std::size_t> next;
    for (const std::size_t v : with) {
      if (std::find(tied.begin(), tied.end(), v) != tied.end()) continue;
      if (!next || std::abs(mean(v) - mean(best_)) < std::abs(mean(*next) - mean(best_))) next = v;
    }
    return *next;
  }
  /// How the best stands to one that it beats.
  std::string against(std::size_t other) const {
    const Duel d = duel(best_, other);
    const double gap = std::abs(d.difference);
    std::string text = ", " + unit(gap);
    if (mean(other) != 0) text += " (" + percent(gap / std::abs(mean(other))) + ')';
    text += d.difference < 0 ? " less than " : " more than ";
    text += name(other);
    if (d.pairs == 1) return text + ", with the one seed that all have; another may say otherwise";
    if (d.interval->low == d.interval->high) return text + ", exactly, with each of " + seeds(d.pairs);
    if (d.pairs < fewest_) return text + " on average; but " + too_few(d.pairs);
    const double low = std::min(std::abs(d.interval->low), std::abs(d.interval->high));
    const double high = std::max(std::abs(d.interval->low), std::abs(d.interval->high));
    return text + " (" + figure(low) + " to " + unit(high) + " with " + percent(comparison_.confidence) +
           " confidence, " + seeds(d.pairs) + ')';
  }

  const Comparison& comparison_;
  std::size_t scenario_;
  const Metric& metric_;
  std::size_t best_ = 0;
  std::size_t fewest_;              ///< Pairs that a certain difference takes.
  std::set<std::uint64_t> common_;  ///< Seeds that all variants have.
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
