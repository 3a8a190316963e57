// The queues, by hand: who starts when, in whole seconds, on a few cores.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/harness.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

/// Instants at which the jobs 1.. started for the first time, in seconds; -1 = not within the run.
std::vector<int> starts_of(const Harness& h) {
  std::vector<int> all;
  for (std::size_t j = 1; j <= h.accepted().size(); ++j) {
    const Lines starting = h.lines("task " + std::to_string(j) + ".0#1 starting");
    all.push_back(starting.empty() ? -1 : std::stoi(starting.front()));
  }
  return all;
}

struct QueueJob {
  int at_s;
  std::uint32_t cores;
  int runs_s;
  int estimate_s;  ///< 0 = unknown
};

std::vector<int> schedule(const std::string& queue, std::uint32_t pool, const std::vector<QueueJob>& jobs) {
  Harness h(cluster().nodes(1, cores(pool)).queue(queue));
  for (const QueueJob& j : jobs)
    h.at(Seconds(j.at_s))
        .submit(job("j").cores(j.cores).runs(Seconds(j.runs_s)).estimate(Seconds(j.estimate_s)));
  h.run();
  return starts_of(h);
}

using Starts = std::vector<int>;

TEST(CoreQueues, FcfsStopsAtTheFirstThatDoesNotFit) {
  const std::vector<QueueJob> jobs = {{0, 3, 10, 0}, {1, 2, 5, 0}, {2, 1, 5, 0}};
  EXPECT_EQ(schedule("fcfs", 4, jobs), (Starts{0, 10, 10}));
}

TEST(CoreQueues, FcfsTakesJobsOfOneInstantInTheirOrder) {
  EXPECT_EQ(schedule("fcfs", 1, {{0, 1, 1, 9}, {0, 1, 1, 1}, {0, 1, 1, 5}}), (Starts{0, 1, 2}));
}

TEST(CoreQueues, SjfTakesTheShortestEstimateAndTheUnknownLast) {
  const std::vector<QueueJob> jobs = {{0, 1, 10, 10}, {1, 1, 3, 0}, {2, 1, 3, 9}, {3, 1, 3, 4}, {4, 1, 3, 4}};
  EXPECT_EQ(schedule("sjf", 1, jobs), (Starts{0, 19, 16, 10, 13}));
}

TEST(CoreQueues, SjfDoesNotBackfill) {
  const std::vector<QueueJob> jobs = {{0, 3, 10, 10}, {1, 2, 2, 2}, {1, 1, 5, 5}};
  EXPECT_EQ(schedule("sjf", 4, jobs), (Starts{0, 10, 10}));
}

TEST(CoreQueues, PriorityTakesTheHighestAndOfEqualOnesTheFirst) {
  Harness h(cluster().nodes(1, cores(1)).queue("priority"));
  for (const std::int32_t priority : {0, -5, 3, 0, 3}) h.at(0s).submit(job("j").priority(priority));
  h.at(2s).submit(job("late").priority(9));  // Ahead of all that waits, and no reason to end what runs.
  h.run();
  EXPECT_EQ(starts_of(h), (Starts{3, 5, 0, 4, 1, 2}));
}

TEST(CoreQueues, PriorityIsStrict) {
  // Job 2 would fit beside job 1, but job 3 comes first and does not.
  Harness h(cluster().nodes(1, cores(4)).queue("priority"));
  h.at(0s).submit(job("runs").cores(3).runs(10s));
  h.at(1s).submit(job("low").cores(1)).submit(job("high").cores(2).priority(1));
  h.run();
  EXPECT_EQ(starts_of(h), (Starts{0, 10, 10}));
}

TEST(CoreQueues, EasyBackfillsWhatEndsInTime) {
  // Job 2 is promised 10 s. Job 3 ends by then; job 4 would end a second late, and no core is extra.
  const std::vector<QueueJob> jobs = {{0, 3, 10, 10}, {1, 4, 5, 5}, {2, 1, 8, 8}, {2, 1, 9, 9}};
  EXPECT_EQ(schedule("easy", 4, jobs), (Starts{0, 10, 2, 15}));
}

TEST(CoreQueues, EasyBackfillsLongJobsIntoTheExtraCores) {
  // At 10 s job 2 takes 3 of 4 cores: one is extra. Job 3 uses it up, job 4 comes too late for it.
  const std::vector<QueueJob> jobs = {{0, 2, 10, 10}, {1, 3, 5, 5}, {2, 1, 50, 50}, {2, 1, 50, 50}};
  EXPECT_EQ(schedule("easy", 4, jobs), (Starts{0, 10, 2, 15}));
}

TEST(CoreQueues, EasyCountsTheExtraOnlyForJobsThatDoNotEndInTime) {
  // As before, but the first backfilled job ends in time: the extra core is still there for the long one.
  const std::vector<QueueJob> jobs = {{0, 2, 10, 10}, {1, 3, 5, 5}, {2, 1, 8, 8}, {2, 1, 50, 50}};
  EXPECT_EQ(schedule("easy", 4, jobs), (Starts{0, 10, 2, 2}));
}

TEST(CoreQueues, EasyCountsJobsThatStartedInTheVerySamePass) {
  // All at once: job 1 starts, job 2 is promised 10 s. Job 4 may pass it; job 3 would end a second late.
  const std::vector<QueueJob> jobs = {{0, 3, 10, 10}, {0, 4, 5, 5}, {0, 1, 11, 11}, {0, 1, 10, 10}};
  EXPECT_EQ(schedule("easy", 4, jobs), (Starts{0, 10, 15, 0}));
}

TEST(CoreQueues, EasyFreesCoresOfOneEstimatedEndTogether) {
  // Both running jobs end at 10 s by estimate: beside the head's 3 of 5 cores 2 are extra, and job 4 fits.
  const std::vector<QueueJob> jobs = {{0, 2, 10, 10}, {0, 1, 10, 10}, {1, 3, 5, 5}, {2, 2, 50, 50}};
  EXPECT_EQ(schedule("easy", 5, jobs), (Starts{0, 0, 10, 2}));
}

TEST(CoreQueues, EasyExpectsAnOverdueJobToEndAtAnyTime) {
  // Job 1 was to end at 5 s and runs until 20 s. From 5 s on, nothing that needs the head's cores may start.
  EXPECT_EQ(schedule("easy", 4, {{0, 3, 20, 5}, {1, 4, 5, 5}, {7, 1, 1, 1}}), (Starts{0, 20, 25}));
  EXPECT_EQ(schedule("easy", 4, {{0, 3, 20, 5}, {1, 3, 5, 5}, {7, 1, 50, 50}}), (Starts{0, 20, 7}));
}

TEST(CoreQueues, EasyWithUnknownEstimatesHasNoShadowToRespect) {
  const std::vector<QueueJob> jobs = {{0, 3, 10, 0}, {1, 4, 5, 5}, {2, 1, 50, 50}};
  EXPECT_EQ(schedule("easy", 4, jobs), (Starts{0, 52, 2}));
}

TEST(CoreQueues, EasyLetsAJobOfUnknownLengthUseOnlyTheExtra) {
  const std::vector<QueueJob> one_extra = {{0, 2, 10, 10}, {1, 3, 5, 5}, {2, 1, 1, 0}};
  EXPECT_EQ(schedule("easy", 4, one_extra), (Starts{0, 10, 2}));
  const std::vector<QueueJob> no_extra = {{0, 2, 10, 10}, {1, 4, 5, 5}, {2, 1, 1, 0}};
  EXPECT_EQ(schedule("easy", 4, no_extra), (Starts{0, 10, 15}));
}

TEST(CoreQueues, EasyRefusesWhatItCannotCount) {
  Harness h(cluster().nodes(1, cores(4).memory(100)).nodes(1, cores(4).memory(100)).queue("easy"));
  h.at(1s).submit(job("memory").memory(1)).submit(job("exclusive").exclusive()).submit(job("fine"));
  h.run();
  const std::string why =
      "refused: easy counts cores only, so a task may need nothing else; use easy_machines";
  EXPECT_EQ(h.replies(),
            (Lines{"1.000000000 reply 1 " + why, "1.000000000 reply 2 " + why, "1.000000000 reply 3 job 1"}));
  Harness mixed(cluster().nodes(1, cores(4)).nodes(1, cores(2)).queue("easy"));
  mixed.at(1s).submit(job("fine"));
  mixed.run();
  EXPECT_EQ(mixed.replies(),
            (Lines{"1.000000000 reply 1 refused: easy counts free cores over identical nodes, and "
                   "these differ; use easy_machines"}));
}

TEST(CoreQueues, EasyKeepsItsPromiseThoughABagStartsInParts) {
  // One core is free on n0..n3 each, and n5 whole. At 10 s the head's three whole nodes are there, and 4
  // cores extra. Of the bag one task fits now, which leaves 2 extra: not enough for four cores.
  Harness h(cluster().nodes(6, cores(2)).queue("easy").scheduler("round_robin"));
  h.at(0s).submit(job("a").tasks(4).cores(1).runs(10s).estimate(10s));
  h.at(0s).submit(job("b").cores(2).runs(100s).estimate(100s));
  h.at(1s).submit(job("head").tasks(3).cores(2).runs(5s).estimate(5s));
  h.at(2s).submit(job("bag").bag().tasks(2).cores(2).runs(50s).estimate(50s));
  h.at(2s).submit(job("four").tasks(4).cores(1).runs(50s).estimate(50s));
  h.run();
  EXPECT_EQ(starts_of(h), (Starts{0, 0, 10, 2, 15}));
}

/// Gangs of one-core tasks on one-core nodes, as machine-level backfilling sees them.
std::vector<int> machines(const std::string& queue, const std::vector<QueueJob>& jobs) {
  Harness h(cluster().nodes(4, cores(1)).queue(queue));
  for (const QueueJob& j : jobs)
    h.at(Seconds(j.at_s))
        .submit(job("j").tasks(j.cores).runs(Seconds(j.runs_s)).estimate(Seconds(j.estimate_s)));
  h.run();
  return starts_of(h);
}

TEST(CoreQueues, EasyMachinesRefusesABackfillThatCountingAllows) {
  // Job 1 runs on node 0 until 20 s, job 2 on nodes 1 and 2 until 10 s, by estimate. The head needs two at 10
  // s and is promised nodes 1 and 2; node 3 is extra for counting and for machines.
  const std::vector<QueueJob> jobs = {{0, 1, 20, 20}, {0, 2, 10, 10}, {1, 2, 5, 5}, {2, 1, 50, 50}};
  EXPECT_EQ(machines("easy", jobs), (Starts{0, 0, 10, 2}));
  EXPECT_EQ(machines("easy_machines", jobs), (Starts{0, 0, 10, 2}));
  // Now the free node is node 0: job 1 has ended early. The head is promised nodes 0 and 1, so a long job may
  // not have node 0, though a core would be extra at 10 s.
  const std::vector<QueueJob> early = {{0, 1, 1, 20}, {0, 3, 10, 10}, {1, 2, 5, 5}, {2, 1, 50, 50}};
  EXPECT_EQ(machines("easy", early), (Starts{0, 0, 10, 2}));
  EXPECT_EQ(machines("easy_machines", early), (Starts{0, 0, 10, 10}));
}

TEST(CoreQueues, EasyMachinesBackfillsWhatEndsInTimeOnReservedNodes) {
  const std::vector<QueueJob> jobs = {
      {0, 1, 1, 20}, {0, 3, 10, 10}, {1, 2, 5, 5}, {2, 1, 8, 8}, {2, 1, 9, 9}};
  EXPECT_EQ(machines("easy_machines", jobs), (Starts{0, 0, 10, 2, 10}));
}

TEST(CoreQueues, EasyMachinesCountsJobsThatStartedInTheVerySamePass) {
  const std::vector<QueueJob> jobs = {{0, 3, 10, 10}, {0, 4, 5, 5}, {0, 1, 11, 11}, {0, 1, 10, 10}};
  EXPECT_EQ(machines("easy_machines", jobs), (Starts{0, 10, 15, 0}));
}

TEST(CoreQueues, EasyMachinesReservesOnNodesOfAnyShape) {
  // Only node 1 is big enough for the head, from 10 s on; node 0 is no use to it and may be filled meanwhile.
  Harness h(cluster().nodes(1, cores(2)).nodes(1, cores(4)).queue("easy_machines").scheduler("first_fit"));
  h.at(0s).submit(job("big").cores(3).runs(10s).estimate(10s));
  h.at(1s).submit(job("head").cores(4).runs(5s).estimate(5s));
  h.at(2s).submit(job("two").cores(2).runs(50s).estimate(50s));
  h.at(3s).submit(job("one").cores(1).runs(50s).estimate(50s));
  h.run();
  EXPECT_EQ(starts_of(h), (Starts{0, 10, 2, 15}));
}

TEST(CoreQueues, EasyMachinesRefusesBags) {
  Harness h(cluster().nodes(1, cores(1)).queue("easy_machines"));
  h.at(0s).submit(job("bag").bag().tasks(2));
  h.run();
  EXPECT_EQ(h.replies(), (Lines{"0.000000000 reply 1 refused: easy_machines reserves for rigid jobs only"}));
}

}  // namespace
}  // namespace duet::test
