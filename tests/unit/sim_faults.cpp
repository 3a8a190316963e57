// What each fault of a scenario does to a run, on the loop engine; times by hand.
#include <chrono>
#include <string>
#include <vector>

#include "core/rng.h"
#include "sim/cluster_world.h"
#include "sim/run.h"
#include "tests/unit/scenario_support.h"

namespace duet::sim::scenario_test {
namespace {

using std::chrono::milliseconds;

/// Two nodes of one thread, heartbeats each second, dead after three.
Scenario two_nodes(const std::vector<std::string>& options) {
  return good(parse_scenario(R"({
    "cluster": {"node_types": {"n": {}}, "nodes": [{"type": "n", "count": 2}],
                "heartbeat_s": 1, "resend_after_s": 1},
    "policies": {"detector": {"name": "timeout", "suspect_after_s": 2, "dead_after_s": 3}},
    "workload": {"jobs": [{"id": "a", "duration_s": 20}]}
  })",
                             "two.json", options));
}

Results ran(const Scenario& scenario, Observer* observer = nullptr) {
  WorldOptions options;
  options.observer = observer;
  auto results = run(scenario, make_loop_engine, options);
  EXPECT_TRUE(results);
  return results ? std::move(*results) : Results{};
}

Instant at_s(double s) { return instant_ns(static_cast<std::int64_t>(s * 1e9)); }

TEST(SimFaults, AClockAtAnotherRateIsReadBothWays) {
  Rng rng(7);
  for (int i = 0; i < 10'000; ++i) {
    const auto rate = static_cast<std::uint32_t>(rng.between(500'000, 2'000'000));
    const SkewedClock clock{instant_ns(rng.between(0, 1000)), instant_ns(rng.between(0, 3000)), rate};
    const Instant time = clock.shown + Duration(rng.between(1, 1'000'000));
    const Instant when = clock.when(time);
    EXPECT_GE(clock.at(when), time);
    EXPECT_LT(clock.at(when - Duration(1)), time);
  }
  const SkewedClock fast{Instant{}, at_s(3), 1'500'000};
  EXPECT_EQ(fast.at(at_s(2)), at_s(6));
  EXPECT_EQ(fast.when(at_s(6)), at_s(2));
  EXPECT_EQ(fast.when(at_s(1)), Instant{});  // It has shown that for long.
  EXPECT_EQ(fast.when(kNever), kNever);
}

TEST(SimFaults, APartitionLosesOneDirectionOrBoth) {
  const auto lost = [](const std::string& direction) {
    return ran(two_nodes({"/faults=[{\"at_s\": 5, \"partition\": {\"nodes\": [\"n1\"], \"for_s\": 9, "
                          "\"direction\": \"" +
                          direction + "\"}}]"}))
        .nodes_lost;
  };
  EXPECT_EQ(lost("to_controller"), 1U);
  EXPECT_EQ(lost("both"), 1U);
  EXPECT_EQ(lost("to_agent"), 0U);  // Its heartbeats arrive.
}

TEST(SimFaults, ALaunchIntoAPartitionIsRepeatedUntilItArrives) {
  const Results results = ran(
      two_nodes({"/workload/jobs/0/at_s=5.5",
                 "/faults=[{\"at_s\": 5, \"partition\": {\"nodes\": [\"n0\"], \"direction\": \"to_agent\", "
                 "\"until_s\": 9}}]"}));
  EXPECT_EQ(results.jobs[0].started, at_s(9.5));  // Sent at 5.5, 6.5, 7.5, 8.5, 9.5.
  EXPECT_EQ(results.attempts, 1U);
}

TEST(SimFaults, ANetworkFaultConcernsItsNodesOnly) {
  const Results results = ran(
      two_nodes({"/workload/jobs/0/tasks=2",
                 "/faults=[{\"at_s\": 5, \"network\": {\"loss\": 1, \"nodes\": [\"n1\"], \"for_s\": 10}}]"}));
  EXPECT_EQ(results.nodes_lost, 1U);
  EXPECT_EQ(results.attempts_lost, 1U);
}

TEST(SimFaults, TasksRunOnWhileTheControllerIsAwayAndRequestsWait) {
  const Results results =
      ran(two_nodes({"/workload/jobs=[{\"id\": \"a\", \"duration_s\": 20}, {\"id\": \"b\", "
                     "\"at_s\": 12, \"duration_s\": 1}]",
                     "/faults=[{\"at_s\": 10, \"controller_restart\": {\"for_s\": 5}}]"}));
  EXPECT_EQ(results.jobs[0].ended, at_s(20));
  EXPECT_EQ(results.attempts, 2U);
  EXPECT_EQ(results.attempts_lost, 0U);
  EXPECT_EQ(results.jobs[1].state, JobState::kSucceeded);
  EXPECT_EQ(results.jobs[1].started, at_s(15));  // The heartbeats of 15 s bring its node back.
}

TEST(SimFaults, AnEndThatNobodyHeardIsToldToTheNextController) {
  const Results results =
      ran(two_nodes({"/workload/jobs/0/duration_s=12",
                     "/faults=[{\"at_s\": 10, \"controller_restart\": {\"for_s\": 5}}]"}));
  EXPECT_EQ(results.jobs[0].state, JobState::kSucceeded);
  EXPECT_EQ(results.jobs[0].ended, at_s(12));
  EXPECT_EQ(results.attempts, 1U);
}

TEST(SimFaults, AnAnswerThatNeverWentOutIsAskedForAgain) {
  const Results results =
      ran(two_nodes({"/workload/jobs/0/at_s=9.5", "/cluster/commit_delay_s=1",
                     "/faults=[{\"at_s\": 10, \"controller_restart\": {\"for_s\": 5}}]"}));
  EXPECT_EQ(results.jobs[0].id, JobId{1});
  EXPECT_EQ(results.jobs[0].state, JobState::kSucceeded);
  EXPECT_GE(results.jobs[0].started, at_s(15));
  EXPECT_EQ(results.attempts, 1U);
}

TEST(SimFaults, OperatorsAreHeardWhenTheControllerIsBack) {
  const Results results =
      ran(two_nodes({"/events=[{\"at_s\": 12, \"cancel\": \"a\"}]",
                     "/faults=[{\"at_s\": 10, \"controller_restart\": {\"for_s\": 5}}]"}));
  EXPECT_EQ(results.jobs[0].state, JobState::kCancelled);
  EXPECT_EQ(results.jobs[0].ended, at_s(15));
}

TEST(SimFaults, AStoreThatFailsRefusesJobsAndStopsNoTask) {
  const Results results =
      ran(two_nodes({"/workload/jobs=[{\"id\": \"a\", \"duration_s\": 20}, {\"id\": \"b\", "
                     "\"at_s\": 12, \"duration_s\": 1}, {\"id\": \"c\", \"at_s\": 13, "
                     "\"duration_s\": 1}, {\"id\": \"d\", \"at_s\": 15, "
                     "\"duration_s\": 1}]",
                     "/faults=[{\"at_s\": 10, \"store_failure\": {\"until_s\": 15}}]"}));
  EXPECT_EQ(results.refusals.size(), 2U);
  EXPECT_EQ(results.refusals.at(1), "store unavailable");
  EXPECT_EQ(results.refusals.at(2), "store unavailable");
  EXPECT_EQ(results.jobs[0].ended, at_s(20));
  EXPECT_EQ(results.jobs[3].state, JobState::kSucceeded);
  EXPECT_EQ(results.jobs[3].id, JobId{2});
  EXPECT_EQ(results.attempts, 2U);
}

/// Counts the controllers' deaths.
struct Deaths final : Observer {
  void on_controller(Instant, bool begins) override { count += !begins; }
  int count = 0;
};

TEST(SimFaults, AStoreThatIsNotUsedFailsNobody) {
  Deaths deaths;
  ran(two_nodes({"/faults=[{\"at_s\": 10, \"store_failure\": {\"until_s\": 15}}]"}), &deaths);
  EXPECT_EQ(deaths.count, 0);
  ran(two_nodes({"/faults=[{\"at_s\": 10, \"store_failure\": {\"until_s\": 25}}]"}), &deaths);
  EXPECT_EQ(deaths.count, 1);  // The end at 20 s has to be stored.
}

TEST(SimFaults, ASlowStoreHoldsUpWhatWaitsForIt) {
  const Results results = ran(two_nodes({"/workload/jobs/0/at_s=12",
                                         "/faults=[{\"at_s\": 10, \"store_delay\": {\"delay_s\": 0.25, "
                                         "\"until_s\": 15}}]"}));
  EXPECT_EQ(results.jobs[0].started, at_s(12.25));  // The job's record, and the placement's with it.
}

TEST(SimFaults, OrderIsKeptWhenTheStoreIsFastAgain) {
  const Results results =
      ran(two_nodes({"/workload/jobs=[{\"id\": \"a\", \"at_s\": 12, \"duration_s\": 1}, "
                     "{\"id\": \"b\", \"at_s\": 13, \"duration_s\": 1}]",
                     "/faults=[{\"at_s\": 10, \"store_delay\": {\"delay_s\": 5, "
                     "\"until_s\": 12.5}}]"}));
  EXPECT_EQ(results.jobs[0].started, at_s(17));
  EXPECT_EQ(results.jobs[1].started, at_s(17));
}

TEST(SimFaults, ASlowNodeDoesItsOperationsLater) {
  const Results results = ran(two_nodes(
      {"/workload/jobs=[{\"id\": \"a\", \"operations\": 2000000000}, {\"id\": \"b\", \"duration_s\": 2}]",
       "/faults=[{\"at_s\": 1, \"slow_node\": {\"node\": \"n0\", \"factor\": 2, \"for_s\": 1}}, "
       "{\"at_s\": 1, \"slow_node\": {\"node\": \"n1\", \"factor\": 2, \"for_s\": 1}}]"}));
  EXPECT_EQ(results.jobs[0].ended, at_s(2.5));  // 1e9 in the first second, half of that in the next.
  EXPECT_EQ(results.jobs[1].ended, at_s(2));    // What has a duration takes that long.
}

TEST(SimFaults, AFastClockEndsTasksAtItsOwnTimeout) {
  const auto ended = [](const std::string& skew) {
    return ran(two_nodes({"/workload/jobs/0/timeout_s=10",
                          "/faults=[{\"at_s\": 2, \"clock_skew\": {\"node\": \"n0\"" + skew + "}}]"}))
        .jobs[0]
        .ended;
  };
  EXPECT_EQ(ended(""), at_s(10));
  EXPECT_EQ(ended(", \"rate\": 2"), at_s(6));                // 8 s at twice the speed.
  EXPECT_EQ(ended(", \"rate\": 0.5"), at_s(18));             // 8 s at half of it.
  EXPECT_EQ(ended(", \"rate\": 2, \"for_s\": 1"), at_s(9));  // One second gained.
  EXPECT_EQ(ended(", \"offset_s\": 3"), at_s(7));            // Three at once.
}

TEST(SimFaults, ClocksThatDisagreeChangeNoVerdict) {
  const std::string jobs =
      "/workload/jobs=[{\"id\": \"a\", \"tasks\": 2, \"duration_s\": 7, \"fail_attempts\": 1, \"retries\": "
      "1}, "
      "{\"id\": \"b\", \"at_s\": 3, \"duration_s\": 5}, {\"id\": \"c\", \"duration_s\": 4, "
      "\"fail_attempts\": "
      "3}]";
  const Results right = ran(two_nodes({jobs}));
  const Results wrong = ran(two_nodes(
      {jobs,
       "/faults=[{\"at_s\": 0, \"clock_skew\": {\"node\": \"n0\", \"rate\": 0.75, \"offset_s\": 100}}, "
       "{\"at_s\": 0, \"clock_skew\": {\"node\": \"n1\", \"rate\": 1.5}}]"}));
  ASSERT_EQ(right.jobs.size(), wrong.jobs.size());
  for (std::size_t i = 0; i < right.jobs.size(); ++i) {
    EXPECT_EQ(right.jobs[i].state, wrong.jobs[i].state) << i;
    EXPECT_EQ(right.jobs[i].ended, wrong.jobs[i].ended) << i;
  }
  EXPECT_EQ(wrong.nodes_lost, 0U);
}

TEST(SimFaults, WhoCancelsWaitsForTheAnswerToTheSubmission) {
  // Known to the operator by its id only, and that comes with the answer: after the commit, or a restart.
  const std::string cancel = "/events=[{\"at_s\": 10, \"cancel\": \"a\"}]";
  const Results late = ran(two_nodes({"/workload/jobs/0/at_s=9.5", "/cluster/commit_delay_s=1", cancel}));
  EXPECT_EQ(late.jobs[0].state, JobState::kCancelled);
  const Results lost = ran(two_nodes({"/workload/jobs/0/at_s=9.5", "/cluster/commit_delay_s=1", cancel,
                                      "/faults=[{\"at_s\": 9.75, \"controller_restart\": {\"for_s\": 5}}]"}));
  EXPECT_EQ(lost.jobs[0].state, JobState::kCancelled);
  const Results before = ran(two_nodes({"/workload/jobs/0/at_s=10", cancel}));
  EXPECT_EQ(before.jobs[0].state, JobState::kSucceeded) << "at that instant nothing had been submitted";
}

TEST(SimFaults, EveryFaultIsReadAndWritten) {
  const Scenario s = two_nodes(
      {"/faults=[{\"at_s\": 1, \"slow_node\": {\"node\": \"n1\", \"factor\": 2.5, \"for_s\": 2}},"
       "{\"at_s\": 2, \"partition\": {\"nodes\": [\"n1\", \"n0\", \"n1\"], \"direction\": \"to_agent\"}},"
       "{\"at_s\": 3, \"network\": {\"loss\": 0.5, \"until_s\": 4}},"
       "{\"at_s\": 4, \"clock_skew\": {\"node\": \"n1\", \"rate\": 0.999, \"offset_s\": 0.5}},"
       "{\"at_s\": 5, \"controller_restart\": {\"for_s\": 1}},"
       "{\"at_s\": 6, \"store_delay\": {\"delay_s\": 0.25, \"for_s\": 1}},"
       "{\"at_s\": 7, \"store_failure\": {\"until_s\": 8}}]"});
  ASSERT_EQ(s.faults.size(), 7U);
  EXPECT_EQ(s.faults[0].until, at_s(3));
  EXPECT_EQ(s.faults[0].factor, 2.5);
  EXPECT_EQ(s.faults[1].nodes, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(s.faults[1].until, kNever);
  EXPECT_TRUE(s.faults[1].cuts(0, true) && !s.faults[1].cuts(0, false) && !s.faults[1].cuts(2, true));
  EXPECT_EQ(s.faults[2].nodes.size(), 2U);  // All of them.
  EXPECT_EQ(s.faults[3].rate_ppm, 999'000U);
  EXPECT_EQ(s.faults[3].delay, milliseconds(500));
  EXPECT_TRUE(s.controller_dies());
  const std::string text = canonical_json(s);
  EXPECT_EQ(
      text.substr(text.find("\"faults\""), text.find("\"network\": {\"loss\": 0,") - text.find("\"faults\"")),
      R"("faults": [
    {"at_s": 1, "slow_node": {"node": "n1", "factor": 2.5, "until_s": 3}},
    {"at_s": 2, "partition": {"nodes": ["n0", "n1"], "direction": "to_agent"}},
    {"at_s": 3, "network": {"loss": 0.5, "duplicate": 0, "delay": 0, "max_delay_s": 0, "until_s": 4}},
    {"at_s": 4, "clock_skew": {"node": "n1", "rate": 0.999, "offset_s": 0.5}},
    {"at_s": 5, "controller_restart": {"until_s": 6}},
    {"at_s": 6, "store_delay": {"delay_s": 0.25, "until_s": 7}},
    {"at_s": 7, "store_failure": {"until_s": 8}}
  ],
  )");
  EXPECT_EQ(canonical_json(good(parse_scenario(text, "again"))), text);
}

}  // namespace
}  // namespace duet::sim::scenario_test
