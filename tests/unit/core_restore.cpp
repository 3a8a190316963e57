// A controller that takes over from its records goes on where the old one stood, wherever that was.
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/lifecycle.h"
#include "tests/harness/harness.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

/// Everything a controller has to remember: retries, gangs, bags, cancels, evictions, losses, a drained node.
Harness busy_hour() {
  Harness h(cluster().nodes(3, cores(4)).nodes(1, cores(2)));
  h.at(0s).submit(job("plain").runs(10s));
  h.at(0s).submit(job("cancelled").runs(90s)).submit(job("cancelled bag").bag().tasks(5).cores(2).runs(90s));
  h.at(1s).submit(job("retried").cores(2).runs(8s).fails(2).retries(2));
  h.at(1s).submit(job("gang").tasks(6).runs(20s).fails(1).only_task(3).after(5s).retries(1));
  h.at(2s).submit(job("bag").bag().tasks(9).runs(7s).fails(1).only_task(4).retries(1));
  h.at(2s).submit(job("failing gang").tasks(2).runs(9s).fails(9).only_task(1).after(3s));
  h.at(4s).cancel(2);
  h.at(5s).cancel(3);
  h.at(8s).submit(job("stubborn").runs(60s).stubborn());
  h.at(9s).evict(1);
  h.at(12s).cancel(8);
  h.at(14s).submit(job("last gang").tasks(4).cores(2).runs(15s));
  h.at(18s).restart(2);
  h.at(20s).undrain(1);
  h.at(21s).submit(job("timed out").runs(60s).timeout(5s).retries(1));
  h.at(22s).submit(job("late").runs(1s));
  return h;
}

/// Accepted successes of each task: more than one is a task that counted twice.
std::map<std::string, int> successes(const Harness& h) {
  std::map<std::string, int> all;
  for (const std::string& line : h.lines(" succeeded n")) {
    const std::size_t at = line.find("task ") + 5;
    ++all[line.substr(at, line.find('#') - at)];
  }
  return all;
}

TEST(CoreRestore, AfterEveryStepOfABusyHour) {
  Harness plain = busy_hour();
  plain.run();
  const auto expected = verdicts(plain);
  const auto counted = successes(plain);
  ASSERT_EQ(expected.size(), 11U);
  const std::uint64_t steps = plain.controller_steps();
  ASSERT_GT(steps, 150U);
  for (std::uint64_t k = 1; k <= steps; ++k) {
    Harness h = busy_hour();
    ASSERT_NO_THROW(h.restore_after_step(k).run()) << "restored after step " << k;
    EXPECT_EQ(h.ended().size(), h.accepted().size()) << "restored after step " << k;
    EXPECT_EQ(verdicts(h), expected) << "restored after step " << k;
    EXPECT_EQ(successes(h), counted) << "restored after step " << k;
    for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U) << "restored after step " << k;
    EXPECT_EQ(h.collisions(), Lines{}) << "restored after step " << k;
    EXPECT_EQ(h.store().jobs() + h.store().tasks(), 0U) << "restored after step " << k;
  }
}

TEST(CoreRestore, WithAnyQueueAndUnderLatency) {
  for (const char* queue : {"sjf", "easy"})
    for (std::uint64_t k = 5; k < 200; k += 7) {
      Harness h(cluster().nodes(3, cores(4)).queue(queue).latency(30ms));
      for (int i = 0; i < 8; ++i)
        h.at(Seconds(i))
            .submit(job("j")
                        .tasks(1 + static_cast<std::uint32_t>(i) % 4)
                        .cores(2)
                        .runs(9s)
                        .estimate(Seconds(5 + i))
                        .fails(1)
                        .only_task(0)
                        .retries(1));
      ASSERT_NO_THROW(h.restore_after_step(k).run()) << queue << " restored after step " << k;
      for (const auto& [id, state] : h.ended()) EXPECT_EQ(state, JobState::kSucceeded);
      EXPECT_EQ(h.ended().size(), 8U);
      EXPECT_EQ(h.collisions(), Lines{});
    }
}

TEST(CoreRestore, RunningTasksRunOnAndTheirEndCounts) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("a").runs(12s));
  h.at(3s).replace_controller();
  h.run();
  EXPECT_EQ(h.lines("3.0"), (Lines{"3.000000000 job 1 pending", "3.000000000 job 1 running"}));
  EXPECT_EQ(h.lines("task").back(), "12.000000000 task 1.0#1 succeeded n0");
}

TEST(CoreRestore, AnAgentThatNeverComesBackIsGivenOneTimeout) {
  Harness h(cluster().nodes(2, cores(1)));
  h.at(0s).submit(job("a").runs(60s));
  h.at(5s).crash(0).replace_controller();
  h.run();
  EXPECT_EQ(h.lines("node n0 down"), (Lines{"35.000000000 node n0 down"}));
  EXPECT_EQ(h.lines("task 1.0#2").front(), "35.000000000 task 1.0#2 starting n1");
}

TEST(CoreRestore, CountsOfFailuresAndLossesSurvive) {
  Harness h(cluster().nodes(1, cores(1)).max_losses(1));
  h.at(0s).submit(job("a").runs(10s).fails(9).retries(2));
  for (int s = 5; s <= 25; s += 10) h.at(Seconds(s)).replace_controller();
  h.run();
  EXPECT_EQ(h.starts().size(), 3U);
  EXPECT_EQ(h.lines("job 1").back(), "30.000000000 job 1 failed");

  Harness lost(cluster().nodes(1, cores(1)).max_losses(1));
  lost.at(0s).submit(job("a").runs(10s));
  lost.at(5s).restart(0).replace_controller();
  lost.at(12s).restart(0).replace_controller();
  lost.run();
  EXPECT_EQ(lost.lines("job 1").back(), "12.000000000 job 1 failed");
}

// Tasks that take 10 s to die: the controller is replaced while they are stopping.

TEST(CoreRestore, ACancelledJobStaysCancelled) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(job("one").runs(90s).stubborn()).submit(job("bag").bag().tasks(5).runs(90s).stubborn());
  h.at(3s).cancel(1).cancel(2);
  h.at(6s).replace_controller();
  h.run();
  using Ends = std::map<std::uint64_t, std::string>;
  EXPECT_EQ(verdicts(h), (Ends{{1, "cancelled"}, {2, "cancelled"}}));
  EXPECT_EQ(h.starts().size(), 4U);
  EXPECT_EQ(to_ns(h.now()), 13'000'000'000);
}

TEST(CoreRestore, AFailingGangGoesOnFailing) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("gang").tasks(2).runs(90s).fails(9).only_task(1).after(3s).stubborn());
  h.at(6s).replace_controller();
  h.run();
  EXPECT_EQ(h.lines("13.0"),
            (Lines{"13.000000000 task 1.0#1 cancelled n0 killed", "13.000000000 job 1 failed"}));
  EXPECT_EQ(h.starts().size(), 2U);
}

TEST(CoreRestore, AnEvictedTaskStillMovesAtNoCost) {
  Harness h(cluster().nodes(2, cores(1)).max_losses(0));
  h.at(0s).submit(job("a").runs(20s).stubborn());
  h.at(3s).evict(0);
  h.at(6s).replace_controller();
  h.run();
  EXPECT_EQ(h.lines("task 1.0#2").back(), "33.000000000 task 1.0#2 succeeded n1");
}

TEST(CoreRestore, AGangThatFallsApartStartsAgainWhole) {
  Harness h(cluster().nodes(1, cores(2)).max_losses(0));
  h.at(0s).submit(job("gang").tasks(2).runs(20s).fails(1).only_task(1).after(3s).stubborn().retries(1));
  h.at(6s).replace_controller();
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n0",
                   "13.000000000 task 1.0#2 starting n0", "13.000000000 task 1.1#2 starting n0"}));
}

TEST(CoreRestore, NodesKeepTheirNumbersWithoutAnInventory) {
  Harness h(cluster().nodes(3, cores(1)).without_inventory());
  h.at(0s).submit(job("gang").tasks(3).runs(20s));
  h.at(6s).replace_controller();
  h.run();
  for (std::uint64_t n = 0; n < 3; ++n)
    EXPECT_EQ(h.controller().cluster().node(NodeId{n}).name, "n" + std::to_string(n));
  EXPECT_EQ(h.lines("job 1").back(), "20.000000000 job 1 succeeded");
}

TEST(CoreRestore, AJobThatWaitsForItsRetryWaitsOnce) {
  // n0 is drained, so after the failure at 10 s the gang waits; two controllers come and go meanwhile.
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("gang").tasks(2).runs(10s).fails(1).retries(1));
  h.at(5s).drain(0);
  h.at(12s).replace_controller();
  h.at(14s).replace_controller();
  h.at(30s).undrain(0);
  h.run();
  EXPECT_EQ(h.lines("12.0"), (Lines{"12.000000000 job 1 pending", "12.000000000 job 1 running",
                                    "12.000000000 job 1 pending"}));
  EXPECT_EQ(h.lines("#2 starting").size(), 2U);
  EXPECT_EQ(h.lines("job 1").back(), "40.000000000 job 1 succeeded");
}

TEST(CoreRestore, IdsGoOnAfterTheHighestEverGiven) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("a").runs(100s)).submit(job("b").runs(1s)).submit(job("c"));
  h.at(1s).cancel(3);
  h.at(5s).replace_controller();
  h.at(6s).submit(job("d"));
  h.at(7s).cancel(3);
  h.run();
  EXPECT_EQ(h.replies()[4], "6.000000000 reply 5 job 4");
  EXPECT_EQ(h.replies()[5], "7.000000000 reply 6 refused: the job has already ended");

  Harness all_ended(cluster().nodes(1, cores(1)));
  all_ended.at(0s).submit(job("a")).submit(job("b"));
  all_ended.at(5s).replace_controller();
  all_ended.at(6s).submit(job("c"));
  all_ended.run();
  EXPECT_EQ(all_ended.replies().back(), "6.000000000 reply 3 job 3");
}

TEST(CoreRestore, ANodeDrainedBeforeItWasSeenStaysDrainedAndUnknown) {
  Harness h(cluster().nodes(2, cores(4)).queue("easy"));
  h.fate([](const Letter& letter) -> std::vector<Duration> {
    if (letter.node == 1 && letter.sent < Instant(20s)) return {};
    return {0s};
  });
  h.at(1s).drain(1);
  h.at(2s).replace_controller();
  h.at(15s).submit(job("a").estimate(1s));
  h.at(30s).submit(job("b").cores(4).runs(5s).estimate(5s)).submit(job("c").cores(4).runs(5s).estimate(5s));
  h.run();
  EXPECT_EQ(h.replies()[1], "15.000000000 reply 2 job 1") << "what nobody has seen is no different node";
  EXPECT_EQ(h.lines("node n1"),
            (Lines{"1.000000000 node n1 unknown draining", "20.000000000 node n1 ready draining"}));
  EXPECT_EQ(h.lines("starting n1"), Lines{});
  EXPECT_EQ(h.ended().size(), 3U);
}

TEST(CoreRestore, EpochsGoOnSoThatNoOldMessageIsCurrent) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(5s).replace_controller();
  h.run_until(20s);
  EXPECT_EQ(h.controller().cluster().node(NodeId{0}).epoch, Epoch{2});
  EXPECT_EQ(h.agent(0).epoch(), Epoch{2});
}

TEST(CoreRestore, WhenAnAttemptWasPlacedIsKept) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(3s).submit(job("a").runs(60s));
  h.at(12s).replace_controller();
  h.run_until(13s);
  EXPECT_EQ(h.controller().jobs().find(JobId{1})->tasks[0].placed, instant_ns(3'000'000'000));
}

}  // namespace
}  // namespace duet::test
