// Rows of docs/behaviours.md that no other file shows: what the five source systems do, under their IDs.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/harness.h"
#include "tests/harness/notices.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

/// "0.000000000 n0 register": what agents said of themselves.
Lines signs_of_life(const Harness& h) {
  Lines lines;
  for (const Letter& letter : h.letters()) {
    const bool beats = letter.as<msg::Heartbeat>() != nullptr;
    if (beats || letter.as<msg::Register>() != nullptr)
      lines.push_back(time_text(letter.sent) + " n" + std::to_string(letter.node) +
                      (beats ? " heartbeat" : " register"));
  }
  return lines;
}

/// Replicas that run, by node.
std::map<std::uint64_t, int> replicas(const Harness& h, std::uint64_t job) {
  std::map<std::uint64_t, int> by_node;
  for (const LiveTask& task : h.controller().jobs().find(JobId{job})->tasks)
    if (task.state == TaskState::kRunning) ++by_node[task.node.value];
  return by_node;
}

TEST(Behaviours, S0_05_AgentsRegisterThemselvesAndPingEveryTenSeconds) {
  Harness h(cluster().nodes(1, cores(1)));
  h.run_until(30s);
  EXPECT_EQ(signs_of_life(h), (Lines{"0.000000000 n0 register", "10.000000000 n0 heartbeat",
                                     "20.000000000 n0 heartbeat", "30.000000000 n0 heartbeat"}));
}

TEST(Behaviours, S0_05_AnAgentAsksUntilThereIsAControllerAndAgainAfterItsRestart) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).cut(0);
  h.at(12s).heal(0);
  h.at(27s).replace_controller();
  h.run_until(40s);
  // Every 5 s until answered at 15 s; the first ping that finds a new controller is refused.
  EXPECT_EQ(signs_of_life(h),
            (Lines{"0.000000000 n0 register", "5.000000000 n0 register", "10.000000000 n0 register",
                   "15.000000000 n0 register", "25.000000000 n0 heartbeat", "35.000000000 n0 heartbeat",
                   "35.000000000 n0 register"}));
  EXPECT_EQ(h.controller().cluster().node(NodeId{0}).state, NodeState::kReady);
}

TEST(Behaviours, S0_06_TheNumberIsSetNotAddedZeroIsLegalAndNobodyNeedsToBeThere) {
  Harness h(cluster().nodes(1, cores(8)));
  h.at(0s).cut(0);
  h.at(0s).submit(job("workload").service(3).runs(1h));
  h.run_until(4s);
  EXPECT_EQ(h.controller().jobs().find(JobId{1})->desired(), 3U) << "accepted without any agent";
  EXPECT_TRUE(replicas(h, 1).empty());
  h.at(4s).heal(0);
  h.at(10s).scale(1, 3);
  h.run_until(11s);
  EXPECT_EQ(replicas(h, 1), (std::map<std::uint64_t, int>{{0, 3}}));
  h.at(20s).scale(1, 0);
  h.run_until(21s);
  EXPECT_TRUE(replicas(h, 1).empty()) << "surplus ones are ended";
}

TEST(Behaviours, S0_07_TheLowestFreeIndexIsUsedAgainAndAStartIsKnown) {
  Harness h(cluster().nodes(1, cores(8)).kill_grace(0s));
  h.at(0s).submit(job("workload").service(3).runs(100s).fails(1).only_task(1).after(10s));
  h.run_until(30s);
  const LiveJob& service = *h.controller().jobs().find(JobId{1});
  EXPECT_EQ(service.tasks.size(), 3U);
  EXPECT_EQ(to_ns(service.tasks[0].started), 0);
  EXPECT_EQ(to_ns(service.tasks[1].started), 10'000'000'000) << "replica-1 again";
}

TEST(Behaviours, S0_10_ReplicasAreSpreadEvenlyOverLiveAgents) {
  Harness h(cluster().nodes(3, cores(16)).scheduler("least_load"));
  h.at(0s).submit(job("workload").service(7).runs(1h));
  h.at(100s).scale(1, 11);
  for (const Duration until : {50s, 150s}) {
    h.run_until(until);
    int most = 0;
    int least = 100;
    for (const auto& [node, count] : replicas(h, 1)) {
      most = std::max(most, count);
      least = std::min(least, count);
    }
    EXPECT_LE(most - least, 1);
    EXPECT_EQ(replicas(h, 1).size(), 3U);
  }
}

TEST(Behaviours, S0_11_ADeadAgentsReplicasMoveAfterThreeMissedPings) {
  Harness h(cluster().nodes(2, cores(8)).scheduler("least_load"));
  h.at(0s).submit(job("workload").service(2).runs(1h));
  h.at(25s).crash(1);
  h.run_until(100s);
  EXPECT_EQ(h.lines("node n1 down"), Lines{"50.000000000 node n1 down"}) << "30 s after its ping at 20 s";
  EXPECT_EQ(h.lines("task 1.1#2 running"), Lines{"50.000000000 task 1.1#2 running n0"});
}

TEST(Behaviours, S2_06_RoundRobinTakesTheNextThatFitsAfterTheLast) {
  Harness h(cluster().nodes(3, cores(2)).scheduler("round_robin"));
  h.at(0s).submit(job("a").bag().tasks(4).runs(9s)).submit(job("wide").cores(2).runs(9s));
  h.at(1s).submit(job("b").runs(1s));
  h.run_until(2s);
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n1",
                   "0.000000000 task 1.2#1 starting n2", "0.000000000 task 1.3#1 starting n0"}))
      << "nothing is free for `wide`, and nobody overtakes it";
}

TEST(Behaviours, S2_07_ADeadNodesTasksKeepTheirIdAndGetTheNextAttempt) {
  Harness h(cluster().nodes(2, cores(1)));
  h.at(0s).submit(job("a").runs(60s));
  h.at(12s).crash(0);
  h.run_until(41s);
  EXPECT_EQ(h.lines("down"), Lines{"40.000000000 node n0 down"});
  EXPECT_EQ(h.lines("task 1.0#2").front(), "40.000000000 task 1.0#2 starting n1");
}

TEST(Behaviours, S3_09_WhatIsWrongIsNamed) {
  Harness h(cluster().nodes(1, cores(1)));
  JobSpec none = *job("none").spec();
  none.groups.clear();
  h.at(0s).submit(std::make_shared<const JobSpec>(none));
  h.at(0s).submit(job("negative").millicores(-1)).submit(job("late").timeout(-1s));
  h.run();
  EXPECT_EQ(refusals(h), (Lines{"0.000000000 reply 1 refused: a job needs at least one group of tasks",
                                "0.000000000 reply 2 refused: a task cannot need less than nothing",
                                "0.000000000 reply 3 refused: times cannot be negative"}));
}

TEST(Behaviours, S3_13_AWorkerThatIsBusyForLongerThanTheTimeoutLives) {
  ClusterBuilder builder = cluster().nodes(1, cores(1)).heartbeat(30s);
  builder.controller.detector.params.items = {{"profile", std::string("s3")}};
  Harness h(builder);
  h.at(0s).submit(job("long").runs(300s));
  h.at(310s).submit(job("next").runs(200s));
  h.at(335s).cut(0);
  h.run_until(400s);
  EXPECT_EQ(h.lines("job 1").back(), "300.000000000 job 1 succeeded");
  EXPECT_EQ(h.lines("node n0"), (Lines{"0.000000000 node n0 ready", "375.000000000 node n0 suspect",
                                       "390.000000000 node n0 down"}))
      << "two missed heartbeats after the one at 330 s";
}

TEST(Behaviours, S3_14_ThreeRetriesAreFourAttemptsThenTheTaskAndTheJobFail) {
  Harness h(cluster().nodes(2, cores(4)));
  h.at(0s).submit(job("training").bag().tasks(3).runs(10s).retries(3).fails(99).only_task(1));
  h.run();
  EXPECT_EQ(h.lines("task 1.1#").back(), "40.000000000 task 1.1#4 failed n1");
  EXPECT_EQ(h.lines("job 1").back(), "40.000000000 job 1 failed");
  EXPECT_EQ(h.lines("task 1.0#1 succeeded").size() + h.lines("task 1.2#1 succeeded").size(), 2U);
}

TEST(Behaviours, S3_14_ALateResultOfASupersededAttemptIsIgnored) {
  Harness h(cluster().nodes(2, cores(1)));
  h.at(0s).submit(job("a").runs(35s));
  h.at(1s).cut(0);
  h.at(36s).heal(0);  // Its end at 35 s was never heard; by now the task runs elsewhere.
  h.run();
  EXPECT_EQ(h.lines("task 1.0#2 succeeded"), Lines{"65.000000000 task 1.0#2 succeeded n1"});
  EXPECT_EQ(h.lines("job 1 succeeded").size(), 1U);
}

TEST(Behaviours, S3_15_AWorkerThatComesBackKeepsItsIdAndTheJobGoesOnMeanwhile) {
  Harness h(cluster().nodes(2, cores(1)).without_inventory());
  h.at(0s).submit(job("bag").bag().tasks(8).runs(10s));
  h.at(15s).crash(1);
  h.at(60s).boot(1);
  h.run();
  EXPECT_EQ(h.lines("job 1").back(), "70.000000000 job 1 succeeded");
  EXPECT_EQ(h.controller().cluster().size(), 2U);
  EXPECT_EQ(h.lines("node n1"), (Lines{"0.000000000 node n1 ready", "30.000000000 node n1 suspect",
                                       "40.000000000 node n1 down", "60.000000000 node n1 ready"}));
}

TEST(Behaviours, S3_22_CompletedTasksGrowVisibly) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("bag").bag().tasks(6).runs(10s));
  for (const std::uint32_t done : {0U, 2U, 4U}) {
    h.run_until(done * 5s + 1s);
    EXPECT_EQ(h.controller().jobs().find(JobId{1})->terminal, done);
    EXPECT_EQ(h.lines("#1 succeeded").size(), done) << "as published";
  }
  h.run();
  EXPECT_EQ(h.lines("#1 succeeded").size(), 6U);
}

TEST(Behaviours, S4_13_RoundRobinBeginsWithTheFirstWorker) {
  // Unlike the book's, which increments its counter first and so begins with the second.
  Harness h(cluster().nodes(2, cores(4)).scheduler("round_robin"));
  h.at(0s).submit(job("a").runs(1s));
  h.run();
  EXPECT_EQ(h.lines("starting"), Lines{"0.000000000 task 1.0#1 starting n0"});
}

TEST(Behaviours, S4_18_ADeadWorkersTasksRunOnAnother) {
  Harness h(cluster().nodes(2, cores(4)).scheduler("e_pvm_cube"));
  h.at(0s).submit(job("a").runs(60s)).submit(job("b").runs(60s));
  h.at(5s).crash(1);
  h.run();
  EXPECT_EQ(verdicts(h), (std::map<std::uint64_t, std::string>{{1, "succeeded"}, {2, "succeeded"}}));
  EXPECT_EQ(h.lines("task 2.0#2 starting"), Lines{"30.000000000 task 2.0#2 starting n0"});
}

}  // namespace
}  // namespace duet::test
