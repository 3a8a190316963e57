// The Lublin-Feitelson model: its draws against what the published parameters say they must be.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "sim/draws.h"
#include "sim/lublin.h"
#include "sim/workload.h"

namespace duet::sim {
namespace workload_lublin_test {

constexpr int kJobs = 100'000;

std::vector<LublinModel::Job> draw(std::uint32_t machine, int jobs = kJobs, double load = 1.0,
                                   std::uint64_t seed = 1) {
  LublinModel model(machine, load, Rng(seed));
  std::vector<LublinModel::Job> all;
  for (int i = 0; i < jobs; ++i) all.push_back(model.next());
  return all;
}

double seconds(Duration d) { return 1e-9 * static_cast<double>(to_ns(d)); }
double seconds(Instant t) { return 1e-9 * static_cast<double>(to_ns(t)); }

Scenario with(LublinWorkload lublin) {
  Workload workload = lublin;
  Scenario scenario;
  scenario.workload = std::move(workload);
  return scenario;
}

template <class F>
double share(const std::vector<LublinModel::Job>& jobs, F&& holds) {
  return static_cast<double>(std::ranges::count_if(jobs, holds)) / static_cast<double>(jobs.size());
}

/// Mean and deviation of 200,000 draws against shape and sqrt(shape), to five standard errors.
TEST(Draws, GammaHasMeanAndVarianceOfItsShape) {
  for (const double shape : {1.0, 1.5, 6.355, 639.1}) {
    Rng rng(9);
    constexpr int kDraws = 200'000;
    double sum = 0.0;
    double squares = 0.0;
    double least = 1e9;
    for (int i = 0; i < kDraws; ++i) {
      const double x = gamma_draw(rng, shape);
      sum += x;
      squares += (x - shape) * (x - shape);
      least = std::min(least, x);
    }
    const double error = std::sqrt(shape / kDraws);
    EXPECT_NEAR(sum / kDraws, shape, 5.0 * error) << shape;
    EXPECT_NEAR(squares / kDraws, shape, 5.0 * shape * std::sqrt((2.0 + 6.0 / shape) / kDraws)) << shape;
    EXPECT_GT(least, 0.0);
  }
}

TEST(Draws, NormalAndExponentialHaveTheirQuantiles) {
  Rng rng(10);
  constexpr int kDraws = 200'000;
  int below_one = 0;
  int below_minus_two = 0;
  int below_median = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = normal_draw(rng);
    below_one += x < 1.0 ? 1 : 0;
    below_minus_two += x < -2.0 ? 1 : 0;
    below_median += exponential_draw(rng) < std::log(2.0) ? 1 : 0;
  }
  EXPECT_NEAR(below_one / double{kDraws}, 0.841345, 0.005);
  EXPECT_NEAR(below_minus_two / double{kDraws}, 0.022750, 0.002);
  EXPECT_NEAR(below_median / double{kDraws}, 0.5, 0.006);
}

TEST(Lublin, SizesFollowThePublishedShares) {
  const auto jobs = draw(128);
  EXPECT_NEAR(share(jobs, [](const auto& job) { return job.cores == 1; }), 0.2927, 0.008);
  const double powers =
      share(jobs, [](const auto& job) { return job.cores > 1 && std::has_single_bit(job.cores); });
  EXPECT_GT(powers, 0.6686 - 0.008);
  EXPECT_LT(powers, 0.69);  // others round to a power of two now and then
  // Of the parallel jobs 87.5 % lie in the first stage, below 2^5; rounding moves some of its end to 32.
  const double parallel = 1.0 - 0.2927;
  const double small =
      share(jobs, [](const auto& job) { return job.cores > 1 && job.cores < 23; }) / parallel;
  EXPECT_NEAR(small, 0.875 * (4.5 - 1.2) / (5.0 - 1.2), 0.01);
  EXPECT_LE(std::ranges::max(jobs, {}, &LublinModel::Job::cores).cores, 128U);
  EXPECT_GT(share(jobs, [](const auto& job) { return job.cores == 128; }), 0.01);
}

TEST(Lublin, SizesFitEveryMachine) {
  for (const std::uint32_t machine :
       {1U, 2U, 3U, 4U, 7U, 8U, 16U, 100U, 240U, 1000U, 4096U, 4'000'000'000U}) {
    const auto jobs = draw(machine, 5000);
    for (const auto& job : jobs) {
      ASSERT_GE(job.cores, 1U) << machine;
      ASSERT_LE(job.cores, machine);
    }
    if (machine < 8) continue;
    EXPECT_NEAR(share(jobs, [](const auto& job) { return job.cores == 1; }), 0.2927, 0.04) << machine;
  }
}

/// E[log run] = p a1 b1 + (1 - p) a2 b2, p = 0.6986 - 0.003 size; the cut at 12 lowers it a little.
TEST(Lublin, RunTimesFollowTheHyperGamma) {
  const auto jobs = draw(128, 400'000);
  std::map<std::uint32_t, std::pair<double, int>> by_size;
  for (const auto& job : jobs) {
    auto& [sum, count] = by_size[job.cores];
    sum += std::log(seconds(job.run));
    ++count;
    EXPECT_LE(seconds(job.run), std::exp(12.0) + 1.0);
    EXPECT_GE(seconds(job.run), 1.0);
  }
  double previous = 0.0;
  for (const std::uint32_t size : {1U, 16U, 128U}) {
    const double p = 0.6986 - 0.003 * size;
    const double expected = p * 6.57 * 0.823 + (1.0 - p) * 639.1 * 0.0156;
    const double mean = by_size[size].first / by_size[size].second;
    EXPECT_NEAR(mean, expected, 0.1) << size;
    EXPECT_GT(mean, previous);  // bigger jobs run longer
    previous = mean;
  }
}

/// The weights of the half hours against the gamma distribution they come from, summed by a cruder rule.
TEST(Lublin, TheDayHasItsPublishedShape) {
  LublinModel model(128, 1.0, Rng(1));
  std::array<double, 48> expected{};
  double total = 0.0;
  for (int i = 11; i < 59; ++i) {
    double sum = 0.0;
    for (int k = 0; k < 1000; ++k) {
      const double x = i - 0.5 + (k + 0.5) / 1000.0;
      sum += std::exp(5.1271 * std::log(x) - x / 5.2740);
    }
    expected[static_cast<std::size_t>((i - 1) % 48)] = sum;
    total += sum;
  }
  double sum = 0.0;
  for (int i = 0; i < 48; ++i) {
    EXPECT_NEAR(model.weight(i), expected[static_cast<std::size_t>(i)] / total * 48.0, 1e-6) << i;
    sum += model.weight(i);
  }
  EXPECT_NEAR(sum, 48.0, 1e-12);
  EXPECT_GT(model.weight(26), 1.6);  // 13:00
  EXPECT_LT(model.weight(9), 0.25);  // 4:30
}

/// More jobs come by day than by night, in the proportion of the weights.
TEST(Lublin, ArrivalsFollowTheDay) {
  const auto jobs = draw(128, 200'000, 100.0);
  LublinModel model(128, 1.0, Rng(1));
  std::array<double, 48> counts{};
  for (const auto& job : jobs)
    counts[static_cast<std::size_t>(to_ns(job.at) / 1'800'000'000'000 % 48)] += 1.0;
  for (const int i : {5, 9, 15, 20, 26, 35, 44})
    EXPECT_NEAR(counts[static_cast<std::size_t>(i)] / 200'000.0 * 48.0, model.weight(i), 0.12) << i;
}

/// The mean of exp(Gamma(6.355, 0.8531)) cut at 13, by numerical integration: gaps keep it through day and
/// night.
TEST(Lublin, GapsHaveTheirMean) {
  double mass = 0.0;
  double mean = 0.0;
  constexpr double kStep = 1e-4;
  for (double x = kStep / 2; x < 13.0; x += kStep) {
    const double density = std::exp((6.0415 * 1.0519 - 1.0) * std::log(x) - x / 0.8531);
    mass += density;
    mean += density * std::exp(x);
  }
  const double expected = mean / mass;
  const auto jobs = draw(128, 400'000);
  EXPECT_NEAR(seconds(jobs.back().at) / 400'000.0 / expected, 1.0, 0.04);
  const auto dense = draw(128, 400'000, 4.0);
  EXPECT_NEAR(seconds(dense.back().at) / 400'000.0 / expected, 0.25, 0.01);
}

TEST(Lublin, TimesNeverDecreaseAndStayValid) {
  for (const double load : {1e-300, 1e-9, 1.0, 1e9, 1e300}) {
    Instant last;
    for (const auto& job : draw(64, 2000, load)) {
      ASSERT_GE(job.at, last) << load;
      ASSERT_LE(to_ns(job.at), kLongestDraw_ns) << load;
      last = job.at;
    }
  }
}

TEST(Lublin, JobsAreTasksOrGangs) {
  const Scenario wide = with({.jobs = 1000, .max_cores = 64, .gangs = true, .estimate_factor = 2.0});
  const Scenario pooled = with({.jobs = 1000, .max_cores = 64, .gangs = false, .estimate_factor = 1.0});
  const auto gangs = open_workload(wide);
  const auto tasks = open_workload(pooled);
  for (int i = 0; i < 1000; ++i) {
    const auto gang = gangs->next();
    const auto task = tasks->next();
    ASSERT_TRUE(gang && task);
    EXPECT_EQ(gang->at, task->at);
    const TaskGroup& one = task->spec->groups[0];
    const TaskGroup& many = gang->spec->groups[0];
    EXPECT_EQ(one.count, 1U);
    EXPECT_EQ(many.spec.need.cpu_m, 1000);
    EXPECT_EQ(one.spec.need.cpu_m, many.count * 1000);
    EXPECT_EQ(one.spec.work.duration, one.spec.estimate);
    EXPECT_NEAR(seconds(many.spec.estimate), 2.0 * seconds(one.spec.estimate), 1e-6);
  }
  EXPECT_FALSE(gangs->next());
}

/// The same number from g++ and clang++, -O0 and -O2.
TEST(Lublin, IsTheSameEverywhere) {
  std::uint64_t hash = 0;
  for (const auto& job : draw(256, 10'000, 1.0, 42)) {
    hash = mix64(hash ^ static_cast<std::uint64_t>(to_ns(job.at)));
    hash = mix64(hash ^ static_cast<std::uint64_t>(to_ns(job.run)));
    hash = mix64(hash ^ job.cores);
  }
  EXPECT_EQ(hash, 2181816012281174848U);
}

}  // namespace workload_lublin_test
}  // namespace duet::sim
