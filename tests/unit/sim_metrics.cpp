// Metrics of whole runs against values computed by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/engine.h"
#include "sim/metrics.h"
#include "sim/run.h"
#include "sim/run_meter.h"
#include "sim/scenario_parse.h"

namespace duet::sim {
namespace {
namespace metrics_test {

Metrics metrics_of(const std::string& text) {
  const ParsedScenario parsed = parse_scenario(text, "test");
  EXPECT_TRUE(parsed) << parsed.rendered;
  if (!parsed) return {};
  const auto results = run(*parsed.scenario, make_loop_engine, {});
  EXPECT_TRUE(results);
  return measure(*parsed.scenario, *results);
}

std::string small_cluster(const std::string& rest, const std::string& nodes = "2") {
  return R"({"cluster": {"node_types": {"n": {"cores": 2}}, "nodes": [{"type": "n", "count": )" + nodes +
         R"(}], "heartbeat_s": 1}, )" + rest + '}';
}

// Ten jobs of 1 s, one after the other on one thread: waits 0 .. 9 s, turnarounds 1 .. 10 s.
TEST(SimMetrics, PercentilesAreNearestRanks) {
  const Metrics m = metrics_of(R"({"cluster": {"node_types": {"n": {"cores": 1}}, "nodes": [{"type": "n"}]},
      "workload": {"jobs": [{"duration_s": 1, "repeat": {"count": 10}}]}})");
  EXPECT_EQ(m.at("p50_wait_s"), 4);
  EXPECT_EQ(m.at("p90_wait_s"), 8);
  EXPECT_EQ(m.at("p95_wait_s"), 9);
  EXPECT_EQ(m.at("p99_wait_s"), 9);
  EXPECT_EQ(m.at("max_wait_s"), 9);
  EXPECT_EQ(m.at("p50_turnaround_s"), 5);
  EXPECT_EQ(m.at("p90_turnaround_s"), 9);
  EXPECT_EQ(m.at("p99_turnaround_s"), 10);
  EXPECT_EQ(m.at("max_turnaround_s"), 10);
  EXPECT_EQ(m.at("p50_bounded_slowdown"), 1);  // 10 s at most, over 10 s at least
  EXPECT_EQ(m.at("max_bounded_slowdown"), 1);
  EXPECT_EQ(m.at("makespan_bound_s"), 10);
}

// On four threads: a (1 thread, 30 s) and b (2 threads, 10 s) come at 0; c (1 thread, 40 s) and d (4 threads
// would not fit one node, so 2 threads, 20 s) at 20 s. The bounds: 0 + (30 + 20 + 40 + 40) / 4 = 32.5 s, 20 +
// (40 + 40) / 4 = 40 s, and 20 + 40 = 60 s.
TEST(SimMetrics, TheMakespanBoundKnowsWorkReleasesAndRunTimes) {
  const std::string jobs = R"("workload": {"jobs": [{"duration_s": 30}, {"cores": 2, "duration_s": 10},
      {"at_s": 20, "duration_s": 40}, {"at_s": 20, "cores": 2, "duration_s": 20}]})";
  EXPECT_EQ(metrics_of(small_cluster(jobs)).at("makespan_bound_s"), 60);
  // Shares of threads are counted as what they are: four halves of 40 s on one node of two threads, 40 s.
  const Metrics halves = metrics_of(small_cluster(
      R"("workload": {"jobs": [{"cpu_m": 500, "duration_s": 40, "repeat": {"count": 6}}]})", "1"));
  EXPECT_EQ(halves.at("makespan_bound_s"), 60);  // 6 * 20 / 2, above 40
  EXPECT_EQ(halves.at("makespan_s"), 80);
  // Work that only the last jobs bring: 100 + 6 * 2 * 10 / 2 / 1 node.
  const Metrics late = metrics_of(small_cluster(
      R"("workload": {"jobs": [{"duration_s": 1},
                               {"at_s": 100, "cores": 2, "duration_s": 10, "repeat": {"count": 6}}]})",
      "1"));
  EXPECT_EQ(late.at("makespan_bound_s"), 160);
}

// A share of 500 m for 10 s holds a whole thread; a job of 4e9 operations on two threads of 1 GHz works 4 s.
TEST(SimMetrics, UsedIsWhatWasAskedOrWorked) {
  const Metrics shares =
      metrics_of(small_cluster(R"("workload": {"jobs": [{"cpu_m": 500, "duration_s": 10}]})", "1"));
  EXPECT_EQ(shares.at("busy_core_s"), 10);
  EXPECT_EQ(shares.at("used_core_s"), 5);
  EXPECT_EQ(shares.at("utilization"), 0.5);
  EXPECT_EQ(shares.at("utilization_used"), 0.25);
  // Slowed down to a quarter from the first second on: 1 s and 12 s, but no more work.
  const Metrics slow = metrics_of(small_cluster(R"("workload": {"jobs": [{"cores": 2, "operations": 4e9}]},
      "faults": [{"at_s": 1, "slow_node": {"node": "n0", "factor": 4}}])",
                                                "1"));
  EXPECT_EQ(slow.at("makespan_s"), 13);
  EXPECT_EQ(slow.at("busy_core_s"), 26);
  EXPECT_EQ(slow.at("used_core_s"), 8);
  EXPECT_EQ(slow.count("makespan_bound_s"), 0U);
}

// The first two attempts (2 threads, 5 s each) fail.
TEST(SimMetrics, LostIsWhatDidNotSucceed) {
  const Metrics m = metrics_of(small_cluster(
      R"("workload": {"jobs": [{"cores": 2, "duration_s": 5, "fail_attempts": 2, "retries": 2}]})", "1"));
  EXPECT_EQ(m.at("lost_core_s"), 20);
  EXPECT_EQ(m.at("busy_core_s"), 30);
  EXPECT_EQ(m.at("tasks_retried"), 2);
}

// Each node of two threads has one busy until 100 s; from 1 s on a task of two threads waits, to which the
// free ones are of no use. One that comes at 51 s could use them, but waits behind it: from then on nothing
// is wasted by sizes.
TEST(SimMetrics, FragmentationIsWhatNoWaitingTaskCanUse) {
  const auto with = [&](const std::string& more) {
    return metrics_of(small_cluster(
        R"("policies": {"scheduler": "spread"},
           "workload": {"jobs": [{"duration_s": 100}, {"duration_s": 100},
                                 {"at_s": 1, "cores": 2, "duration_s": 10})" +
        more + "]}"));
  };
  EXPECT_EQ(with("").at("fragmentation"), 1);
  EXPECT_EQ(with(R"(, {"at_s": 51, "duration_s": 200})").at("fragmentation"), 50.0 / 99);
  EXPECT_EQ(metrics_of(small_cluster(R"("workload": {"jobs": [{"duration_s": 1}]})")).count("fragmentation"),
            0U);
}

TEST(SimMetrics, FreeCapacityByTheSmallestThatWaits) {
  ParsedScenario parsed = parse_scenario(
      R"({"cluster": {"node_types": {"n": {"cores": 4}}, "nodes": [{"type": "n", "count": 2}]},
          "workload": {"jobs": [{"duration_s": 1}]}})",
      "test");
  ASSERT_TRUE(parsed);
  CapacityMeter meter(*parsed.scenario);
  const auto at = [](int s) { return Instant(std::chrono::seconds(s)); };
  meter.turn(0, true);
  meter.turn(1, true);
  meter.take(0, 3000);  // 1000 and 4000 are free
  meter.wait(2000, 1);
  meter.advance(at(10));  // 0 .. 10: 1000 of 5000
  meter.wait(500, 2);
  meter.advance(at(20));  // 10 .. 20: nothing
  meter.wait(500, -2);
  meter.take(1, 3500);    // 1000 and 500
  meter.advance(at(30));  // 20 .. 30: all
  meter.turn(1, false);
  meter.take(1, -3500);  // of a node that is off
  meter.take(0, -3000);
  meter.advance(at(40));  // 30 .. 40: 4000 in one piece
  meter.wait(2000, -1);
  meter.advance(at(100));  // nothing waits
  EXPECT_EQ(meter.waited_s(), 40);
  EXPECT_NEAR(meter.fragmentation(), (10 * 0.2 + 0 + 10 + 0) / 40, 1e-12);
}

// Users a (slowdowns 1 and 3) and b (2): means 2 and 2, so all is fair; without b nothing can be compared.
TEST(SimMetrics, FairnessIsJainsIndexOfTheUsersSlowdowns) {
  const auto job = [](const std::string& user, const std::string& at) {
    return R"({"user": ")" + user + R"(", "at_s": )" + at + R"(, "duration_s": 10})";
  };
  const auto with = [&](const std::string& jobs) {
    return metrics_of(R"({"cluster": {"node_types": {"n": {"cores": 1}}, "nodes": [{"type": "n"}]},
        "workload": {"jobs": [)" +
                      jobs + "]}}");
  };
  const Metrics fair = with(job("a", "0") + ',' + job("b", "0") + ',' + job("a", "0"));
  EXPECT_EQ(fair.at("users"), 2);
  EXPECT_EQ(fair.at("user_fairness"), 1);
  // a: 1 and 2, mean 1.5; b: 3: (4.5)^2 / (2 * (2.25 + 9)) = 0.9.
  EXPECT_NEAR(with(job("a", "0") + ',' + job("a", "0") + ',' + job("b", "0")).at("user_fairness"), 0.9,
              1e-12);
  EXPECT_EQ(with(job("a", "0") + ',' + job("a", "0")).count("user_fairness"), 0U);
}

// n1 crashes at 4.5 s, was last heard at 4 s, is dead after 3 s of silence: noticed at 7 s. n0's link is cut
// from 20.5 s to 21.2 s, which nobody notices.
TEST(SimMetrics, DetectionCountsFromTheTrouble) {
  const Metrics m = metrics_of(small_cluster(
      R"("policies": {"detector": {"name": "timeout", "suspect_after_s": 2, "dead_after_s": 3}},
      "workload": {"jobs": [{"duration_s": 30}]},
      "faults": [{"at_s": 4.5, "crash": "n1"},
                 {"at_s": 20.5, "partition": {"nodes": ["n0"], "until_s": 21.2}}])"));
  EXPECT_EQ(m.at("nodes_lost"), 1);
  EXPECT_EQ(m.at("mean_detection_s"), 2.5);
  EXPECT_EQ(m.at("max_detection_s"), 2.5);
  EXPECT_EQ(m.at("false_alarms"), 0);
}

// All messages are lost from 4.5 s to 9.5 s: nothing is wrong with the nodes.
TEST(SimMetrics, WhoIsDeclaredDownThoughHeIsWellIsAFalseAlarm) {
  const Metrics m = metrics_of(small_cluster(
      R"("policies": {"detector": {"name": "timeout", "suspect_after_s": 2, "dead_after_s": 3}},
      "workload": {"jobs": [{"duration_s": 30}]},
      "faults": [{"at_s": 4.5, "network": {"loss": 1, "nodes": ["n0", "n1"], "until_s": 9.5}}])"));
  EXPECT_EQ(m.at("false_alarms"), 2);
  EXPECT_EQ(m.count("mean_detection_s"), 0U);
}

TEST(SimMetrics, PoolsAreHeldAgainstTheirDemand) {
  PoolMeters meters;
  const std::uint16_t pool = meters.named("p");
  EXPECT_EQ(meters.named("p"), pool);
  const auto at = [](int s) { return Instant(std::chrono::seconds(s)); };
  PoolSpec spec;
  spec.minimum = 1;
  spec.maximum = 4;
  meters.open(pool, spec, at(0));
  meters.supply(pool, +1, at(10));       // 0 .. 10: one too few
  meters.demand(pool, 400, 5, at(20));   // two of 400 make a worker of at most 800: 2.5, so 3; 2 too few
  meters.supply(pool, +2, at(30));       // 20 .. 30
  meters.demand(pool, 400, -5, at(50));  // right from 30 to 50; then two too many
  meters.demand(pool, 1000, 9, at(60));  // one each: 9, but 4 at most: one too few
  meters.scaled(JobId{1}, true, at(30));
  meters.scaled(JobId{1}, false, at(90));  // a flap: 60 s later
  meters.scaled(JobId{1}, true, at(151));  // none
  meters.scaled(JobId{1}, true, at(152));
  meters.scaled(JobId{2}, false, at(153));
  meters.close(pool, at(80));
  Results results;
  meters.finish(at(1000), results);
  EXPECT_EQ(*results.over_provisioned, 2 * 10 / 80.0);
  EXPECT_EQ(*results.under_provisioned, (1 * 10 + 2 * 10 + 1 * 20) / 80.0);
  EXPECT_EQ(results.flaps, 1U);
}

TEST(SimMetrics, ThoseOfABurstOnAPool) {
  const ParsedScenario parsed = load_scenario(DUET_SOURCE_DIR "/scenarios/burst.json");
  ASSERT_TRUE(parsed) << parsed.rendered;
  const auto results = run(*parsed.scenario, make_loop_engine, {});
  ASSERT_TRUE(results);
  const Metrics m = measure(*parsed.scenario, *results);
  // Open for 90 s. Six workers are wanted and there from 10 s on; the last operations end at 20 s, and at 38
  // s, when none has waited for 20 s, five are given up.
  EXPECT_EQ(m.at("over_provisioned"), 5 * 18 / 90.0);
  EXPECT_EQ(m.at("under_provisioned"), 0);
  EXPECT_EQ(m.at("scaling_actions"), 2);
  EXPECT_EQ(m.at("flaps"), 1);
  EXPECT_EQ(m.at("used_core_s"), 30 * 2 * 2);  // operations of 2 s on workers of two threads
}

// Two cores at 10 W busy and 2 W idle, and 3 W for the rest, on for 20 s; off_w 1 W.
TEST(SimMetrics, IdleEnergyIsTheBound) {
  const Metrics m = metrics_of(R"({"cluster": {"node_types": {"n": {"cores": 2,
      "power": {"core_w": [2, 10], "uncore_w": 3}}}, "nodes": [{"type": "n"}]},
      "workload": {"jobs": [{"duration_s": 20}]}})");
  EXPECT_EQ(m.at("energy_j"), 20 * (10 + 2 + 3));
  EXPECT_EQ(m.at("energy_idle_j"), 20 * (2 + 2 + 3));
}

TEST(SimMetrics, EveryMetricHasItsUnit) {
  for (const Metric& metric : known_metrics()) {
    if (metric.name.ends_with("core_s"))
      EXPECT_EQ(metric.unit, "thread-s") << metric.name;
    else if (metric.name.ends_with("_s"))
      EXPECT_EQ(metric.unit, "s") << metric.name;
    if (metric.name.ends_with("_j")) EXPECT_EQ(metric.unit, "J") << metric.name;
    EXPECT_EQ(find_metric(metric.name), &metric);
  }
  EXPECT_EQ(find_metric("nothing"), nullptr);
}

}  // namespace metrics_test
}  // namespace
}  // namespace duet::sim
