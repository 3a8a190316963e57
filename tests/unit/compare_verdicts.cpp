// From runs to words: better, worse, tie, and the sentence.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/compare/comparison_text.h"
#include "sim/compare/statistics.h"
#include "tests/unit/compare_support.h"

namespace duet::sim::compare_test {
namespace {

using testing::HasSubstr;

std::string word(const Comparison& comparison, std::size_t variant) {
  return std::string(name_of(find_cell(comparison, 0, comparison.objective, variant)->standing));
}

TEST(CompareVerdicts, ACertainDifferenceIsNamed) {
  const Comparison c =
      made({"fcfs", "easy"}, "mean_wait_s", {{10, 12, 11, 13, 9, 10, 14, 12}, {5, 5, 6, 6, 4, 5, 7, 7}});
  const ComparedCell& easy = *find_cell(c, 0, "mean_wait_s", 1);
  EXPECT_EQ(word(c, 0), "baseline");
  EXPECT_EQ(word(c, 1), "better");
  EXPECT_EQ(easy.mean, 5.625);
  EXPECT_EQ(easy.difference, -5.75);  // (5 + 7 + 5 + 7 + 5 + 5 + 7 + 5) / 8
  EXPECT_NEAR(*easy.relative, -5.75 / 11.375, 1e-15);
  EXPECT_EQ(easy.pairs, 8U);
  EXPECT_EQ(c.confidence, 0.95);
  EXPECT_EQ(c.verdicts.front(),
            "day: easy has the lowest mean_wait_s: 5.625 s, 5.75 s (50.5 %) less than fcfs (" +
                figure(-*easy.high) + " to " + figure(-*easy.low) + " s with 95 % confidence, 8 seeds).");
}

TEST(CompareVerdicts, MoreCanBeBetter) {
  const Comparison c = made({"a", "b"}, "utilization", {{.5, .5, .5, .5, .5, .5}, {.6, .7, .6, .7, .6, .7}});
  EXPECT_EQ(word(c, 1), "better");
  EXPECT_THAT(c.verdicts.front(), HasSubstr("b has the highest utilization: 0.65"));
}

TEST(CompareVerdicts, OnlySeedsThatAllHaveDecide) {
  // b lacks its hardest seed: on average it looks better, seed by seed it is worse.
  Comparison c = made({"a", "b"}, "makespan_s", {{10, 11, 12, 90}, {20, 21, 22, 95}});
  c.runs.back().metrics.clear();
  conclude(c);
  EXPECT_THAT(c.verdicts.front(), HasSubstr("a has the lowest makespan_s: 11 s, 10 s (47.6 %) less than b"));
  EXPECT_EQ(find_cell(c, 0, "makespan_s", 1)->relative, 10.0 / 11) << "over the pairs, too";
}

TEST(CompareVerdicts, SeedsFromWhichNothingIsDrawnAreNoEvidence) {
  const auto noted = [](const std::vector<double>& b) {
    const Comparison c = made({"a", "b"}, "makespan_s", {{1, 1, 1}, b});
    return std::any_of(c.notices.begin(), c.notices.end(), [](const auto& notice) {
      return notice.starts_with("nothing is drawn from the seeds");
    });
  };
  EXPECT_TRUE(noted({2, 2, 2}));
  EXPECT_FALSE(noted({2, 2, 3}));
}

TEST(CompareVerdicts, WhatCannotBeToldApartIsATie) {
  const Comparison equal = made({"easy", "the same"}, "mean_wait_s", {{1, 2, 3}, {1, 2, 3}});
  EXPECT_EQ(word(equal, 1), "tie");
  EXPECT_EQ(equal.verdicts.front(),
            "day: a tie: easy and the same have the same mean_wait_s with each of 3 seeds, 2 s on average.");
  const Comparison noisy = made({"a", "b"}, "mean_wait_s", {{1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1.5}});
  EXPECT_EQ(word(noisy, 1), "tie");
  EXPECT_EQ(
      noisy.verdicts.front(),
      "day: a tie: a and b cannot be told apart by mean_wait_s: 1.5 and 1.583 s on average over 6 seeds.");
  EXPECT_EQ(made({"a", "b"}, "mean_wait_s", {{4, 1}, {1, 2}}).verdicts.front(),
            "day: a tie: a and b cannot be told apart by mean_wait_s: 2.5 and 1.5 s on average over 2 seeds; "
            "2 seeds are too few to be certain, it takes at least 6.");
  EXPECT_EQ(made({"a", "b"}, "mean_wait_s", {{2}, {2}}).verdicts.front(),
            "day: a tie: a and b have the same mean_wait_s, 2 s, with the one seed that all have.");
}

TEST(CompareVerdicts, TheBestIsNotCrownedIfAnotherTiesWithIt) {
  const Comparison c = made({"fcfs", "sjf", "easy"}, "mean_wait_s",
                            {{20, 22, 21, 23, 19, 20}, {10, 12, 11, 13, 9, 10}, {12, 10, 11, 13, 10, 8}});
  EXPECT_EQ(c.confidence, 0.975);
  EXPECT_THAT(c.verdicts.front(),
              HasSubstr("easy and sjf tie for the lowest mean_wait_s: 10.67 s with easy, 10.17 s (48.8 %) "
                        "less than fcfs on average; but 6 seeds are too few to be certain, it takes at "
                        "least 7."));
}

TEST(CompareVerdicts, FewSeedsAreNotCertain) {
  const Comparison c = made({"a", "b"}, "mean_wait_s", {{5, 6, 5}, {3, 4, 4}});
  EXPECT_EQ(word(c, 1), "unknown");
  EXPECT_EQ(
      c.verdicts.front(),
      "day: b has the lowest mean_wait_s: 3.667 s, 1.667 s (31.3 %) less than a on average; but 3 seeds "
      "are too few to be certain, it takes at least 6.");
  EXPECT_THAT(c.notices,
              testing::ElementsAre("too few seeds to be certain: 3, of at least 6 for 2 variants"));
  const Comparison one = made({"a", "b"}, "mean_wait_s", {{5}, {3}});
  EXPECT_EQ(
      one.verdicts.front(),
      "day: b has the lowest mean_wait_s: 3 s, 2 s (40 %) less than a, with the one seed that all have; "
      "another may say otherwise.");
  // Seeds that change nothing are as good as one run.
  const Comparison same = made({"a", "b"}, "mean_wait_s", {{5, 5}, {3, 3}});
  EXPECT_EQ(word(same, 1), "better");
  EXPECT_THAT(same.verdicts.front(), HasSubstr("exactly, with each of 2 seeds"));
}

TEST(CompareVerdicts, MoreVariantsTakeMoreSeeds) {
  // Six pairs of one sign come by chance once in 32: enough for one difference at 5 %, not for one of three,
  // where every third of 5 % is asked for.
  const std::vector<double> base = {20, 22, 21, 23, 19, 20};
  const std::vector<double> less = {10, 12, 11, 13, 9, 11};
  EXPECT_EQ(word(made({"a", "b"}, "mean_wait_s", {base, less}), 1), "better");
  const Comparison four = made({"a", "b", "c", "d"}, "mean_wait_s", {base, less, base, base});
  EXPECT_EQ(word(four, 1), "unknown");
  EXPECT_THAT(four.notices,
              testing::ElementsAre("too few seeds to be certain: 6, of at least 7 for 4 variants"));
}

TEST(CompareVerdicts, WhatCannotBeComparedIsNot) {
  Comparison apart = made({"a", "b"}, "mean_wait_s", {{5, 6}, {3, 4}});
  apart.runs[0].metrics.clear();
  apart.runs[3].metrics.clear();
  conclude(apart);
  EXPECT_EQ(apart.verdicts.front(),
            "day: a and b cannot be compared: there is no seed with which all of them have mean_wait_s.");
  Comparison one = made({"a", "b", "c"}, "mean_wait_s", {{5}, {3}, {4}});
  one.runs[1].metrics.clear();
  conclude(one);
  EXPECT_EQ(
      one.verdicts.front(),
      "day: c has the lowest mean_wait_s: 4 s, 1 s (20 %) less than a, with the one seed that all have; "
      "another may say otherwise; b has no mean_wait_s.");
  one.runs[2].metrics.clear();
  conclude(one);
  EXPECT_EQ(one.verdicts.front(),
            "day: nothing to compare: mean_wait_s of a is 5 s; b and c have no mean_wait_s.");
  one.runs[0].metrics.clear();
  one.objective = "mean_wait_s";
  conclude(one);
  EXPECT_EQ(one.verdicts.front(), "day: no run has mean_wait_s.");
}

TEST(CompareVerdicts, WhatIsNeitherGoodNorBadHasARange) {
  EXPECT_EQ(made({"a", "b", "c"}, "attempts", {{4}, {7}, {5}}).verdicts.front(),
            "day: attempts is neither good nor bad: from 4 with a to 7 with b.");
  EXPECT_EQ(made({"a", "b"}, "attempts", {{4}, {4}}).verdicts.front(),
            "day: attempts is neither good nor bad: 4 with a and b.");
}

TEST(CompareVerdicts, OneVariantIsDescribed) {
  const Comparison c = made({"as written"}, "mean_wait_s", {{5, 7}});
  EXPECT_EQ(c.verdicts.front(), "day: mean_wait_s of as written is 6 s on average over 2 seeds (5 to 7 s).");
}

TEST(CompareVerdicts, RunsThatBrokeAreTold) {
  Comparison c = made({"a", "b"}, "mean_wait_s", {{5, 6}, {3, 4}});
  c.runs[1].ended = "failed";
  c.runs[1].failures = {"ended by signal 6"};
  c.runs[1].metrics.clear();
  c.runs[3].ended = "stalled";
  conclude(c);
  EXPECT_EQ(find_cell(c, 0, "mean_wait_s", 1)->pairs, 1U);
  EXPECT_THAT(c.notices,
              testing::ElementsAre("1 run: did not end: ended by signal 6 (day, a, seed 2)",
                                   "1 run: stalled: jobs wait that will never run (day, b, seed 2)"));
}

TEST(CompareVerdicts, FiguresHaveFourDigits) {
  EXPECT_EQ(figure(0), "0");
  EXPECT_EQ(figure(3478.5643), "3479");
  EXPECT_EQ(figure(-0.0123456), "-0.01235");
  EXPECT_EQ(figure(12.5), "12.5");
  EXPECT_EQ(figure(12345678), "1.235e+07");
  EXPECT_EQ(percent(0.0314, true), "+3.1 %");
  EXPECT_EQ(percent(-0.5), "-50 %");
}

TEST(CompareVerdicts, MarkdownIsSafe) {
  Comparison c = made({"a|b", "<b>"}, "mean_wait_s", {{5}, {3}});
  const std::string text = comparison_markdown(c);
  EXPECT_THAT(text, HasSubstr("| mean_wait_s | a\\|b | 5 |  |  |  | baseline |"));
  EXPECT_THAT(text, HasSubstr("\\<b\\>"));
}

}  // namespace
}  // namespace duet::sim::compare_test
