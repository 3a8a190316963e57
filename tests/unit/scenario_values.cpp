// What a scenario file means: every field, every default, to the nanosecond.
#include "sim/payload.h"
#include "tests/unit/scenario_support.h"

namespace duet::sim::scenario_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const std::vector<Arrival>& jobs(const Scenario& scenario) {
  return std::get<std::vector<Arrival>>(scenario.workload);
}

TEST(ScenarioValues, DefaultsAreFilledIn) {
  const Scenario s = good(edited({}));
  EXPECT_EQ(s.name, "");
  EXPECT_EQ(s.seed, 1U);
  EXPECT_FALSE(s.horizon);
  ASSERT_EQ(s.node_types.size(), 1U);
  const NodeType& type = s.node_types[0];
  EXPECT_EQ(type.name, "small");
  EXPECT_EQ(type.offer.capacity.cpu_m, 4000);
  EXPECT_EQ(type.offer.capacity.memory_bytes, 0);
  EXPECT_EQ(type.speed, std::vector<double>{1e9});
  EXPECT_TRUE(type.plain());
  EXPECT_EQ(s.nodes[0].name, "small");
  EXPECT_EQ(s.latency, Duration{0});
  EXPECT_EQ(s.agent, AgentConfig{});
  ControllerConfig config;
  config.inventory = {"small"};
  EXPECT_EQ(s.controller, config);
  ASSERT_EQ(jobs(s).size(), 1U);
  JobSpec spec;
  spec.key = "job1";
  spec.groups.resize(1);
  spec.groups[0].spec.need.cpu_m = kThread;
  spec.groups[0].spec.work.duration = seconds(1);
  EXPECT_EQ(*jobs(s)[0].spec, spec);
  EXPECT_EQ(s.network.until, Instant{});
  EXPECT_TRUE(s.events.empty() && s.faults.empty() && s.assertions.empty());
}

TEST(ScenarioValues, TheCluster) {
  const Scenario s = good(edited({
      "/cluster/countable=[\"gpus\", \"ports\"]",
      "/cluster/node_types/big={\"cores\": 4, \"threads_per_core\": 2, \"turbo_hz\": [4.2e9, 4.0e9, 3.8e9], "
      "\"smt_yield\": 1.25, \"memory_mib\": 8192, \"count\": {\"ports\": 100}}",
      "/cluster/nodes/-={\"type\": \"big\", \"count\": 2, \"name\": \"b\"}",
      "/cluster/nodes/-={\"type\": \"big\", \"count\": 1}",
      "/cluster/latency_s=0.0005",
      "/cluster/commit_delay_s=2e-3",
      "/cluster/heartbeat_s=0",
      "/cluster/resend_after_s=1.5",
      "/cluster/kill_grace_s=0",
      "/cluster/max_losses=3",
  }));
  EXPECT_THAT(s.controller.inventory, testing::ElementsAre("small", "b0", "b1", "big0"));
  ASSERT_EQ(s.node_types.size(), 2U);  // by name
  const NodeType& big = s.node_types[0];
  EXPECT_EQ(big.offer.threads(), 8U);
  EXPECT_EQ(big.offer.capacity.cpu_m, 8000);
  EXPECT_EQ(big.offer.capacity.memory_bytes, 8192LL << 20);
  EXPECT_EQ(big.offer.capacity.count[1], 100);
  EXPECT_EQ(big.speed, (std::vector<double>{4.2e9, 4.0e9, 3.8e9}));
  EXPECT_EQ(big.smt_yield, 1.25);
  EXPECT_FALSE(big.plain());
  EXPECT_EQ(s.nodes[1].type, 0U);
  EXPECT_EQ(s.nodes[0].type, 1U);
  EXPECT_EQ(s.latency, nanoseconds(500'000));
  EXPECT_EQ(s.commit_delay, milliseconds(2));
  EXPECT_EQ(s.agent.heartbeat, Duration{0});
  EXPECT_EQ(s.agent.resend_after, milliseconds(1500));
  EXPECT_EQ(s.controller.resend_after, milliseconds(1500));
  EXPECT_EQ(s.agent.kill_grace, Duration{0});
  EXPECT_EQ(s.controller.max_losses, 3U);
}

TEST(ScenarioValues, PoliciesWithParametersByName) {
  const Scenario s = good(
      edited({"/seed=18446744073709551615", "/policies/queue=easy",
              "/policies/detector={\"suspect_after_s\": 2, \"name\": \"timeout\", \"dead_after_s\": 2.5}"}));
  EXPECT_EQ(s.seed, 18446744073709551615U);
  EXPECT_EQ(s.controller.seed, s.seed);
  EXPECT_EQ(s.controller.queue, (PolicyChoice{"easy", {}}));
  const Params params{{{"dead_after_s", 2.5}, {"suspect_after_s", std::int64_t{2}}}};
  EXPECT_EQ(s.controller.detector, (PolicyChoice{"timeout", params}));
}

TEST(ScenarioValues, Jobs) {
  const Scenario s = good(edited({
      "/cluster/countable=[\"gpus\"]",
      "/cluster/node_types/small={\"cores\": 4, \"memory_mib\": 512, \"count\": {\"gpus\": 2}}",
      "/workload/jobs/0={\"id\": \"late\", \"at_s\": 9.000000001, \"user\": \"ada\", \"tasks\": 2, "
      "\"cpu_m\": 500, "
      "\"memory_mib\": 256, \"count\": {\"gpus\": 1}, \"operations\": 4.2e9, \"estimate_s\": 7, "
      "\"timeout_s\": 8, "
      "\"retries\": 2, \"fail_attempts\": 1, \"exit_code\": -9, \"priority\": -3, \"operation\": \"hash\", "
      "\"iterations\": 1e8}",
      "/workload/jobs/1={\"at_s\": 1, \"exclusive\": true, \"duration_s\": 0.1, \"repeat\": {\"count\": 3, "
      "\"every_s\": "
      "0.1}}",
      "/workload/jobs/2={\"kind\": \"bag\", \"groups\": [{\"tasks\": 3, \"duration_s\": 1}, {\"cores\": 4, "
      "\"operations\": 1, \"operation\": \"sort\"}]}",
      "/workload/jobs/3={\"id\": \"early\", \"duration_s\": 1}",
  }));
  std::vector<std::string> order;
  for (const Arrival& a : jobs(s)) order.push_back(a.spec->key + "@" + std::to_string(to_ns(a.at)));
  EXPECT_THAT(order, testing::ElementsAre("job3@0", "early@0", "job20@1000000000", "job21@1100000000",
                                          "job22@1200000000", "late@9000000001"));
  const JobSpec& bag = *jobs(s)[0].spec;
  EXPECT_EQ(bag.kind, JobKind::kBag);
  ASSERT_EQ(bag.groups.size(), 2U);
  EXPECT_EQ(bag.groups[0].count, 3U);
  EXPECT_EQ(bag.groups[1].spec.need.cpu_m, 4000);
  EXPECT_EQ(bag.groups[1].spec.work.operations, 1);
  EXPECT_EQ(bag.groups[1].spec.work.duration, Duration{0});
  EXPECT_EQ(bag.groups[0].spec.operation, "");
  EXPECT_EQ(bag.groups[1].spec.operation, "sort");
  EXPECT_EQ(bag.groups[1].spec.iterations, 0);
  EXPECT_EQ(bag.priority, 0);

  const TaskSpec& exclusive = jobs(s)[2].spec->groups[0].spec;
  EXPECT_TRUE(exclusive.exclusive);
  EXPECT_EQ(exclusive.need, Resources{});

  const JobSpec& late = *jobs(s)[5].spec;
  EXPECT_EQ(late.user, "ada");
  EXPECT_EQ(late.retries, 2U);
  EXPECT_EQ(late.priority, -3);
  EXPECT_EQ(late.groups[0].spec.operation, "hash");
  EXPECT_EQ(late.groups[0].spec.iterations, 100'000'000);
  EXPECT_EQ(late.groups[0].count, 2U);
  const TaskSpec& task = late.groups[0].spec;
  EXPECT_EQ(task.need.cpu_m, 500);
  EXPECT_EQ(task.need.memory_bytes, 256LL << 20);
  EXPECT_EQ(task.need.count[0], 1);
  EXPECT_EQ(task.work.operations, 4'200'000'000);
  EXPECT_EQ(task.estimate, seconds(7));
  EXPECT_EQ(task.timeout, seconds(8));
  EXPECT_EQ(*task.work.payload, "{\"exit_code\":-9,\"fail_attempts\":1}");
  EXPECT_EQ(decode_behaviour(task.work.payload), (SimulatedBehaviour{1, -9}));
}

TEST(ScenarioValues, PayloadsOfOthersAreNotOurs) {
  EXPECT_EQ(encode_behaviour({}), nullptr);
  EXPECT_EQ(decode_behaviour(nullptr), SimulatedBehaviour{});
  for (const char* text :
       {"", "{}", "{\"exit_code\":1,\"fail_attempts\":2} ", "{\"exit_code\":,\"fail_attempts\":2}"})
    EXPECT_EQ(decode_behaviour(std::make_shared<const std::string>(text)), std::nullopt) << text;
}

TEST(ScenarioValues, SecondsDoNotPassThroughDoubles) {
  const Scenario s = good(edited(
      {"/workload/jobs/0/at_s=9007199.254740993", "/workload/jobs/0/duration_s=4.709164",
       "/workload/jobs/0/estimate_s=0.1234567894999", "/workload/jobs/0/timeout_s=123456789.123456789"}));
  const TaskSpec& task = jobs(s)[0].spec->groups[0].spec;
  EXPECT_EQ(to_ns(jobs(s)[0].at), 9007199254740993);
  EXPECT_EQ(to_ns(task.work.duration), 4709164000);
  EXPECT_EQ(to_ns(task.estimate), 123456789);
  EXPECT_EQ(to_ns(task.timeout), 123456789123456789);
}

TEST(ScenarioValues, GeneratedWorkloads) {
  const Scenario p =
      good(edited({"/workload={\"generate\": {\"model\": \"poisson\", \"jobs\": 10, \"mean_gap_s\": 0.5, "
                   "\"mean_operations\": 1e10, \"fixed_size\": true, \"estimate_factor\": 0, \"tasks\": 2, "
                   "\"cores\": 2, \"timeout_s\": 3, \"retries\": 1}}"}));
  const auto& poisson = std::get<PoissonWorkload>(p.workload);
  EXPECT_EQ(poisson.jobs, 10U);
  EXPECT_EQ(poisson.mean_gap_s, 0.5);
  EXPECT_EQ(poisson.mean_operations, 1e10);
  EXPECT_TRUE(poisson.fixed_size);
  EXPECT_EQ(poisson.estimate_factor, 0.0);
  EXPECT_EQ(poisson.tasks, 2U);
  EXPECT_EQ(poisson.retries, 1U);
  EXPECT_EQ(poisson.task.need.cpu_m, 2000);
  EXPECT_EQ(poisson.task.timeout, seconds(3));

  const Scenario l = good(
      edited({"/workload={\"generate\": {\"model\": \"lublin\", \"jobs\": 10, \"max_cores\": 4, \"gangs\": "
              "true, \"load_factor\": 1.5}}"}));
  const auto& lublin = std::get<LublinWorkload>(l.workload);
  EXPECT_EQ(lublin.jobs, 10U);
  EXPECT_EQ(lublin.max_cores, 4U);
  EXPECT_TRUE(lublin.gangs);
  EXPECT_EQ(lublin.load_factor, 1.5);
  EXPECT_EQ(lublin.estimate_factor, 1.0);
}

TEST(ScenarioValues, TablesAreSortedByTimeAndKeepTheOrderOfRows) {
  const Scenario s = good(edited(
      {"/workload={\"table\": {\"columns\": [\"cores\", \"submit_s\", \"duration_s\", \"id\", "
       "\"operations\", \"tasks\", \"estimate_s\", \"timeout_s\"], \"rows\": ["
       "[1, 5, 1.5, \"a\", 0, 1, 0, 0], [2, 0, 0, 17, 3e9, 2, 4, 0.25], [1, 5, 1, \"c\", 0, 1, 0, 0]]}}"}));
  const auto& table = std::get<JobTable>(s.workload).jobs;
  ASSERT_EQ(table.size(), 3U);
  EXPECT_EQ(table[0].id, "17");
  EXPECT_EQ(table[0].operations, 3'000'000'000);
  EXPECT_EQ(table[0].duration_ns, 0);
  EXPECT_EQ(table[0].tasks, 2U);
  EXPECT_EQ(table[0].cores, 2U);
  EXPECT_EQ(table[0].estimate_ns, 4'000'000'000);
  EXPECT_EQ(table[0].timeout_ns, 250'000'000);
  EXPECT_EQ(table[1].id, "a");
  EXPECT_EQ(table[1].duration_ns, 1'500'000'000);
  EXPECT_EQ(table[2].id, "c");

  const Scenario plain =
      good(edited({"/workload={\"table\": {\"columns\": [\"submit_s\", \"duration_s\"], \"rows\": [[7, 1], "
                   "[3, 1]]}}"}));
  EXPECT_EQ(std::get<JobTable>(plain.workload).jobs[0].id, "2");
}

TEST(ScenarioValues, EventsFaultsAndNetwork) {
  const Scenario s = good(edited({
      "/cluster/nodes/0/count=3",
      "/events=[{\"at_s\": 5, \"undrain\": \"small2\"}, {\"at_s\": 1, \"drain\": \"small2\"}, {\"at_s\": 5, "
      "\"cancel\": "
      "\"job1\"}, {\"at_s\": 3, \"evict\": \"small0\"}]",
      "/faults=[{\"at_s\": 2, \"restart\": \"small1\"}, {\"at_s\": 1.5, \"crash\": \"small1\"}]",
      "/network={\"loss\": 0.01, \"duplicate\": 0.0000005, \"delay\": 1, \"max_delay_s\": 0.2}",
      "/horizon_s=100",
  }));
  using Kind = OperatorEvent::Kind;
  ASSERT_EQ(s.events.size(), 4U);
  EXPECT_EQ(s.events[0].kind, Kind::kDrain);
  EXPECT_EQ(s.events[0].node, 2U);
  EXPECT_EQ(s.events[1].kind, Kind::kEvict);
  EXPECT_EQ(s.events[2].kind, Kind::kUndrain);
  EXPECT_EQ(s.events[3].kind, Kind::kCancel);
  EXPECT_EQ(s.events[3].job, "job1");
  EXPECT_EQ(s.faults[0].kind, Fault::Kind::kCrash);
  EXPECT_EQ(to_ns(s.faults[0].at), 1'500'000'000);
  EXPECT_EQ(s.faults[1].node, 1U);
  EXPECT_EQ(s.network.loss_ppm, 10'000U);
  EXPECT_EQ(s.network.duplicate_ppm, 1U);
  EXPECT_EQ(s.network.delay_ppm, 1'000'000U);
  EXPECT_EQ(s.network.max_delay, milliseconds(200));
  EXPECT_EQ(s.network.until, kNever);
  EXPECT_EQ(s.horizon, Instant(seconds(100)));
  EXPECT_EQ(good(edited({"/network={\"loss\": 1, \"until_s\": 2}"})).network.until, Instant(seconds(2)));
}

}  // namespace
}  // namespace duet::sim::scenario_test
