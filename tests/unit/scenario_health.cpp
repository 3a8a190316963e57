// Health checks, restart policies and sickness in scenario files.
#include "tests/unit/scenario_support.h"

namespace duet::sim::scenario_test {
namespace {

const std::string kChecked =
    R"(/workload/jobs=[{"id": "web", "kind": "service", "restart": "on_failure",)"
    R"( "health": {"interval_s": 2, "timeout_s": 0.5, "start_period_s": 3, "failures": 4}},)"
    R"( {"id": "plain", "duration_s": 1, "restart": "never"}])";

TEST(ScenarioHealth, IsReadAndWrittenBack) {
  const Scenario scenario = good(edited(
      {"/horizon_s=9", kChecked,
       R"(/faults=[{"at_s": 1, "unhealthy": {"job": "web", "task": 2,)"
       R"( "new_attempts": true, "for_s": 5}}])"}));
  const auto& jobs = std::get<std::vector<Arrival>>(scenario.workload);
  const JobSpec& web = *jobs[0].spec;
  const HealthCheck wanted{std::chrono::seconds(2), std::chrono::milliseconds(500), std::chrono::seconds(3),
                           4};
  EXPECT_EQ(web.groups.front().spec.work.health, wanted);
  EXPECT_EQ(web.restart, RestartPolicy::kOnFailure);
  EXPECT_EQ(web.retries, kUnlimited);
  EXPECT_EQ(jobs[1].spec->restart, RestartPolicy::kNeverAgain);
  EXPECT_FALSE(jobs[1].spec->groups.front().spec.work.health);
  ASSERT_EQ(scenario.faults.size(), 1U);
  const Fault& fault = scenario.faults.front();
  EXPECT_EQ(fault.job, "web");
  EXPECT_EQ(fault.task, 2U);
  EXPECT_TRUE(fault.new_attempts);
  EXPECT_EQ(fault.until, Instant(std::chrono::seconds(6)));
  const std::string canonical = canonical_json(scenario);
  EXPECT_EQ(canonical_json(good(parse_scenario(canonical, "again.json", {}))), canonical);
}

TEST(ScenarioHealth, MistakesAreTold) {
  const auto told = [](const std::string& option) {
    return first_mistake({"/horizon_s=9", kChecked, option});
  };
  EXPECT_EQ(
      told(R"(/faults=[{"at_s": 1, "unhealthy": {"job": "plain"}}])"),
      "--set: /faults/0/unhealthy/job: `plain` has no health check to fail | right: a job with `health`");
  EXPECT_EQ(told(R"(/faults=[{"at_s": 1, "unhealthy": {"job": "wab"}}])"),
            "--set: /faults/0/unhealthy/job: there is no job `wab` | did you mean `web`?");
  EXPECT_EQ(told(R"(/workload/jobs/1/restart="always")"),
            "--set: /workload/jobs/1/restart: only a service's replicas run again always | right: \"kind\": "
            "\"service\"");
  EXPECT_EQ(told("/workload/jobs/1/retries=1"),
            "--set: /workload/jobs/1/restart: what is never to run again has no `retries`");
  EXPECT_EQ(told("/workload/jobs/0/health/failures=0"),
            "--set: /workload/jobs/0/health/failures: `0` is out of range | right: an integer from 1 to 1e6 "
            "(failures)");
  EXPECT_EQ(told(R"(/workload/jobs/0/workers={"pool": "p", "max": 3})"),
            "--set: /workload/jobs/0/restart: the workers of a pool run again always");
}

}  // namespace
}  // namespace duet::sim::scenario_test
