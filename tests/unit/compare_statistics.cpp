// Statistics against constants that others have published.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "sim/compare/statistics.h"

namespace duet::sim {
namespace {
namespace statistics_test {

using Values = std::vector<double>;

double variance(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size());
}

// Efron and Tibshirani, "An introduction to the bootstrap", 1993, table 14.1 and section 14.3: the spatial
// test data A, whose variance is 171.5; z0 = 0.146, a = 0.061, and the BCa interval at 90 % is (115.8,
// 259.6).
TEST(CompareStatistics, BcaIsThatOfTheBook) {
  const Values a = {48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6,
                    0,  33, 28, 34, 4,  32, 24, 47, 41, 24, 26, 30, 41};
  EXPECT_NEAR(variance(a), 171.5, 0.05);
  BcaConstants constants;
  const Interval interval = bca_interval(a, variance, 0.90, &constants);
  EXPECT_NEAR(constants.acceleration, 0.061, 0.0005);
  EXPECT_NEAR(constants.bias, 0.146, 0.03);  // both are draws: 2000 in the book
  EXPECT_NEAR(interval.low, 115.8, 2);
  EXPECT_NEAR(interval.high, 259.6, 4);
  const Interval again = bca_interval(a, variance, 0.90);
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
}

TEST(CompareStatistics, TheFewestPairsFollowFromTheConfidence) {
  EXPECT_EQ(fewest_pairs(0.5), 2U);
  EXPECT_EQ(fewest_pairs(0.9), 5U);
  EXPECT_EQ(fewest_pairs(0.95), 6U);            // 2^-5 <= 0.05 < 2^-4
  EXPECT_EQ(fewest_pairs(0.96875), 6U);         // exactly 1 - 2^-5
  EXPECT_EQ(fewest_pairs(1 - 0.05 / 2), 7U);    // 2^-6 <= 0.025 < 2^-5
  EXPECT_EQ(fewest_pairs(0.99), 8U);            // 2^-7 <= 0.01 < 2^-6
  EXPECT_EQ(fewest_pairs(1 - 0.05 / 47), 11U);  // 2^-10 <= 0.00106 < 2^-9
}

TEST(CompareStatistics, IntervalsOfFewOrEqualDifferences) {
  EXPECT_FALSE(interval_of_mean(Values{}, 0.95).has_value());
  EXPECT_FALSE(interval_of_mean(Values{3}, 0.95).has_value());
  const auto two = interval_of_mean(Values{3, 1}, 0.95);
  EXPECT_EQ(two->low, 1);
  EXPECT_EQ(two->high, 3);
  const auto same = interval_of_mean(Values(30, -2.5), 0.95);
  EXPECT_EQ(same->low, -2.5);
  EXPECT_EQ(same->high, -2.5);
  EXPECT_TRUE(interval_of_mean(Values{-1, 1, -1, 1, -1, 1, 2, -2}, 0.95)->holds(0));
  EXPECT_FALSE(interval_of_mean(Values{1, 2, 1, 2, 1, 2, 2, 1}, 0.95)->holds(0));
}

// Student, "The probable error of a mean", 1908; R's example t.test(extra ~ group, data = sleep, paired =
// TRUE): t = -4.0621, df = 9, p-value = 0.002833.
TEST(CompareStatistics, PairedTIsThatOfStudentsSleepers) {
  const Values first = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const Values second = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  Values differences;
  for (std::size_t i = 0; i < first.size(); ++i) differences.push_back(first[i] - second[i]);
  EXPECT_NEAR(paired_t_probability(differences), 0.002833, 5e-7);
  EXPECT_EQ(paired_t_probability(Values{0, 0, 0}), 1);
  EXPECT_EQ(paired_t_probability(Values{2, 2, 2}), 0);
}

// The example of SciPy's documentation of mannwhitneyu (age at diagnosis of diabetes): U = 17, p = 0.1111
// exactly, and 0.11134688653314041 by the normal approximation.
TEST(CompareStatistics, MannWhitneyIsThatOfSciPy) {
  const Values males = {19, 22, 16, 29, 24};
  const Values females = {20, 11, 17, 12};
  const RankTest test = mann_whitney(males, females);
  EXPECT_EQ(test.u, 17);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.probability, 1.0 / 9, 1e-15);
  EXPECT_EQ(test.a12, 0.85);
  EXPECT_NEAR(test.cliffs_delta(), 0.7, 1e-15);
  EXPECT_EQ(mann_whitney(females, males).u, 3);
  EXPECT_EQ(mann_whitney(females, males).probability, test.probability);
}

// R's example of wilcox.test (Hollander and Wolfe, 1973, page 69: permeability of the human chorioamnion): W
// = 35; p-value = 0.1272 for "greater", so twice that for both sides.
TEST(CompareStatistics, MannWhitneyIsThatOfHollanderAndWolfe) {
  const Values x = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const Values y = {1.15, 0.88, 0.90, 0.74, 1.21};
  const RankTest test = mann_whitney(x, y);
  EXPECT_EQ(test.u, 35);
  EXPECT_NEAR(test.probability, 2 * 0.1272, 1e-4);
}

// The table of Mann and Whitney's U at 5 %, two-sided: U <= 23 for 10 and 10 values, U <= 127 for 20 and 20.
TEST(CompareStatistics, CriticalValuesOfUAreThoseOfTheTables) {
  const auto probability = [](std::size_t n, std::size_t u) {
    // x = 0.5, 1.5, ...: moved up until the ranks give u.
    Values x;
    Values y;
    for (std::size_t i = 0; i < n; ++i) y.push_back(static_cast<double>(i + 1));
    std::size_t left = u;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t above = std::min(left, n);
      left -= above;
      x.push_back(static_cast<double>(above) + 0.5 + static_cast<double>(i) * 1e-3);
    }
    const RankTest test = mann_whitney(x, y);
    EXPECT_EQ(test.u, static_cast<double>(u));
    EXPECT_TRUE(test.exact);
    return test.probability;
  };
  EXPECT_LE(probability(10, 23), 0.05);
  EXPECT_GT(probability(10, 24), 0.05);
  EXPECT_LE(probability(20, 127), 0.05);
  EXPECT_GT(probability(20, 128), 0.05);
}

// By hand, for 1 2 2 3 and 2 3 3 4: U = 3, its middle 8; three 2 and three 3 make the variance
// 16/12 * (9 - (24 + 24) / 56), and z = (5 - 0.5) / its root.
TEST(CompareStatistics, TiesNarrowTheVariance) {
  const RankTest test = mann_whitney(Values{1, 2, 2, 3}, Values{2, 3, 3, 4});
  EXPECT_EQ(test.u, 3);
  EXPECT_FALSE(test.exact);
  const double z = 4.5 / std::sqrt(16.0 / 12 * (9 - 48.0 / 56));
  EXPECT_NEAR(test.probability, std::erfc(z / std::sqrt(2.0)), 1e-12);
  EXPECT_EQ(mann_whitney(Values{5, 5, 5}, Values{5, 5}).probability, 1);
  EXPECT_EQ(mann_whitney(Values{5, 5, 5}, Values{5, 5}).a12, 0.5);
}

// R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02.
TEST(CompareStatistics, HolmIsThatOfR) {
  const Values adjusted = holm(Values{0.01, 0.04, 0.03, 0.005});
  const Values expected = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-15);
  EXPECT_TRUE(holm(Values{}).empty());
  EXPECT_EQ(holm(Values{0.9, 0.8})[0], 1);
}

// Jain, Chiu and Hawe 1984: of n shares, k equal and the others none: k/n.
TEST(CompareStatistics, JainsIndex) {
  EXPECT_EQ(jain_index(Values{5, 5, 5, 5}), 1);
  EXPECT_EQ(jain_index(Values{1, 0, 0, 0}), 0.25);
  EXPECT_EQ(jain_index(Values{1, 1, 0, 0}), 0.5);
  EXPECT_EQ(jain_index(Values{0, 0}), 1);
  EXPECT_NEAR(jain_index(Values{1, 2, 3}), 36.0 / 42, 1e-15);
}

TEST(CompareStatistics, MediansAndSpread) {
  EXPECT_EQ(median_of({3, 1, 2}), 2);
  EXPECT_EQ(median_of({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(spread_of({7}), 0);
  EXPECT_NEAR(spread_of({1, 2, 3, 4, 100}), 1.4826, 1e-12);
}

}  // namespace statistics_test
}  // namespace
}  // namespace duet::sim
