#include "sim/compare/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "core/check.h"
#include "core/rng.h"

namespace duet::sim {
namespace {

/// Any will do, as long as it stays: the same comparison must say the same tomorrow.
constexpr std::uint64_t kResamplingSeed = 20'030'963;
constexpr std::size_t kExactUpTo = 20;

using boost::math::cdf;
using boost::math::complement;
using boost::math::quantile;

const boost::math::normal& standard_normal() {
  static const boost::math::normal distribution;
  return distribution;
}

bool all_equal(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
}

std::vector<double> resampled(std::span<const double> values, const Statistic& statistic) {
  Rng rng(kResamplingSeed);
  std::vector<double> sample(values.size());
  std::vector<double> statistics;
  statistics.reserve(kResamples);
  for (int i = 0; i < kResamples; ++i) {
    for (double& value : sample) value = values[rng.below(values.size())];
    statistics.push_back(statistic(sample));
  }
  std::sort(statistics.begin(), statistics.end());
  return statistics;
}

/// Efron and Tibshirani 1993, equation 14.15.
double acceleration(std::span<const double> values, const Statistic& statistic) {
  std::vector<double> without;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::vector<double> rest(values.begin(), values.end());
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    without.push_back(statistic(rest));
  }
  const double middle = mean_of(without);
  double squares = 0;
  double cubes = 0;
  for (const double value : without) {
    const double off = middle - value;
    squares += off * off;
    cubes += off * off * off;
  }
  return squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
}

/// Of sorted values: linear between the two nearest.
double percentile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double rest = at - std::floor(at);
  return sorted[below] + rest * (sorted[above] - sorted[below]);
}

/// In how many of the orders of n values x and m values y there are exactly u pairs with x > y, for all u.
/// Mann and Whitney's recurrence, largest value first.
std::vector<double> orders_by_u(std::size_t n, std::size_t m) {
  // counts[j] belongs to the first i values x and j values y.
  std::vector<std::vector<double>> counts(m + 1, {1.0});
  for (std::size_t i = 1; i <= n; ++i) {
    std::vector<std::vector<double>> next(m + 1);
    next[0] = {1.0};
    for (std::size_t j = 1; j <= m; ++j) {
      std::vector<double>& sum = next[j];
      sum.assign(i * j + 1, 0.0);
      for (std::size_t u = 0; u < counts[j].size(); ++u) sum[u + j] += counts[j][u];  // the largest is an x
      for (std::size_t u = 0; u < next[j - 1].size(); ++u) sum[u] += next[j - 1][u];  // the largest is a y
    }
    counts = std::move(next);
  }
  return counts[m];
}

double exact_probability(double u, std::size_t n, std::size_t m) {
  const std::vector<double> counts = orders_by_u(n, m);
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  const auto far = static_cast<std::size_t>(std::max(u, static_cast<double>(n * m) - u));
  const double tail = std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(far), counts.end(), 0.0);
  return std::min(1.0, 2 * tail / all);
}

/// `ties`: the sum of t^3 - t over groups of t equal values.
double approximate_probability(double u, double n, double m, double ties) {
  const double middle = n * m / 2;
  const double all = n + m;
  const double variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
  if (variance <= 0) return 1;
  const double z = std::max(0.0, std::abs(u - middle) - 0.5) / std::sqrt(variance);
  return std::min(1.0, 2 * cdf(complement(standard_normal(), z)));
}

}  // namespace

double mean_of(std::span<const double> values) {
  DUET_CHECK(!values.empty());
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median_of(std::vector<double> values) {
  DUET_CHECK(!values.empty());
  const std::size_t half = values.size() / 2;
  std::sort(values.begin(), values.end());
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double spread_of(const std::vector<double>& values) {
  const double middle = median_of(values);
  std::vector<double> distances;
  for (const double value : values) distances.push_back(std::abs(value - middle));
  return 1.4826 * median_of(distances);
}

Interval bca_interval(std::span<const double> values, const Statistic& statistic, double confidence,
                      BcaConstants* constants) {
  DUET_CHECK(values.size() >= 2 && confidence > 0 && confidence < 1);
  const double observed = statistic(values);
  const std::vector<double> sorted = resampled(values, statistic);
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), observed);
  // Equal ones count half: means of a few whole numbers are often equal.
  const double below = static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
  const double count = static_cast<double>(sorted.size());
  const double share = std::clamp(below / count, 0.5 / count, 1 - 0.5 / count);
  const double z0 = quantile(standard_normal(), share);
  const double a = acceleration(values, statistic);
  if (constants != nullptr) *constants = {z0, a};
  const auto bound = [&](double tail) {
    const double z = z0 + quantile(standard_normal(), tail);
    return percentile(sorted, cdf(standard_normal(), z0 + z / (1 - a * z)));
  };
  const double tail = (1 - confidence) / 2;
  return {bound(tail), bound(1 - tail)};
}

std::size_t fewest_pairs(double confidence) {
  DUET_CHECK(confidence > 0 && confidence < 1);
  std::size_t pairs = 2;
  for (double by_chance = 0.5; by_chance > 1 - confidence; by_chance /= 2) ++pairs;
  return pairs;
}

std::optional<Interval> interval_of_mean(std::span<const double> differences, double confidence) {
  if (differences.size() < 2) return std::nullopt;
  const auto [least, most] = std::minmax_element(differences.begin(), differences.end());
  if (*least == *most || differences.size() < fewest_pairs(confidence)) return Interval{*least, *most};
  return bca_interval(differences, mean_of, confidence);
}

double paired_t_probability(std::span<const double> differences) {
  DUET_CHECK(differences.size() >= 2);
  const double mean = mean_of(differences);
  if (all_equal(differences)) return differences.front() == 0 ? 1 : 0;
  double squares = 0;
  for (const double d : differences) squares += (d - mean) * (d - mean);
  const double n = static_cast<double>(differences.size());
  const double t = mean / std::sqrt(squares / (n - 1) / n);
  // Differences too large, or too small, to be squared.
  if (!std::isfinite(t)) return std::isinf(t) ? 0 : 1;
  return std::min(1.0, 2 * cdf(complement(boost::math::students_t(n - 1), std::abs(t))));
}

RankTest mann_whitney(std::span<const double> x, std::span<const double> y) {
  DUET_CHECK(!x.empty() && !y.empty());
  std::vector<double> all(x.begin(), x.end());
  all.insert(all.end(), y.begin(), y.end());
  std::sort(all.begin(), all.end());
  double ties = 0;
  for (auto at = all.begin(); at != all.end();) {
    const auto next = std::upper_bound(at, all.end(), *at);
    const auto t = static_cast<double>(next - at);
    ties += t * t * t - t;
    at = next;
  }
  std::vector<double> others(y.begin(), y.end());
  std::sort(others.begin(), others.end());
  RankTest test;
  for (const double value : x) {
    const auto [first, last] = std::equal_range(others.begin(), others.end(), value);
    test.u += static_cast<double>(first - others.begin()) + static_cast<double>(last - first) / 2;
  }
  const auto n = static_cast<double>(x.size());
  const auto m = static_cast<double>(y.size());
  test.a12 = test.u / (n * m);
  test.exact = ties == 0 && x.size() <= kExactUpTo && y.size() <= kExactUpTo;
  test.probability = test.exact ? exact_probability(test.u, x.size(), y.size())
                                : approximate_probability(test.u, n, m, ties);
  return test;
}

std::vector<double> holm(std::span<const double> probabilities) {
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return probabilities[a] < probabilities[b]; });
  std::vector<double> adjusted(probabilities.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double times = static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, times * probabilities[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

double jain_index(std::span<const double> shares) {
  DUET_CHECK(!shares.empty());
  // Held against the largest, so that no square overflows.
  const double most = *std::max_element(shares.begin(), shares.end());
  if (most <= 0) return 1;
  double sum = 0;
  double squares = 0;
  for (const double share : shares) {
    sum += share / most;
    squares += (share / most) * (share / most);
  }
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

}  // namespace duet::sim
