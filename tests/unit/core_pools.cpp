// Worker pools: which worker executes which operation, and how many workers there are. Rows S1-06 to S1-15
// and S3-12, S3-21 of the sources are named where their observable values are asserted.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/harness.h"
#include "tests/harness/notices.h"
#include "tests/harness/restarts.h"
#include "tests/unit/pools_support.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

/// "2.0#1 -> 1.0#1 on 0": each operation's launch, with the worker and the threads it was given.
Lines routes(const Harness& h) {
  Lines lines;
  for (const Letter& letter : h.letters()) {
    const auto* launch = letter.as<msg::Launch>();
    if (launch == nullptr || !launch->worker) continue;
    std::string line = attempt_text(launch->attempt) + " -> " + attempt_text(*launch->worker) + " on";
    launch->threads.for_each([&](std::uint32_t thread) { line += " " + std::to_string(thread); });
    lines.push_back(line);
  }
  return lines;
}

TEST(CorePools, S1_06_WorkersTakeZonesInOrder) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(3, 3));
  h.at(1s).submit(operation("a", 1s)).submit(operation("b", 1s)).submit(operation("c", 1s));
  h.at(9s).cancel(1);
  h.run();
  // Zone i has the threads i and i + 3; an operation takes the lower one first.
  EXPECT_EQ(routes(h), (Lines{"2.0#1 -> 1.0#1 on 0", "3.0#1 -> 1.1#1 on 1", "4.0#1 -> 1.2#1 on 2"}));
}

TEST(CorePools, S1_07_AdmittedRoutedRunThenTheResultThenTheCheck) {
  // Two operations fill the only worker to 80 %: nothing is spawned when they are admitted, nor while they
  // run. The first result leaves 40 %. The next two leave more than 70 % after a result: only then comes the
  // check.
  Harness h(cluster().nodes(1, zones()).autoscaler("threshold"));
  h.at(0s).submit(zone_workers(1, 3));
  h.at(1s).submit(operation("a", kLoad400)).submit(operation("b", kLoad400));
  h.at(5s).submit(job("c").runs(9s).estimate(kLoad400 + 1s).in_pool("zones"));  // 625
  h.at(6s).submit(job("d").runs(1s).estimate(kLoad100).in_pool("zones"));       // 100
  h.at(6500ms).submit(job("e").runs(9s).estimate(kLoad100).in_pool("zones"));   // not above 800 with both
  h.at(20s).cancel(1);
  h.run();
  // At 6.5 s: 625 + 100 + 100 = 825 does not fit: a spawn for lack of room. It is there at once, and takes
  // `e`.
  EXPECT_THAT(h.lines("pool"),
              testing::ElementsAre("6.500000000 pool of job 1 from 1 to 2: no member has room"));
  EXPECT_EQ(routes(h).back(), "6.0#1 -> 1.1#1 on 1");
}

TEST(CorePools, S1_08_ExactlyFullIsAdmittedAndAHairMoreIsNot) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(1, 1));
  h.at(1s).submit(operation("a", kLoad400)).submit(operation("b", kLoad400)).submit(operation("c", 1ms));
  h.at(9s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("starting").size(), 4U);
  EXPECT_EQ(h.lines("task 3.0#1 starting").front(), "1.000000000 task 3.0#1 starting n0") << "80.0 %";
  EXPECT_EQ(h.lines("task 4.0#1 starting").front(), "1.666666667 task 4.0#1 starting n0") << "81.0 %";
}

TEST(CorePools, S1_09_AnIdleWorkerTakesWhatIsLargerThanItsThreshold) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(1, 1));
  h.at(1s).submit(operation("huge", 1000s)).submit(operation("small", 1ms));
  h.at(1100s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 2.0#1 starting").front(), "1.000000000 task 2.0#1 starting n0");
  EXPECT_EQ(h.lines("task 3.0#1 starting").front(), "1001.000000000 task 3.0#1 starting n0");
}

TEST(CorePools, S1_10_WhatFindsNoRoomWaitsInOrderUpToTheLimit) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(1, 1).queue_limit(2));
  h.at(1s).submit(operation("a", 5s)).submit(operation("b", 5s));
  h.at(1500ms).submit(operation("c", 1ms));
  h.at(2s).submit(operation("d", 1s));
  h.at(7s).submit(operation("e", 1s));
  h.at(20s).cancel(1);
  h.run();
  EXPECT_EQ(refusals(h),
            Lines{"2.000000000 reply 5 refused: the pool 'zones' is busy: 2 operations wait, at most 2 may"});
  // `c` would fit beside neither of the two: first come, first served.
  EXPECT_EQ(h.lines("#1 starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "1.000000000 task 2.0#1 starting n0",
                   "6.000000000 task 3.0#1 starting n0", "11.000000000 task 4.0#1 starting n0",
                   "11.000000000 task 5.0#1 starting n0"}));
}

TEST(CorePools, S1_11_OneMoreWhenAllAreBeyondSeventyPercentOneAtATimeUpToTheZones) {
  // Two of 500 and 100 each, on every worker; the results of the short ones leave 500: no spawn. One of 720
  // leaves more than 70 %.
  Harness h(cluster().nodes(1, zones()).autoscaler("threshold"));
  h.at(0s).submit(zone_workers(1, 3));
  h.at(1s).submit(job("long").runs(100s).estimate(kLoad500).in_pool("zones"));
  h.at(2s).submit(job("short").runs(1s).estimate(kLoad100).in_pool("zones"));
  h.at(4s).submit(job("more").runs(100s).estimate(300ms).in_pool("zones"));  // 230
  h.at(5s).submit(job("tiny").runs(1s).estimate(1ms).in_pool("zones"));      // 10
  h.at(200s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("pool"),
            Lines{"6.000000000 pool of job 1 from 1 to 2: all members are beyond the threshold"});
}

TEST(CorePools, S1_12_TheEstimateIsTheShareAndWhatNobodyKnowsFillsAWorker) {
  Harness h(cluster().nodes(1, zones()).estimator("iterations"));
  h.at(0s).submit(zone_workers(2, 2));
  JobSpec quick = *operation("quick", 10ms).spec();
  quick.groups.front().spec.iterations = 1'000'000;
  JobSpec heavy = *operation("heavy", 100s).spec();
  heavy.groups.front().spec.iterations = 10'000'000'000;
  h.at(1s).submit(std::make_shared<const JobSpec>(heavy)).submit(std::make_shared<const JobSpec>(quick));
  h.at(1s).submit(std::make_shared<const JobSpec>(quick));
  h.run_until(2s);
  const Pool& pool = *h.controller().pools().at("zones");
  EXPECT_EQ(pool.find(0)->load, 990);
  EXPECT_EQ(pool.find(1)->load, 0) << "both quick ones are over";
  EXPECT_EQ(routes(h), (Lines{"2.0#1 -> 1.0#1 on 0", "3.0#1 -> 1.1#1 on 1", "4.0#1 -> 1.1#1 on 4"}));
}

TEST(CorePools, S1_13_TheLeastLoadedWorkerAndTheFirstOfEquals) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(3, 3));
  h.at(1s).submit(job("a").runs(9s).estimate(kLoad400).in_pool("zones"));
  h.at(2s).submit(job("b").runs(9s).estimate(kLoad100).in_pool("zones"));
  h.at(3s).submit(job("c").runs(9s).estimate(kLoad100).in_pool("zones"));
  h.at(4s).submit(job("d").runs(9s).estimate(kLoad100).in_pool("zones"));
  h.at(20s).cancel(1);
  h.run();
  EXPECT_EQ(routes(h), (Lines{"2.0#1 -> 1.0#1 on 0", "3.0#1 -> 1.1#1 on 1", "4.0#1 -> 1.2#1 on 2",
                              "5.0#1 -> 1.1#1 on 4"}));
}

TEST(CorePools, S1_15_AWorkerThatDiesIsReplacedInItsZoneAndItsOperationsRunAgain) {
  Harness h(cluster().nodes(1, zones()));
  // Each attempt of a worker fails after 5 s, the first time only.
  h.at(0s).submit(zone_workers(2, 3).fails(1).only_task(0).after(5s));
  h.at(1s).submit(job("a").runs(10s).estimate(kLoad500).in_pool("zones"));
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 2.0"),
            (Lines{"1.000000000 task 2.0#1 starting n0", "1.000000000 task 2.0#1 running n0",
                   "5.000000000 task 2.0#1 pending n0 lost", "5.000000000 task 2.0#2 starting n0",
                   "5.000000000 task 2.0#2 running n0", "15.000000000 task 2.0#2 succeeded n0"}));
  EXPECT_EQ(h.lines("task 1.0#2 starting").front(), "5.000000000 task 1.0#2 starting n0");
  EXPECT_EQ(h.collisions(), Lines{});
}

TEST(CorePools, S3_12_WorkersThatPullGetOneOperationForEachAsk) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(2, 2).pulls());
  h.at(1s).submit(job("bag").bag().tasks(5).runs(2s).in_pool("zones"));
  h.at(20s).cancel(1);
  h.run();
  EXPECT_EQ(routes(h), (Lines{"2.0#1 -> 1.0#1 on 0", "2.1#1 -> 1.1#1 on 1", "2.2#1 -> 1.0#1 on 0",
                              "2.3#1 -> 1.1#1 on 1", "2.4#1 -> 1.0#1 on 0"}));
  EXPECT_EQ(h.lines("succeeded").back(), "7.000000000 job 2 succeeded");
}

TEST(CorePools, AnAskThatGotLostIsMadeAgain) {
  Harness h(cluster().nodes(1, zones()));
  h.fate([](const Letter& letter) {
    const auto* ask = letter.as<msg::Ask>();
    return ask != nullptr && ask->number <= 2 ? std::vector<Duration>{} : std::vector<Duration>{Duration{0}};
  });
  h.at(0s).submit(zone_workers(1, 1).pulls());
  h.at(1s).submit(operation("a", 1s));
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 2.0#1 starting").front(), "10.000000000 task 2.0#1 starting n0");
}

TEST(CorePools, AGrantThatIsCancelledOnTheWayLeavesTheWorkerAsking) {
  Harness h(cluster().nodes(1, zones()).kill_grace(1s));
  bool lose = true;
  h.fate([&lose](const Letter& letter) {
    const auto* launch = letter.as<msg::Launch>();
    const bool lost = launch != nullptr && launch->worker && std::exchange(lose, false);
    return lost ? std::vector<Duration>{} : std::vector<Duration>{Duration{0}};
  });
  h.at(0s).submit(zone_workers(1, 1).pulls());
  h.at(1s).submit(operation("a", 1s));
  h.at(2s).cancel(2);
  h.at(3s).submit(operation("b", 1s));
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("job 2").back(), "2.000000000 job 2 cancelled");
  EXPECT_EQ(h.lines("task 3.0#1 starting").front(), "5.000000000 task 3.0#1 starting n0");
}

TEST(CorePools, S3_21_S1_14_TheNumberOfWorkersFollowsTheQueue) {
  Harness h(
      cluster()
          .nodes(1, zones())
          .autoscaler("queue_depth", {{{"idle_s", std::int64_t{10}}, {"per_member", std::int64_t{2}}}}));
  h.at(0s).submit(zone_workers(0, 3).pulls());
  h.at(1s).submit(job("bag").bag().tasks(6).runs(4s).in_pool("zones"));
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("pool"),
            (Lines{"1.000000000 pool of job 1 from 0 to 3: operations need more members",
                   "15.000000000 pool of job 1 from 3 to 0: nothing has waited for a while"}));
  EXPECT_EQ(h.lines("job 2").back(), "9.000000000 job 2 succeeded");
}

TEST(CorePools, AWorkerIsNotEndedWhileItExecutesSomething) {
  Harness h(cluster()
                .nodes(1, zones())
                .autoscaler("queue_depth", {{{"idle_s", std::int64_t{1}}, {"per_member", std::int64_t{4}}}}));
  h.at(0s).submit(zone_workers(3, 3));
  h.at(1s).submit(job("a").runs(1s).in_pool("zones")).submit(job("b").runs(1s).in_pool("zones"));
  h.at(1s).submit(job("c").runs(30s).in_pool("zones"));
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 4.0").back(), "31.000000000 task 4.0#1 succeeded n0");
  EXPECT_EQ(h.lines("pool").back(), "31.000000000 pool of job 1 from 3 to 0: nothing has waited for a while");
}

TEST(CorePools, CooldownsHoldBackAndADryRunOnlySpeaks) {
  const auto script = [](Harness& h, JobBuilder workers) {
    h.at(0s).submit(workers.spec());
    h.at(1s).submit(job("a").bag().tasks(2).runs(40s).in_pool("zones"));
    h.at(2s).submit(job("b").bag().tasks(2).runs(40s).in_pool("zones"));
    h.at(200s).cancel(1);
    h.run();
  };
  Harness slow(cluster().nodes(1, zones()).autoscaler("threshold"));
  script(slow, zone_workers(1, 3).cooldowns(30s, 0s));
  EXPECT_EQ(slow.lines("pool"), (Lines{"1.000000000 pool of job 1 from 1 to 2: no member has room",
                                       "31.000000000 pool of job 1 from 2 to 3: no member has room"}));
  Harness dry(cluster().nodes(1, zones()).autoscaler("threshold"));
  script(dry, zone_workers(1, 3).dry_run());
  EXPECT_EQ(dry.lines("pool"), Lines{"1.000000000 pool of job 1 from 1 to 2 (not done): no member has room"});
}

TEST(CorePools, NothingNewGoesToWorkersOfADrainedOrSilentNode) {
  Harness h(cluster().nodes(2, cores(2)).dead_after(20, 30));
  h.at(0s).submit(job("zones").cores(2).service(2).runs(1h).workers_of("zones", 2).scheduler("round_robin"));
  h.at(1s).drain(0);
  h.at(2s).submit(job("a").bag().tasks(2).runs(1s).estimate(1ms).in_pool("zones"));
  h.at(3s).cut(1);
  h.at(25s).submit(job("b").runs(1s).in_pool("zones"));
  h.at(27s).undrain(0);
  h.at(90s).cancel(1);
  h.at(91s).heal(1);
  h.run();
  EXPECT_THAT(h.lines("task 2.0#1 starting").front(), testing::HasSubstr("2.000000000"));
  EXPECT_EQ(h.lines("task 2.1#1 starting").front(), "2.000000000 task 2.1#1 starting n1");
  EXPECT_EQ(h.lines("task 3.0#1 starting").front(), "27.000000000 task 3.0#1 starting n0");
}

TEST(CorePools, RequestsThatMakeNoSenseAreRefused) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(operation("early", 1s));
  h.at(1s).submit(zone_workers(2, 1));
  h.at(1s).submit(job("no service").workers_of("x", 1));
  h.at(1s).submit(zone_workers(1, 2));
  h.at(2s).submit(zone_workers(1, 2)).scale(1, 3);
  h.at(3s).submit(job("greedy").in_pool("zones").cores(1)).update(1, job("other").service(1).runs(1h));
  h.at(9s).cancel(1);
  h.at(10s).submit(operation("late", 1s));
  h.run();
  EXPECT_EQ(refusals(h),
            (Lines{"0.000000000 reply 1 refused: there is no pool 'zones'",
                   "1.000000000 reply 2 refused: the pool 'zones' has from 0 to 1 workers",
                   "1.000000000 reply 3 refused: only a service's replicas can be the workers of a pool",
                   "2.000000000 reply 5 refused: the pool 'zones' has from 0 to 2 workers",
                   "2.000000000 reply 6 refused: there is already a pool 'zones'",
                   "3.000000000 reply 7 refused: an update cannot change which pool the replicas belong to",
                   "3.000000000 reply 8 refused: an operation needs nothing of its own: its worker has it",
                   "10.000000000 reply 10 refused: there is no pool 'zones'"}));
}

TEST(CorePools, GoOnUnderANewControllerAtAnyStep) {
  for (const bool pull : {false, true}) {
    const auto script = [&](Harness& h) {
      JobBuilder workers = job("zones").exclusive().millicores(0).service(1).runs(1h).workers_of("zones", 4);
      h.at(0s).submit(pull ? workers.pulls() : workers);
      h.at(1s).submit(job("a").bag().tasks(5).runs(3s).estimate(kLoad400).in_pool("zones"));
      h.at(2s).submit(job("b").runs(2s).retries(3).fails(1).in_pool("zones"));
      h.at(3s).crash(1);
      h.at(4s).submit(job("c").bag().tasks(3).runs(2s).estimate(kLoad800).in_pool("zones"));
      h.at(50s).boot(1);
      h.at(90s).submit(job("d").bag().tasks(2).runs(2s).in_pool("zones"));
      h.at(150s).cancel(1);
    };
    const ClusterBuilder nodes =
        cluster()
            .nodes(2, cores(2))
            .kill_grace(1s)
            .autoscaler("queue_depth", {{{"idle_s", std::int64_t{20}}, {"per_member", std::int64_t{2}}}});
    expect_same_after_restarts(nodes, script,
                               [](const Harness& h) { EXPECT_TRUE(h.controller().pools().empty()); });
  }
}

TEST(CorePools, ARecreatedPoolIsRestoredWithTheOperationsOfOlderJobs) {
  for (const bool pull : {false, true}) {
    const auto workers = [&] { return pull ? zone_workers(1, 1).pulls() : zone_workers(1, 1); };
    Harness h(cluster().nodes(1, zones()).kill_grace(0s));
    h.at(0s).submit(workers());
    h.at(1s).submit(job("bag").bag().tasks(4).runs(10s).estimate(kLoad500).in_pool("zones"));
    h.at(5s).cancel(1);
    h.at(6s).submit(workers());
    h.at(12s).replace_controller();
    h.at(200s).cancel(3);
    h.run();
    EXPECT_EQ(verdicts(h).at(2), "succeeded") << pull;
    for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U) << attempt_text(attempt);
  }
}

TEST(CorePools, IdleWorkersAreGivenUpUnderANewControllerToo) {
  Harness h(
      cluster()
          .nodes(1, zones())
          .autoscaler("queue_depth", {{{"idle_s", std::int64_t{20}}, {"per_member", std::int64_t{1}}}}));
  h.at(0s).submit(zone_workers(0, 3));
  h.at(1s).submit(job("a").bag().tasks(3).runs(1s).in_pool("zones"));
  h.at(10s).replace_controller();
  h.at(100s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("pool").back(), "30.000000000 pool of job 1 from 3 to 0: nothing has waited for a while");
}

TEST(CorePools, AQueueThatIsCancelledIsNoLullSinceItsBeginning) {
  Harness h(
      cluster()
          .nodes(1, zones())
          .autoscaler("queue_depth", {{{"idle_s", std::int64_t{20}}, {"per_member", std::int64_t{1}}}}));
  h.at(0s).submit(zone_workers(2, 2));
  h.at(1s).submit(job("long").bag().tasks(2).runs(100s).in_pool("zones"));
  h.at(2s).submit(job("more").bag().tasks(5).runs(1s).in_pool("zones"));
  h.at(95s).cancel(3);
  h.at(200s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("pool"),
            Lines{"115.000000000 pool of job 1 from 2 to 0: nothing has waited for a while"});
}

TEST(CorePools, WhatCanNeverFitOrIsTooMuchTogetherIsRefused) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(1, 2).queue_limit(3));
  h.at(1s).submit(job("gang").tasks(3).runs(1s).in_pool("zones"));
  h.at(2s).submit(job("bag").bag().tasks(2).runs(1s).in_pool("zones").and_group(2).runs(1s).in_pool("zones"));
  h.at(3s).submit(job("pair").tasks(2).runs(1s).estimate(kLoad400).in_pool("zones"));
  h.at(8s).cancel(1);
  h.run();
  EXPECT_EQ(
      refusals(h),
      (Lines{"1.000000000 reply 2 refused: the pool 'zones' can never execute so many operations at one time",
             "2.000000000 reply 3 refused: the pool 'zones' is busy: 0 operations wait, at most 3 may"}));
  EXPECT_EQ(verdicts(h).at(2), "succeeded") << "two of 40 % fit on the one worker";
}

TEST(CorePools, AnIdleWorkerOnADrainedNodeIsNoRoom) {
  Harness h(cluster().nodes(2, cores(1)).autoscaler("threshold"));
  h.at(0s).submit(job("zones").service(2).runs(1h).workers_of("zones", 3));
  h.at(1s).drain(0);
  h.at(2s).submit(job("a").runs(100s).estimate(3s).in_pool("zones"));  // 75 %
  h.at(3s).submit(job("b").runs(1s).estimate(1ms).in_pool("zones"));
  h.at(50s).cancel(1);
  h.at(51s).cancel(2);
  h.run();
  EXPECT_EQ(h.lines("pool"),
            Lines{"4.000000000 pool of job 1 from 2 to 3: all members are beyond the threshold"});
}

TEST(CorePools, SchedulersOfJobsKnowOnePoolOnly) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(2, 2));
  for (int i = 1; i <= 3; ++i) {
    h.at(Seconds(i)).submit(job("a").runs(100ms).estimate(1ms).in_pool("zones").scheduler("round_robin"));
    h.at(Seconds(i)).submit(job("b").runs(100ms).scheduler("round_robin"));
  }
  h.at(9s).cancel(1);
  h.run();
  EXPECT_EQ(routes(h), (Lines{"2.0#1 -> 1.0#1 on 0", "4.0#1 -> 1.1#1 on 1", "6.0#1 -> 1.0#1 on 0"}));
}

TEST(CorePools, AnOperationUsesNoMoreThanItsWorkersShareOfAThread) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("zones").millicores(250).service(1).runs(1h).workers_of("zones", 1));
  h.at(1s).submit(operation("a", 1s));
  h.at(9s).cancel(1);
  h.run();
  for (const Letter& letter : h.letters())
    if (const auto* launch = letter.as<msg::Launch>()) EXPECT_EQ(launch->cpu_m, 250);
}

}  // namespace
}  // namespace duet::test
