// Retries, gangs and bags, timeouts and kills: how often something is tried, and who goes down with whom.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/harness.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

/// The lines of one run of one job on `nodes` nodes of `n` cores, without the nodes' own.
Lines lines_of_job(const JobBuilder& job, std::uint32_t nodes, std::uint32_t n, std::string_view word = "") {
  Harness h(cluster().nodes(nodes, cores(n)));
  h.at(0s).submit(job);
  h.run();
  Lines found;
  for (const std::string& line : h.lines(word))
    if (line.find("node") == std::string::npos) found.push_back(line);
  return found;
}

TEST(CoreRetries, S3_14_ThreeRetriesAreFourAttemptsThenTaskAndJobFail) {
  EXPECT_EQ(lines_of_job(job("a").fails(9).retries(3), 1, 1), (Lines{
                                                                  "0.000000000 job 1 pending",
                                                                  "0.000000000 task 1.0#1 starting n0",
                                                                  "0.000000000 job 1 running",
                                                                  "0.000000000 task 1.0#1 running n0",
                                                                  "1.000000000 task 1.0#1 pending n0 failed",
                                                                  "1.000000000 job 1 pending",
                                                                  "1.000000000 task 1.0#2 starting n0",
                                                                  "1.000000000 job 1 running",
                                                                  "1.000000000 task 1.0#2 running n0",
                                                                  "2.000000000 task 1.0#2 pending n0 failed",
                                                                  "2.000000000 job 1 pending",
                                                                  "2.000000000 task 1.0#3 starting n0",
                                                                  "2.000000000 job 1 running",
                                                                  "2.000000000 task 1.0#3 running n0",
                                                                  "3.000000000 task 1.0#3 pending n0 failed",
                                                                  "3.000000000 job 1 pending",
                                                                  "3.000000000 task 1.0#4 starting n0",
                                                                  "3.000000000 job 1 running",
                                                                  "3.000000000 task 1.0#4 running n0",
                                                                  "4.000000000 task 1.0#4 failed n0",
                                                                  "4.000000000 job 1 failed",
                                                              }));
}

TEST(CoreRetries, HowManyAttemptsAndHowTheyEnd) {
  struct Case {
    std::uint32_t fails, retries;
    std::string last;
  };
  for (const auto& [fails, retries, last] :
       {Case{0, 0, "#1 succeeded n0"}, Case{1, 0, "#1 failed n0"}, Case{1, 1, "#2 succeeded n0"},
        Case{3, 3, "#4 succeeded n0"}, Case{4, 3, "#4 failed n0"}}) {
    const Lines tasks = lines_of_job(job("a").fails(fails).retries(retries), 1, 1, "task");
    EXPECT_NE(tasks.back().find(last), std::string::npos) << tasks.back();
  }
}

TEST(CoreRetries, WhatCannotBeStartedIsRetriedToo) {
  EXPECT_EQ(lines_of_job(job("a").unstartable().retries(1), 1, 1, "task"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.0#1 pending n0 launch_failed",
                   "0.000000000 task 1.0#2 starting n0", "0.000000000 task 1.0#2 failed n0 launch_failed"}));
}

TEST(CoreRetries, ATimeoutKillsAndCountsAsAFailure) {
  EXPECT_EQ(lines_of_job(job("a").runs(60s).timeout(7s).retries(1), 1, 1, "n0"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.0#1 running n0",
                   "7.000000000 task 1.0#1 pending n0 timed_out", "7.000000000 task 1.0#2 starting n0",
                   "7.000000000 task 1.0#2 running n0", "14.000000000 task 1.0#2 failed n0 timed_out"}));
}

TEST(CoreRetries, ATaskThatEndsAtItsTimeoutHasSucceeded) {
  // Completions come before the agent is woken.
  EXPECT_EQ(lines_of_job(job("a").runs(7s).timeout(7s), 1, 1, "job 1").back(), "7.000000000 job 1 succeeded");
}

TEST(CoreRetries, WhatIgnoresTheKillIsForcedAfterTheGrace) {
  Harness h(cluster().nodes(1, cores(1)).kill_grace(3s));
  h.at(0s).submit(job("a").runs(60s).stubborn());
  h.at(0s).submit(job("b"));
  h.at(5s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("stopping"), (Lines{"5.000000000 task 1.0#1 stopping n0"}));
  EXPECT_EQ(h.lines("cancelled n0"), (Lines{"8.000000000 task 1.0#1 cancelled n0 killed"}));
  EXPECT_EQ(h.lines("2.0#1 starting"), (Lines{"8.000000000 task 2.0#1 starting n0"}))
      << "its thread is taken until the exit is certain";
}

TEST(CoreGangs, StartTogetherOrNotAtAll) {
  Harness h(cluster().nodes(2, cores(2)));
  h.at(0s).submit(job("a").cores(2).runs(10s)).submit(job("gang").tasks(3).runs(5s));
  h.run();
  EXPECT_EQ(h.lines("2.0#1 starting"), (Lines{"10.000000000 task 2.0#1 starting n0"}));
  EXPECT_EQ(h.lines("task 2"), (Lines{
                                   "10.000000000 task 2.0#1 starting n0",
                                   "10.000000000 task 2.1#1 starting n0",
                                   "10.000000000 task 2.2#1 starting n1",
                                   "10.000000000 task 2.0#1 running n0",
                                   "10.000000000 task 2.1#1 running n0",
                                   "10.000000000 task 2.2#1 running n1",
                                   "15.000000000 task 2.0#1 succeeded n0",
                                   "15.000000000 task 2.1#1 succeeded n0",
                                   "15.000000000 task 2.2#1 succeeded n1",
                               }));
}

TEST(CoreGangs, OneMemberThatFailsRestartsAll) {
  EXPECT_EQ(lines_of_job(job("gang").tasks(2).runs(10s).fails(1).only_task(1).after(4s).retries(1), 2, 1),
            (Lines{
                "0.000000000 job 1 pending",
                "0.000000000 task 1.0#1 starting n0",
                "0.000000000 job 1 running",
                "0.000000000 task 1.1#1 starting n1",
                "0.000000000 task 1.0#1 running n0",
                "0.000000000 task 1.1#1 running n1",
                "4.000000000 task 1.1#1 pending n1 failed",
                "4.000000000 task 1.0#1 stopping n0",
                "4.000000000 task 1.0#1 pending n0 killed",
                "4.000000000 job 1 pending",
                "4.000000000 task 1.0#2 starting n0",
                "4.000000000 job 1 running",
                "4.000000000 task 1.1#2 starting n1",
                "4.000000000 task 1.0#2 running n0",
                "4.000000000 task 1.1#2 running n1",
                "14.000000000 task 1.0#2 succeeded n0",
                "14.000000000 task 1.1#2 succeeded n1",
                "14.000000000 job 1 succeeded",
            }));
}

TEST(CoreGangs, RetriesAreCountedForTheGangNotForEachMember) {
  // In each attempt of the gang one member fails: the second time is once too often.
  const JobBuilder gang = job("gang").tasks(3).runs(10s).fails(9).only_task(2).after(4s).retries(1);
  EXPECT_EQ(lines_of_job(gang, 1, 3, "8.0"), (Lines{
                                                 "8.000000000 task 1.2#2 failed n0",
                                                 "8.000000000 task 1.0#2 stopping n0",
                                                 "8.000000000 task 1.1#2 stopping n0",
                                                 "8.000000000 task 1.0#2 cancelled n0 killed",
                                                 "8.000000000 task 1.1#2 cancelled n0 killed",
                                                 "8.000000000 job 1 failed",
                                             }));
}

TEST(CoreGangs, AllMembersFailingAtOnceCostOneRetry) {
  const Lines tasks = lines_of_job(job("gang").tasks(2).runs(10s).fails(1).retries(1), 1, 2, "#2");
  EXPECT_EQ(tasks.back(), "20.000000000 task 1.1#2 succeeded n0");
}

TEST(CoreGangs, AMemberThatHasSucceededIsNotRunAgain) {
  // Task 0 ends at the same instant as task 1 fails, and completions are told by attempt.
  const Lines tasks =
      lines_of_job(job("gang").tasks(2).runs(10s).fails(1).only_task(1).retries(1), 1, 2, "starting");
  EXPECT_EQ(tasks, (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0",
                          "10.000000000 task 1.1#2 starting n0"}));
}

TEST(CoreGangs, LosingANodeRestartsAllAndCostsNoRetry) {
  Harness h(cluster().nodes(3, cores(1)));
  h.at(0s).submit(job("gang").tasks(2).runs(60s));
  h.at(15s).crash(0);
  h.run();
  EXPECT_EQ(h.lines("task"), (Lines{
                                 "0.000000000 task 1.0#1 starting n0",
                                 "0.000000000 task 1.1#1 starting n1",
                                 "0.000000000 task 1.0#1 running n0",
                                 "0.000000000 task 1.1#1 running n1",
                                 "40.000000000 task 1.0#1 pending n0 lost",
                                 "40.000000000 task 1.1#1 stopping n1",
                                 "40.000000000 task 1.1#1 pending n1 killed",
                                 "40.000000000 task 1.0#2 starting n1",
                                 "40.000000000 task 1.1#2 starting n2",
                                 "40.000000000 task 1.0#2 running n1",
                                 "40.000000000 task 1.1#2 running n2",
                                 "100.000000000 task 1.0#2 succeeded n1",
                                 "100.000000000 task 1.1#2 succeeded n2",
                             }));
}

TEST(CoreGangs, MembersOnOneLostNodeAreLostTogetherAndCountedOnce) {
  Harness h(cluster().nodes(2, cores(2)).max_losses(1));
  h.at(0s).submit(job("gang").tasks(2).runs(60s));
  h.at(15s).crash(0);
  h.run();
  EXPECT_EQ(h.lines("lost").size(), 2U);
  EXPECT_EQ(h.lines("job 1").back(), "100.000000000 job 1 succeeded");
}

TEST(CoreBags, TasksRunAsCapacityAllowsAndAreRetriedAlone) {
  EXPECT_EQ(lines_of_job(job("bag").bag().tasks(3).runs(10s).fails(1).only_task(0).after(4s).retries(1), 1, 2,
                         "starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0",
                   "4.000000000 task 1.0#2 starting n0", "10.000000000 task 1.2#1 starting n0"}));
}

TEST(CoreBags, OneFailedTaskFailsTheJobButNotTheOtherTasks) {
  EXPECT_EQ(lines_of_job(job("bag").bag().tasks(3).runs(10s).fails(9).only_task(0), 1, 1),
            (Lines{
                "0.000000000 job 1 pending",
                "0.000000000 task 1.0#1 starting n0",
                "0.000000000 job 1 running",
                "0.000000000 task 1.0#1 running n0",
                "10.000000000 task 1.0#1 failed n0",
                "10.000000000 task 1.1#1 starting n0",
                "10.000000000 task 1.1#1 running n0",
                "20.000000000 task 1.1#1 succeeded n0",
                "20.000000000 task 1.2#1 starting n0",
                "20.000000000 task 1.2#1 running n0",
                "30.000000000 task 1.2#1 succeeded n0",
                "30.000000000 job 1 failed",
            }));
}

TEST(CoreBags, GroupsAreOfDifferentShapesAndNumberedThrough) {
  const Lines tasks =
      lines_of_job(job("bag").bag().tasks(2).runs(10s).and_group(1).cores(2).runs(5s), 1, 2, "starting");
  EXPECT_EQ(tasks, (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0",
                          "10.000000000 task 1.2#1 starting n0"}));
}

}  // namespace
}  // namespace duet::test
