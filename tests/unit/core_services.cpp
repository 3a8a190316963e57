// Services: replicas that are kept running, their number and their version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/harness.h"
#include "tests/harness/restarts.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

JobBuilder web(std::uint32_t replicas) { return job("web").service(replicas).runs(1h); }

TEST(CoreServices, RunUntilTheyAreCancelled) {
  Harness h(cluster().nodes(2, cores(2)).scheduler("round_robin"));
  h.at(0s).submit(web(3));
  h.at(9s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("running"),
            (Lines{"0.000000000 job 1 running", "0.000000000 task 1.0#1 running n0",
                   "0.000000000 task 1.2#1 running n0", "0.000000000 task 1.1#1 running n1"}));
  EXPECT_EQ(h.lines("job 1").back(), "9.000000000 job 1 cancelled");
}

TEST(CoreServices, S0_11_AReplicaThatEndsRunsAgain) {
  // S0-11: a dead replica is restarted; however it ended.
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("short").service(1).runs(4s));
  h.at(10s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "4.000000000 task 1.0#2 starting n0",
                   "8.000000000 task 1.0#3 starting n0"}));
}

TEST(CoreServices, ALostNodesReplicasMove) {
  Harness h(cluster().nodes(2, cores(2)).max_losses(0).dead_after(20, 30));
  h.at(0s).submit(web(2));
  h.at(5s).crash(0);
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 1.0#2").front(), "30.000000000 task 1.0#2 starting n1");
}

TEST(CoreServices, S0_06_S0_07_ScaleSetsTheNumberAndTakesTheLowestFreeIndices) {
  Harness h(cluster().nodes(1, cores(8)));
  h.at(0s).submit(web(1));
  h.at(1s).scale(1, 4);
  h.at(2s).scale(1, 4);  // A set, not an addition.
  h.at(3s).scale(1, 2);
  h.at(4s).scale(1, 3);
  h.at(5s).scale(1, 0);
  h.at(6s).scale(1, 1);
  h.at(7s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "1.000000000 task 1.1#1 starting n0",
                   "1.000000000 task 1.2#1 starting n0", "1.000000000 task 1.3#1 starting n0",
                   "4.000000000 task 1.2#2 starting n0", "6.000000000 task 1.0#2 starting n0"}));
  EXPECT_EQ(h.lines("idle"), (Lines{"3.000000000 task 1.2#1 idle n0", "3.000000000 task 1.3#1 idle n0",
                                    "5.000000000 task 1.0#1 idle n0", "5.000000000 task 1.1#1 idle n0",
                                    "5.000000000 task 1.2#2 idle n0"}));
  EXPECT_EQ(h.lines("job 1").back(), "7.000000000 job 1 cancelled");
  EXPECT_EQ(h.collisions(), Lines{});
}

TEST(CoreServices, WhatWaitsIsScaledToo) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(web(5));
  h.at(1s).scale(1, 3);
  h.at(2s).scale(1, 2);
  h.at(3s).submit(job("after").runs(1s));
  h.at(4s).scale(1, 1);
  h.at(9s).cancel(1);
  h.run();
  EXPECT_EQ(h.starts().size(), 3U) << "two replicas and the job behind them";
  EXPECT_EQ(h.lines("job 2").back(), "5.000000000 job 2 succeeded");
}

TEST(CoreServices, AnUpdateReplacesReplicasOneByOne) {
  Harness h(cluster().nodes(1, cores(8)).kill_grace(2s));
  h.at(0s).submit(web(3).stubborn());
  h.at(10s).update(1, web(3).cores(2));
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0",
                   "0.000000000 task 1.2#1 starting n0", "12.000000000 task 1.0#2 starting n0",
                   "14.000000000 task 1.1#2 starting n0", "16.000000000 task 1.2#2 starting n0"}));
  EXPECT_EQ(h.controller().cluster().node(NodeId{0}).room.free.cpu_m, 8000) << "each gave back what it took";
}

TEST(CoreServices, AnUpdateMayChangeTheNumberAndComeTwice) {
  Harness h(cluster().nodes(1, cores(8)).kill_grace(2s));
  h.at(0s).submit(web(2).stubborn());
  h.at(10s).update(1, web(3).cores(2).stubborn());
  h.at(11s).update(1, web(1).cores(3));
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 1.0").back(), "60.000000000 task 1.0#2 cancelled n0 killed");
  EXPECT_EQ(h.starts().size(), 4U) << "the last version never had to be replaced";
  EXPECT_EQ(h.controller().cluster().node(NodeId{0}).room.free.cpu_m, 8000);
}

TEST(CoreServices, AnUpdateGoesOnWhenTheReplicaItWaitsForIsScaledAway) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(web(3));
  h.at(10s).update(1, web(3));  // The third one never ran.
  h.at(20s).scale(1, 2);
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0",
                   "20.000000000 task 1.0#2 starting n0", "20.000000000 task 1.1#2 starting n0"}));
}

TEST(CoreServices, RequestsThatMakeNoSenseAreRefused) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("job").runs(5s));
  h.at(0s).submit(web(0));  // Legal: nothing runs until it is scaled.
  h.at(1s).scale(1, 2).scale(3, 1).update(2, job("rigid")).scale(2, 2'000'000);
  h.at(6s).scale(1, 1);
  h.at(7s).cancel(2);
  h.at(8s).scale(2, 1);
  h.run();
  EXPECT_EQ(refusals(h), (Lines{"1.000000000 reply 3 refused: the job is not a service",
                                "1.000000000 reply 4 refused: there is no such job",
                                "1.000000000 reply 5 refused: a service can only be updated to a service",
                                "1.000000000 reply 6 refused: a job has at most 1000000 tasks",
                                "6.000000000 reply 7 refused: the job has already ended",
                                "8.000000000 reply 9 refused: the job has already ended"}));
}

TEST(CoreServices, CrashLoopsBackOff) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("loop").service(1).runs(1s).fails(99).backoff(1s));
  h.at(40s).cancel(1);
  h.run();
  // Each runs 1 s; the waits are 1, 2, 4, 8 and 16 s.
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "2.000000000 task 1.0#2 starting n0",
                   "5.000000000 task 1.0#3 starting n0", "10.000000000 task 1.0#4 starting n0",
                   "19.000000000 task 1.0#5 starting n0", "36.000000000 task 1.0#6 starting n0"}));
}

TEST(CoreServices, AnUpdateDoesNotWaitOutTheBackoffOfTheVersionThatFailed) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("loop").service(1).runs(1s).fails(99).backoff(1s));
  // Its fifth attempt ended at 20 s, so the sixth would wait until 36 s.
  h.at(22s).update(1, job("loop").service(1).runs(1s).fails(99).backoff(1s));
  h.at(30s).cancel(1);
  h.run();
  const Lines started = h.lines("starting");
  ASSERT_GE(started.size(), 8U);
  EXPECT_EQ(started[5], "22.000000000 task 1.0#6 starting n0");
  EXPECT_EQ(started[6], "24.000000000 task 1.0#7 starting n0") << "its own failures are counted anew";
  EXPECT_EQ(started[7], "27.000000000 task 1.0#8 starting n0");
}

TEST(CoreServices, GoOnUnderANewControllerAtAnyStep) {
  const auto script = [](Harness& h) {
    h.at(0s).submit(web(3).stubborn()).submit(job("loop").service(2).runs(3s).fails(99).backoff(1s));
    h.at(2s).scale(1, 5);
    h.at(4s).update(1, web(4).cores(2));
    h.at(8s).scale(1, 1);
    h.at(9s).crash(1);
    h.at(12s).scale(2, 0);
    h.at(50s).scale(1, 2);
    h.at(90s).cancel(1).cancel(2);
  };
  expect_same_after_restarts(cluster().nodes(2, cores(4)).kill_grace(1s), script, [](const Harness& h) {
    EXPECT_EQ(h.controller().cluster().node(NodeId{0}).room.free.cpu_m, 4000);
  });
}

TEST(CoreServices, S2_12_AJobMayNameItsScheduler) {
  // S2-12. The cluster packs; the service is spread.
  Harness h(cluster().nodes(3, cores(4)).scheduler("first_fit"));
  h.at(0s).submit(job("packed").bag().tasks(2).runs(9s));
  h.at(0s).submit(job("spread").bag().tasks(3).runs(9s).scheduler("round_robin"));
  h.at(0s).submit(job("unknown").scheduler("best"));
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0",
                   "0.000000000 task 2.0#1 starting n0", "0.000000000 task 2.1#1 starting n1",
                   "0.000000000 task 2.2#1 starting n2"}));
  EXPECT_EQ(refusals(h), Lines{"0.000000000 reply 3 refused: there is no scheduler 'best'"});
}

TEST(CoreServices, ARetryAvoidsTheNodeThatFailedItWhileAnotherFits) {
  Harness h(cluster().nodes(2, cores(2)));
  h.at(0s).submit(job("bad").runs(2s).fails(2).retries(2));
  h.at(3s).submit(job("full").cores(2).runs(9s).tasks(1));
  h.run();
  EXPECT_EQ(h.lines("task 1.0").at(3), "2.000000000 task 1.0#2 starting n1");
  EXPECT_EQ(h.lines("task 1.0#3").front(), "4.000000000 task 1.0#3 starting n1") << "n0 is full by now";
}

}  // namespace
}  // namespace duet::test
