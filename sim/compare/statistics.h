// The statistics of comparisons: how sure is a difference? Paired over seeds for what is simulated, rank
// tests for what is measured with a clock. Nothing here is random: resampling draws from a fixed seed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace duet::sim {

struct Interval {
  double low = 0;
  double high = 0;
  bool holds(double value) const { return low <= value && value <= high; }
};

/// The arithmetic mean; of at least one value.
double mean_of(std::span<const double> values);
/// The middle one, or the mean of the two in the middle; of at least one value.
double median_of(std::vector<double> values);
/// 1.4826 * the median distance from the median: the standard deviation of normal values, whatever a few
/// outliers are. 0 of one value.
double spread_of(const std::vector<double>& values);

/// The bootstrap's constants for a sample and its statistic: how far the resampled statistics are off (z0),
/// and how their spread changes with the parameter (a), by the jackknife.
struct BcaConstants {
  double bias = 0;
  double acceleration = 0;
};

using Statistic = std::function<double(std::span<const double>)>;

inline constexpr int kResamples = 10'000;
/// The fewest pairs that can make a difference certain at this confidence. If the signs of n differences were
/// drawn with a coin, all would agree with probability 2^(1-n): with fewer pairs that is above 1 -
/// confidence, no test of the signs can say anything, and resampling says no more than the range. 6 at 95 %,
/// 11 at 1 - 0.05 / 47. 0 < confidence < 1; at least 2.
std::size_t fewest_pairs(double confidence);

/// The BCa interval (bias-corrected and accelerated) of a statistic: Efron, "Better bootstrap confidence
/// intervals", JASA 82(397), 1987; Efron and Tibshirani, "An introduction to the bootstrap", 1993,
/// chapter 14. Percentiles of the statistic over samples drawn with replacement, moved by what bias and
/// skewness ask for. At least two values; 0 < confidence < 1. The same values give the same interval.
Interval bca_interval(std::span<const double> values, const Statistic& statistic, double confidence,
                      BcaConstants* constants = nullptr);

/// Of the mean of paired differences. Nothing for fewer than two; the range of the values for fewer than
/// fewest_pairs(); one point if all are equal; else the BCa interval.
std::optional<Interval> interval_of_mean(std::span<const double> differences, double confidence);

/// The two-sided probability of a mean at least so far from 0 under Student's paired t test; 0 if all
/// differences are equal and not 0, 1 if all are 0. At least two values.
double paired_t_probability(std::span<const double> differences);

/// How two samples stand to each other when nothing is assumed of their distributions.
struct RankTest {
  double u = 0;            ///< Pairs (x, y) with x > y, ties counted half: 0 .. sizes multiplied.
  double probability = 1;  ///< Two-sided, of a U at least so far from its middle if both are alike.
  bool exact = false;      ///< Counted over all orders; else by the normal approximation.
  double a12 = 0.5;  ///< Probability that an x is above a y, ties half: Vargha and Delaney, JEBS 25(2), 2000.
  double cliffs_delta() const { return 2 * a12 - 1; }
};

/// The test of Mann and Whitney (Ann. Math. Stat. 18(1), 1947). Exact without ties if neither sample is
/// larger than 20; else the normal approximation, corrected for ties and for continuity. Both samples hold a
/// value.
RankTest mann_whitney(std::span<const double> x, std::span<const double> y);

/// The probabilities as they count when all of them were looked at: Holm, Scand. J. Stat. 6(2), 1979. In the
/// same order; at most 1.
std::vector<double> holm(std::span<const double> probabilities);

/// Jain's fairness index of shares >= 0: 1 if all are equal, 1/n if one has everything; 1 if all are 0. Jain,
/// Chiu, Hawe, DEC-TR-301, 1984. At least one value.
double jain_index(std::span<const double> shares);

}  // namespace duet::sim
