// Nodes that go silent, come back, come back changed, or never come.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/harness.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

// Defaults: a heartbeat every 10 s, suspect after 20 s without one, dead after 30 s.

TEST(CoreNodes, SuspectThenDownAtExactInstantsAndTasksMoveOn) {
  Harness h(cluster().nodes(2, cores(1)));
  h.at(1s).submit(job("a").runs(100s));
  h.at(15s).crash(0);  // Last heard at 10 s.
  h.run();
  EXPECT_EQ(h.lines(), (Lines{
                           "0.000000000 node n0 ready",
                           "0.000000000 node n1 ready",
                           "1.000000000 job 1 pending",
                           "1.000000000 task 1.0#1 starting n0",
                           "1.000000000 job 1 running",
                           "1.000000000 task 1.0#1 running n0",
                           "30.000000000 node n0 suspect",
                           "40.000000000 node n0 down",
                           "40.000000000 task 1.0#1 pending n0 lost",
                           "40.000000000 job 1 pending",
                           "40.000000000 task 1.0#2 starting n1",
                           "40.000000000 job 1 running",
                           "40.000000000 task 1.0#2 running n1",
                           "140.000000000 task 1.0#2 succeeded n1",
                           "140.000000000 job 1 succeeded",
                       }));
}

TEST(CoreNodes, ASuspectNodeGetsNothingNewAndIsReadyWhenHeardAgain) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("a").runs(100s));
  h.at(15s).cut(0);
  h.at(32s).submit(job("b").runs(1s));
  h.at(35s).heal(0);
  h.run();
  EXPECT_EQ(h.lines("node"), (Lines{"0.000000000 node n0 ready", "30.000000000 node n0 suspect",
                                    "40.000000000 node n0 ready"}));
  EXPECT_EQ(h.lines("2.0#1 starting"), (Lines{"40.000000000 task 2.0#1 starting n0"}));
  EXPECT_EQ(h.lines("job 1").back(), "100.000000000 job 1 succeeded") << "what ran there ran on";
}

TEST(CoreNodes, AgentRestartLosesItsAttempts) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("a").runs(10s)).submit(job("b").runs(10s));
  h.at(4s).restart(0);
  h.run();
  EXPECT_EQ(h.lines("4.0"), (Lines{
                                "4.000000000 task 1.0#1 pending n0 lost",
                                "4.000000000 job 1 pending",
                                "4.000000000 task 2.0#1 pending n0 lost",
                                "4.000000000 job 2 pending",
                                "4.000000000 task 1.0#2 starting n0",
                                "4.000000000 job 1 running",
                                "4.000000000 task 2.0#2 starting n0",
                                "4.000000000 job 2 running",
                                "4.000000000 task 1.0#2 running n0",
                                "4.000000000 task 2.0#2 running n0",
                                "14.000000000 task 1.0#2 succeeded n0",
                                "14.000000000 job 1 succeeded",
                                "14.000000000 task 2.0#2 succeeded n0",
                                "14.000000000 job 2 succeeded",
                            }));
}

TEST(CoreNodes, LossesAreBounded) {
  for (const std::uint32_t allowed : {0U, 2U}) {
    Harness h(cluster().nodes(1, cores(1)).max_losses(allowed));
    h.at(0s).submit(job("a").runs(10s).retries(5));
    for (int k = 1; k <= 4; ++k) h.at(Seconds(5 * k)).restart(0);
    h.run();
    const std::string last = std::to_string(allowed + 1);
    EXPECT_EQ(h.lines("task").back(),
              std::to_string(5 * (allowed + 1)) + ".000000000 task 1.0#" + last + " failed n0 lost");
    EXPECT_EQ(h.ended(), (std::vector<std::pair<JobId, JobState>>{{JobId{1}, JobState::kFailed}}));
  }
}

TEST(CoreNodes, LossesCostNoRetries) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("a").runs(10s).fails(3).retries(1));  // Attempts 1 and 2 are lost, 3 fails, 4 succeeds.
  h.at(4s).restart(0);
  h.at(8s).restart(0);
  h.run();
  EXPECT_EQ(h.lines("task 1.0#4").back(), "28.000000000 task 1.0#4 succeeded n0");
}

TEST(CoreNodes, ReRegistrationWithinTheTimeoutKeepsRunningAttempts) {
  // The link is cut for 25 s and the controller is replaced meanwhile: it no longer knows the registration.
  Harness h(cluster().nodes(2, cores(2)));
  h.at(0s).submit(job("a").tasks(3).runs(60s));
  h.at(12s).replace_controller();
  h.run();
  EXPECT_EQ(h.starts().size(), 3U) << "nothing was started again";
  for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U);
  EXPECT_EQ(h.lines("succeeded"), (Lines{
                                      "60.000000000 task 1.0#1 succeeded n0",
                                      "60.000000000 task 1.1#1 succeeded n0",
                                      "60.000000000 task 1.2#1 succeeded n1",
                                      "60.000000000 job 1 succeeded",
                                  }));
}

TEST(CoreNodes, RejoinAfterDownIsFencedUntilStaleAttemptsHaveEnded) {
  Harness h(cluster().nodes(2, cores(1)).kill_grace(3s));
  h.at(0s).submit(job("a").runs(200s).stubborn());
  h.at(15s).cut(0);   // Down at 40 s: the task moves to n1 while its first attempt still runs on n0.
  h.at(55s).heal(0);  // Its heartbeat at 60 s is fenced; it registers and is told to end the attempt.
  h.at(61s).submit(job("b").runs(10s));
  h.run();
  EXPECT_EQ(h.lines("node n0"),
            (Lines{"0.000000000 node n0 ready", "30.000000000 node n0 suspect", "40.000000000 node n0 down",
                   "60.000000000 node n0 fenced", "63.000000000 node n0 ready"}));
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "40.000000000 task 1.0#2 starting n1",
                   "63.000000000 task 2.0#1 starting n0"}));
  EXPECT_EQ(h.ended().size(), 2U);
  EXPECT_TRUE(h.collisions().empty());
}

TEST(CoreNodes, TheSuccessOfASupersededAttemptIsIgnored) {
  Harness h(cluster().nodes(2, cores(1)));
  h.at(0s).submit(job("a").runs(50s));
  h.at(15s).cut(0);
  h.at(55s).heal(0);  // Attempt 1 succeeded at 50 s on n0; attempt 2 has run on n1 since 40 s.
  h.run();
  EXPECT_EQ(h.lines("succeeded"),
            (Lines{"90.000000000 task 1.0#2 succeeded n1", "90.000000000 job 1 succeeded"}));
  EXPECT_EQ(h.lines("node n0").back(), "55.000000000 node n0 ready") << "it repeats its report every 5 s";
}

TEST(CoreNodes, AHeartbeatOfAnOldRegistrationRevivesNobody) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(5s).crash(0);
  h.at(50s).deliver(0, msg::FromAgent{NodeId{0}, BootNonce{1001}, Epoch{1}, msg::Heartbeat{}});
  h.at(51s).submit(job("a"));
  h.at(60s).boot(0);
  h.run();
  EXPECT_EQ(h.lines("node"), (Lines{"0.000000000 node n0 ready", "20.000000000 node n0 suspect",
                                    "30.000000000 node n0 down", "60.000000000 node n0 ready"}));
  EXPECT_EQ(h.lines("starting"), (Lines{"60.000000000 task 1.0#1 starting n0"}));
  EXPECT_EQ(h.controller().counters().fenced, 1U);
}

TEST(CoreNodes, ANodeThatComesBackDifferentLosesItsTasks) {
  // Same life, new offer: what it holds was placed on a node that no longer is.
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("a").runs(10s));
  h.at(4s).deliver(
      0, msg::FromAgent{
             NodeId{0}, BootNonce{1001}, {}, msg::Register{"n0", 7, cores(3).offer(), {{{JobId{1}, 0}, 1}}}});
  h.run_until(4s);
  EXPECT_EQ(h.lines("4.0"), (Lines{"4.000000000 task 1.0#1 pending n0 lost", "4.000000000 job 1 pending",
                                   "4.000000000 node n0 fenced"}));
  EXPECT_EQ(h.controller().cluster().node(NodeId{0}).room.free.cpu_m, 3000);
}

TEST(CoreNodes, ANodeThatGrowsTakesWhatWaited) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("wide").cores(3).runs(10s));
  h.at(4s).deliver(
      0, msg::FromAgent{NodeId{0}, BootNonce{1001}, {}, msg::Register{"n0", 7, cores(3).offer(), {}}});
  h.run_until(4s);
  EXPECT_EQ(h.lines("starting"), (Lines{"4.000000000 task 1.0#1 starting n0"}));
}

TEST(CoreNodes, ImpossibleOffersAreIgnored) {
  Harness h(cluster().nodes(1, cores(2)));
  NodeOffer none = cores(2).offer(), miscounted = cores(2).offer(), negative = cores(2).offer();
  none.cores = 0;
  none.capacity.cpu_m = 0;
  miscounted.capacity.cpu_m = 5000;
  negative.capacity.memory_bytes = -1;
  NodeOffer wrapped = cores(65536).offer();
  wrapped.threads_per_core = 65536;  // 2^32 threads are none in 32 bits.
  wrapped.capacity.cpu_m = 0;
  for (const NodeOffer& offer : {none, miscounted, negative, wrapped})
    h.at(1s).deliver(0, msg::FromAgent{{}, BootNonce{9}, {}, msg::Register{"evil", 1, offer, {}}});
  h.at(2s).submit(job("a"));
  h.run();
  EXPECT_EQ(h.controller().cluster().size(), 1U);
  EXPECT_EQ(h.controller().counters().stale, 4U);
}

TEST(CoreNodes, UnknownNodesJoinInTheOrderOfTheirRegistration) {
  Harness h(cluster().nodes(2, cores(1)).without_inventory());
  h.at(0s).submit(job("a").tasks(2));
  h.run();
  EXPECT_EQ(h.lines("node"), (Lines{"0.000000000 node n0 ready", "0.000000000 node n1 ready"}));
  EXPECT_EQ(h.lines("starting").size(), 2U);
}

TEST(CoreNodes, ANodeDeclaredDeadWhileDrainingComesBackDraining) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(1s).drain(0);
  h.at(5s).crash(0);
  h.at(50s).boot(0);
  h.at(51s).submit(job("a"));
  h.at(60s).undrain(0);
  h.run();
  EXPECT_EQ(h.lines("node").back(), "60.000000000 node n0 ready");
  EXPECT_EQ(h.lines("node n0 ready draining"),
            (Lines{"1.000000000 node n0 ready draining", "50.000000000 node n0 ready draining"}));
  EXPECT_EQ(h.lines("starting"), (Lines{"60.000000000 task 1.0#1 starting n0"}));
}

}  // namespace
}  // namespace duet::test
