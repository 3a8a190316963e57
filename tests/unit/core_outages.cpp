// Agents that die alone, nodes that start nothing, and the loss of many nodes at once.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/harness.h"
#include "tests/harness/notices.h"
#include "tests/unit/pools_support.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

TEST(CoreAgentRestart, WhatRunsGoesOnAndWhatEndedMeanwhileCounts) {
  Harness h(cluster().nodes(1, cores(3)));
  h.at(0s).submit(job("short").runs(3s)).submit(job("long").runs(20s));
  h.at(0s).submit(job("timed").runs(60s).timeout(12s));
  h.at(2s).kill_agent(0);
  h.at(5s).boot(0);
  h.run();
  EXPECT_EQ(verdicts(h),
            (std::map<std::uint64_t, std::string>{{1, "succeeded"}, {2, "succeeded"}, {3, "failed"}}));
  EXPECT_EQ(h.lines("job 1 succeeded"), Lines{"5.000000000 job 1 succeeded"});
  EXPECT_EQ(h.lines("job 2 succeeded"), Lines{"20.000000000 job 2 succeeded"});
  EXPECT_EQ(h.lines("job 3 failed"), Lines{"12.000000000 job 3 failed"})
      << "the timeout counts from its start";
  for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U) << attempt_text(attempt);
}

TEST(CoreAgentRestart, WorkersGoOnAndAskAgain) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(2, 2).pulls());
  h.at(1s).submit(job("bag").bag().tasks(6).runs(2s).in_pool("zones"));
  h.at(2s).kill_agent(0);
  h.at(4s).boot(0);
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("job 2").back(), "8.000000000 job 2 succeeded");
  for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U) << attempt_text(attempt);
}

TEST(CoreAgentRestart, AWorkerThatEndedMeanwhileTookItsOperationsAlong) {
  Harness h(cluster().nodes(1, zones()));
  h.at(0s).submit(zone_workers(1, 1).fails(1).after(5s));
  h.at(1s).submit(job("a").runs(20s).in_pool("zones"));
  h.at(4s).kill_agent(0);
  h.at(9s).boot(0);
  h.at(60s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 2.0#1 pending"), Lines{"9.000000000 task 2.0#1 pending n0 lost"});
  EXPECT_EQ(h.lines("job 2").back(), "29.000000000 job 2 succeeded");
}

TEST(CoreAgentRestart, AnEndThatNobodyHeardOfIsToldByTheNextLife) {
  Harness h(cluster().nodes(2, cores(1)).dead_after(90, 100));
  h.at(0s).submit(job("a").runs(10s));
  h.at(8s).cut(0);
  h.at(12s).kill_agent(0).boot(0);
  h.at(20s).heal(0);
  h.run();
  EXPECT_EQ(h.starts().size(), 1U) << "it does not run again";
  EXPECT_EQ(verdicts(h), (std::map<std::uint64_t, std::string>{{1, "succeeded"}}));
}

TEST(CoreAgentRestart, WhatWasToldToEndDoesNotCountAsAFailure) {
  Harness h(cluster().nodes(1, cores(2)).kill_grace(10s));
  h.at(0s).submit(job("web").service(2).runs(1h).backoff(100s).stubborn());
  h.at(5s).scale(1, 1);
  h.at(6s).kill_agent(0).boot(0);
  h.at(60s).scale(1, 2);
  h.at(90s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 1.1#1 idle"), Lines{"16.000000000 task 1.1#1 idle n0"}) << "after the grace";
  EXPECT_EQ(h.lines("task 1.1#2 starting"), Lines{"60.000000000 task 1.1#2 starting n0"});
}

TEST(CoreAgentRestart, AllOperationsOfAWorkerThatIsGoneAreLost) {
  Agent agent(AgentConfig{.name = "a", .offer = zones().offer()});
  agent::Commands commands;
  const AttemptId worker{{JobId{1}, 0}, 1};
  const auto operation = [&](std::uint32_t i) {
    agent::Adopted adopted;
    adopted.attempt = {{JobId{2}, i}, 1};
    adopted.worker = worker;
    return adopted;
  };
  agent.step(Instant{}, agent::Boot{BootNonce{1}, {operation(0), operation(1)}}, commands);
  std::vector<Outcome> ends;
  for (const auto& command : commands)
    if (const auto* order = std::get_if<agent::Terminate>(&command)) ends.push_back(order->why);
  EXPECT_EQ(ends, (std::vector<Outcome>{Outcome::kLost, Outcome::kLost}));
}

TEST(CoreStuck, ANodeThatAnswersNoLaunchGetsNoMoreUntilItDoes) {
  const auto run = [](std::uint32_t stuck_after) {
    ClusterBuilder builder = cluster().nodes(2, cores(3)).heartbeat(3s);
    builder.controller.stuck_after = stuck_after;
    Harness h(builder);
    // Launches to n0 that are sent before 40 s get lost; heartbeats go on.
    h.fate([](const Letter& letter) {
      const bool lost = letter.node == 0 && letter.as<msg::Launch>() != nullptr && letter.sent < Instant(40s);
      return lost ? std::vector<Duration>{} : std::vector<Duration>{Duration{0}};
    });
    h.at(0s).submit(job("a").runs(5s));
    h.at(19s).submit(job("b").runs(5s));
    h.at(50s).submit(job("c").runs(5s));
    h.run();
    return h.lines("starting");
  };
  EXPECT_THAT(run(0), testing::ElementsAre("0.000000000 task 1.0#1 starting n0",
                                           "19.000000000 task 2.0#1 starting n0",
                                           "50.000000000 task 3.0#1 starting n0"));
  // Repeated at 5, 10 and 15 s: suspect, whatever its heartbeat at 18 s says. It answers what is sent at 40
  // s.
  EXPECT_THAT(run(3), testing::ElementsAre("0.000000000 task 1.0#1 starting n0",
                                           "19.000000000 task 2.0#1 starting n1",
                                           "50.000000000 task 3.0#1 starting n0"));
}

TEST(CoreMassLoss, ManySilentNodesAreGivenUpOneByOne) {
  const auto run = [](std::uint32_t percent) {
    Harness h(cluster().nodes(5, cores(1)).dead_after(20, 30).mass_loss(percent, 300s, 60s));
    h.at(0s).submit(job("bag").bag().tasks(5).runs(500s));
    for (std::uint32_t n = 0; n < 4; ++n) h.at(5s).cut(n);
    for (std::uint32_t n = 0; n < 4; ++n) h.at(100s).heal(n);
    h.run();
    return h.lines("down");
  };
  EXPECT_EQ(run(0).size(), 4U);
  // Of five nodes two are 40 %. The third waits a minute after the second, then the fault is over.
  EXPECT_EQ(run(40),
            (Lines{"30.000000000 node n0 down", "30.000000000 node n1 down", "90.000000000 node n2 down"}));
}

TEST(CoreMassLoss, TheLongestSilentIsGivenUpFirst) {
  Harness h(cluster().nodes(5, cores(1)).dead_after(20, 30).mass_loss(20, 300s, 60s));
  // 3 and 4 fall silent first. 3 comes back while it waits; then 2, whose number is lower, has waited longer.
  h.at(0s).submit(job("bag").bag().tasks(5).runs(500s));
  h.at(5s).cut(4);
  h.at(15s).cut(3);
  h.at(25s).cut(2);
  h.at(45s).cut(0);
  h.at(65s).heal(3);
  h.run_until(300s);
  EXPECT_EQ(h.lines("down"),
            (Lines{"30.000000000 node n4 down", "90.000000000 node n2 down", "150.000000000 node n0 down"}));
  h.at(310s).cut(3);
  h.run_until(400s);
  EXPECT_EQ(h.lines("down").back(), "330.000000000 node n3 down") << "who came back is watched again";
}

TEST(CoreStuck, LaunchesThatAreRepeatedTogetherCountOnceAndOtherEndsDoNotCount) {
  const auto run = [](int lost_until_s) {
    ClusterBuilder builder = cluster().nodes(2, cores(4)).heartbeat(3s);
    builder.controller.stuck_after = 3;
    Harness h(builder);
    h.fate([=](const Letter& letter) {
      const bool lost = letter.node == 0 && letter.as<msg::Launch>() != nullptr &&
                        letter.sent >= Instant(1s) && letter.sent < Instant(Seconds(lost_until_s));
      return lost ? std::vector<Duration>{} : std::vector<Duration>{Duration{0}};
    });
    h.at(0s).submit(job("ends").runs(14s));  // Its end at 14 s tells nothing of launches.
    h.at(1s).submit(job("a").runs(5s)).submit(job("b").runs(5s));
    h.at(2s).submit(job("c").runs(5s));
    h.at(12s).submit(job("early").runs(1s));
    h.at(18s).submit(job("late").runs(1s));
    h.run();
    return h.lines("starting");
  };
  const auto has = [](const Lines& lines, const std::string& line) {
    return std::count(lines.begin(), lines.end(), line);
  };
  // Rounds at 6, 11 and 16 s; what is sent at 7 s belongs to the first.
  const Lines lines = run(100);
  EXPECT_EQ(has(lines, "12.000000000 task 5.0#1 starting n0"), 0) << "n0 is full";
  EXPECT_EQ(has(lines, "18.000000000 task 6.0#1 starting n1"), 1);
  // Answered at 16 s.
  EXPECT_EQ(has(run(16), "18.000000000 task 6.0#1 starting n0"), 1);
}

TEST(CoreStuck, WhenNoLaunchIsLeftToAnswerTheNodeIsTriedAgain) {
  ClusterBuilder builder = cluster().nodes(1, cores(1)).heartbeat(3s);
  builder.controller.stuck_after = 2;
  Harness h(builder);
  h.fate([](const Letter& letter) {
    const bool lost = letter.as<msg::Launch>() != nullptr && letter.sent < Instant(20s);
    return lost ? std::vector<Duration>{} : std::vector<Duration>{Duration{0}};
  });
  h.at(0s).submit(job("a").runs(5s));
  h.at(12s).submit(job("b").runs(5s));
  h.at(21s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("task 2.0#1 starting"), (Lines{"21.000000000 task 2.0#1 starting n0"}));
}

TEST(CoreStuck, ALaunchThatFailedIsAnAnswerThoughAnotherWaits) {
  ClusterBuilder builder = cluster().nodes(2, cores(2)).heartbeat(3s);
  builder.controller.stuck_after = 2;
  Harness h(builder);
  // Launches to n0 that are sent before 20 s get lost, and those of the second job for ever.
  h.fate([](const Letter& letter) {
    const auto* launch = letter.node == 0 ? letter.as<msg::Launch>() : nullptr;
    const bool lost =
        launch != nullptr && (letter.sent < Instant(20s) || launch->attempt.task.job.value == 2);
    return lost ? std::vector<Duration>{} : std::vector<Duration>{Duration{0}};
  });
  h.at(0s).submit(job("a").unstartable()).submit(job("b").runs(5s));
  h.at(12s).submit(job("c").runs(1s));
  h.at(22s).submit(job("d").runs(1s));
  h.run_until(40s);
  EXPECT_EQ(h.lines("task 3.0#1 starting"), (Lines{"12.000000000 task 3.0#1 starting n1"}));
  EXPECT_EQ(h.lines("task 4.0#1 starting"), (Lines{"22.000000000 task 4.0#1 starting n0"}));
}

}  // namespace
}  // namespace duet::test
