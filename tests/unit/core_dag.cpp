// Groups of tasks that come after others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/harness.h"
#include "tests/harness/restarts.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

/// a (2 tasks, 3 s) -> b (5 s) and c (1 s) -> d (2 s).
JobBuilder diamond() {
  return job("diamond")
      .dag()
      .tasks(2)
      .runs(3s)
      .and_group(1)
      .cores(1)
      .runs(5s)
      .comes_after({0})
      .and_group(1)
      .cores(1)
      .runs(1s)
      .comes_after({0})
      .and_group(1)
      .cores(1)
      .runs(2s)
      .comes_after({1, 2});
}

TEST(CoreDag, GroupsStartWhenThoseBeforeThemHaveSucceeded) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(diamond());
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0",
                   "3.000000000 task 1.2#1 starting n0", "3.000000000 task 1.3#1 starting n0",
                   "8.000000000 task 1.4#1 starting n0"}));
  EXPECT_EQ(h.lines("job 1").back(), "10.000000000 job 1 succeeded");
}

TEST(CoreDag, AFailureForGoodCancelsWhatComesAfterAndNothingElse) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(diamond().fails(9).only_task(3));  // c
  h.run();
  EXPECT_EQ(h.lines("task 1.2#1").back(), "8.000000000 task 1.2#1 succeeded n0") << "another branch goes on";
  EXPECT_EQ(h.lines("task 1.4").back(), "4.000000000 task 1.4#0 cancelled killed");
  EXPECT_EQ(h.lines("job 1").back(), "8.000000000 job 1 failed");
}

TEST(CoreDag, ARetryHoldsUpOnlyWhatComesAfter) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(diamond().fails(1).only_task(2).retries(1));  // b fails once, after 5 s
  h.run();
  EXPECT_EQ(h.lines("task 1.4#1").front(), "13.000000000 task 1.4#1 starting n0");
  EXPECT_EQ(h.lines("job 1").back(), "15.000000000 job 1 succeeded");
}

TEST(CoreDag, GoesOnUnderANewControllerAtAnyStep) {
  const auto script = [](Harness& h) {
    h.at(0s).submit(diamond().fails(1).only_task(2).retries(1)).submit(diamond().fails(9).only_task(3));
    h.at(4s).submit(diamond());
    h.at(6s).cancel(3);
  };
  expect_same_after_restarts(cluster().nodes(2, cores(2)), script);
}

TEST(CoreDag, MayHaveSeveralBeginnings) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(job("two").dag().runs(1s).and_group(1).cores(1).runs(2s));
  h.run();
  EXPECT_THAT(refusals(h), testing::IsEmpty());
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0"}));
}

TEST(CoreDag, RefusesWhatCannotComeAfterEachOther) {
  Harness h(cluster().nodes(1, cores(4)));
  const auto two = [](std::vector<std::uint32_t> first, std::vector<std::uint32_t> second) {
    return job("two")
        .dag()
        .comes_after(std::move(first))
        .and_group(1)
        .cores(1)
        .runs(1s)
        .comes_after(std::move(second));
  };
  h.at(0s).submit(two({}, {2})).submit(two({1}, {0})).submit(two({}, {0, 0})).submit(two({0}, {}));
  h.at(0s).submit(job("bag").bag().tasks(2).and_group(1).cores(1).runs(1s).comes_after({0}));
  h.run();
  EXPECT_EQ(refusals(h),
            (Lines{"0.000000000 reply 1 refused: a group comes after one that does not exist",
                   "0.000000000 reply 2 refused: the groups come after each other in a circle",
                   "0.000000000 reply 3 refused: the groups that one comes after must ascend",
                   "0.000000000 reply 4 refused: the groups come after each other in a circle",
                   "0.000000000 reply 5 refused: only the groups of a DAG come after each other"}));
}

}  // namespace
}  // namespace duet::test
