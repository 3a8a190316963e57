// A planted change is caught, and none where none was planted.
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/rng.h"
#include "sim/compare/comparison_json.h"
#include "sim/compare/regression.h"
#include "sim/compare/statistics.h"
#include "tests/unit/compare_support.h"

namespace duet::sim::compare_test {
namespace {

using testing::HasSubstr;

/// Nearly normal, with mean 0 and deviation 1: the sum of twelve uniform draws.
double bell(Rng& rng) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += rng.unit();
  return sum;
}

constexpr std::array kPlanted = {"mean_wait_s", "p95_wait_s",        "max_wait_s",
                                 "makespan_s",  "mean_turnaround_s", "mean_bounded_slowdown",
                                 "utilization", "energy_j"};

/// Thirty seeds, whose workloads differ by 25 %; a change of the code that moves decisions about without
/// moving their quality changes each metric of each run by another 2 %. The first metric is `factor` times
/// what it was, too.
Comparison after_change(const Comparison& before, std::uint64_t trial, double factor) {
  Comparison after = before;
  Rng rng(trial);
  for (ComparedRun& run : after.runs)
    for (const char* name : kPlanted) {
      double& value = run.metrics[name];
      value *= 1 + 0.02 * bell(rng);
      if (name == kPlanted.front()) value *= factor;
    }
  return after;
}

Comparison before_change(std::uint64_t trial) {
  Comparison before = made({"easy"}, "mean_wait_s", {std::vector<double>(30, 100.0)});
  Rng rng = Rng(trial).fork("seeds");
  for (ComparedRun& run : before.runs)
    for (const char* name : kPlanted) run.metrics[name] = 100 * std::exp(0.25 * bell(rng));
  return before;
}

TEST(CompareRegression, ThreePercentAreCaughtAndNothingIsNot) {
  int caught = 0;
  int caught_others = 0;
  int false_alarms = 0;
  for (std::uint64_t trial = 1; trial <= 100; ++trial) {
    const Comparison before = before_change(trial);
    const auto planted = hold_against(after_change(before, trial, 1.03), before, 0);
    ASSERT_TRUE(planted);
    for (const Movement& m : planted->moved)
      (m.metric == "mean_wait_s" && m.standing == Standing::kWorse ? caught : caught_others) += 1;
    const auto nothing = hold_against(after_change(before, 1000 + trial, 1.0), before, 0);
    false_alarms += !nothing->moved.empty();
    // And where decisions are the same, so are the numbers.
    EXPECT_TRUE(hold_against(before, before, 0)->moved.empty());
  }
  EXPECT_EQ(caught, 100);
  EXPECT_EQ(caught_others, 0);
  EXPECT_EQ(false_alarms, 0);
}

TEST(CompareRegression, TheMetricIsNamedWithHowMuch) {
  const Comparison before = made({"easy"}, "mean_wait_s", {{100, 110, 120}});
  const Comparison after = made({"easy"}, "mean_wait_s", {{103, 113.3, 123.6}});
  const auto found = hold_against(after, before, 0);
  EXPECT_TRUE(found->worse());
  EXPECT_EQ(regression_text(*found),
            "worse: day, easy: mean_wait_s 110 -> 113.3 s (+3 %, 3 seeds)\n3 of 3 runs decide otherwise than "
            "before\n");
  EXPECT_TRUE(hold_against(after, before, 0.031)->moved.empty());
  EXPECT_FALSE(hold_against(after, before, 0.029)->moved.empty());
  const auto back = hold_against(before, after, 0);
  EXPECT_FALSE(back->worse());
  EXPECT_THAT(regression_text(*back), HasSubstr("better: day, easy: mean_wait_s 113.3 -> 110 s"));
  EXPECT_EQ(regression_text(*hold_against(before, before, 0)),
            "no metric has moved\nthe same decisions in all 3 runs\n");
}

TEST(CompareRegression, FewSeedsMustMoveTheSameWay) {
  const Comparison before = made({"easy"}, "mean_wait_s", {{100, 110, 120}});
  EXPECT_TRUE(hold_against(made({"easy"}, "mean_wait_s", {{103, 113, 119}}), before, 0)->moved.empty());
  EXPECT_TRUE(hold_against(made({"easy"}, "mean_wait_s", {{103, 113, 120}}), before, 0)->moved.empty());
  EXPECT_TRUE(hold_against(made({"easy"}, "mean_wait_s", {{101, 111, 121}}), before, 0)->worse());
}

TEST(CompareRegression, WhatHasNoCounterpartIsSaid) {
  const Comparison before = made({"easy", "sjf"}, "mean_wait_s", {{1, 2}, {3, 4}});
  const Comparison after = made({"easy"}, "mean_wait_s", {{1, 2}});
  EXPECT_THAT(regression_text(*hold_against(after, before, 0)),
              HasSubstr("note: 2 of the 4 earlier runs have no counterpart"));
  EXPECT_FALSE(hold_against(made({"fcfs"}, "mean_wait_s", {{1}}), before, 0));
}

TEST(CompareRegression, Tolerances) {
  EXPECT_EQ(*parse_tolerance("1%"), 0.01);
  EXPECT_EQ(*parse_tolerance("0.5 %"), 0.005);
  EXPECT_EQ(*parse_tolerance("0.02"), 0.02);
  for (const char* wrong : {"", "1 percent", "-1%", "101%", "nan", "%"})
    EXPECT_FALSE(parse_tolerance(wrong)) << wrong;
}

TEST(CompareRegression, AComparisonComesBackFromItsFile) {
  Comparison c = made({"a \"b\"", "c"}, "mean_wait_s", {{1, 2, 1, 4, 3, 2.5}, {3, 4, 3, 5, 6, 7}});
  c.costs = {{"e_pvm", 1000, 123.5, 0.02}};
  c.runs[1].failures = {"jobs == 3: it is 2"};
  c.notices = {"one"};
  const auto text = [](const Comparison& comparison) {
    std::string out;
    write_comparison(comparison, [&](std::string_view piece) { out += piece; });
    return out;
  };
  const std::string path = testing::TempDir() + "/duet-comparison-" + std::to_string(::getpid()) + ".json";
  std::ofstream(path) << text(c);
  const auto back = read_comparison(path);
  ASSERT_TRUE(back) << back.problems().front().what;
  EXPECT_EQ(text(*back), text(c));
  EXPECT_EQ(back->cells.size(), c.cells.size());
  std::ofstream(path) << R"({"format": 1, "title": "x"})";
  EXPECT_THAT(read_comparison(path).problems().front().what, HasSubstr("`version`"));
  std::ofstream(path) << R"({"format": 2})";
  EXPECT_THAT(read_comparison(path).problems().front().what, HasSubstr("not format 1"));
  std::ofstream(path) << "{";
  EXPECT_FALSE(read_comparison(path));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace duet::sim::compare_test
