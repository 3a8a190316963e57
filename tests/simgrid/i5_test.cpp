// The i5-1135G7 against closed forms, written down here a second time: nothing is taken from the model but
// the model itself.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <simgrid/plugins/energy.h>
#include <simgrid/s4u.hpp>

#include "sim/energy_watch.h"
#include "sim/node_models.h"
#include "sim/run.h"
#include "sim/scenario_parse.h"
#include "sim/simgrid/simgrid_engine.h"
#include "tests/simgrid/child.h"
#include "tests/simgrid/fake_world.h"

namespace duet::sim {
namespace {

constexpr double kExact = 1e-9;
constexpr std::int64_t kWork = 4'200'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
// One core, two cores, three or four; what two threads of a core do together.
constexpr double k1 = 4.2e9;
constexpr double k2 = 4.0e9;
constexpr double k4 = 3.8e9;
constexpr double kYield = 1.25;

void expect_close(double actual, double wanted) { EXPECT_NEAR(actual, wanted, kExact * wanted); }

/// With core 0 kept for the system, as it is, or with all cores for tasks.
NodeType i5(bool whole) {
  NodeType type = *find_node_model("i5-1135G7");
  if (!whole) return type;
  type.reserved_cores = 0;
  type.zones.clear();
  type.offer.cores = 4;
  type.offer.capacity.cpu_m = kThread * type.offer.threads();
  return type;
}

struct Part {
  std::vector<std::uint32_t> threads;
  std::uint32_t quota_m = 1000;
  std::uint32_t priority = 1;
  double at_s = 0;
};

struct I5Case {
  std::string name;
  bool whole;
  std::vector<Part> parts;
  std::vector<double> ends_s;
};

void PrintTo(const I5Case& i5_case, std::ostream* out) { *out << i5_case.name; }

class I5 : public testing::TestWithParam<std::tuple<I5Case, Executor>> {};

/// Each part does kWork operations on each of its threads.
TEST_P(I5, TakesTheTimeOfTheTable) {
  const I5Case& wanted = std::get<0>(GetParam());
  run_in_child([&] {
    const Scenario scenario = scenario_of(i5(wanted.whole));
    auto engine = make_simgrid_engine(scenario, true, std::get<1>(GetParam()));
    ASSERT_TRUE(engine);
    FakeWorld world(**engine);
    std::vector<double> ends(wanted.parts.size());
    world.on_ended = [&](ExecId id) { ends[id] = simgrid::s4u::Engine::get_clock(); };
    for (ExecId id = 0; id < wanted.parts.size(); ++id) {
      const Part& part = wanted.parts[id];
      ExecSpec spec{.id = id, .operations = kWork, .quota_m = part.quota_m, .priority = part.priority};
      spec.width = static_cast<std::uint32_t>(part.threads.size());
      for (const std::uint32_t thread : part.threads) spec.threads.insert(thread);
      world.at(static_cast<std::int64_t>(part.at_s * 1e9), [&world, spec] { world.start(spec); });
    }
    (*engine)->run(world);
    for (ExecId id = 0; id < ends.size(); ++id) expect_close(ends[id], wanted.ends_s[id]);
  });
}

std::vector<I5Case> i5_cases() {
  const double w = static_cast<double>(kWork);
  const double shared4 = w / (k4 * kYield / 2);
  return {
      // Threads i and i + 4 are on core i.
      {"OneThread", true, {{{1}}}, {w / k1}},
      {"Siblings", true, {{{1}}, {{5}}}, {w / (k1 * kYield / 2), w / (k1 * kYield / 2)}},
      {"TwoCores", true, {{{1}}, {{2}}}, {w / k2, w / k2}},
      {"FourCores", true, {{{0, 1, 2, 3}}}, {w / k4}},
      {"AllThreads", true, {{{0, 1, 2, 3, 4, 5, 6, 7}}}, {shared4}},
      {"HalfAlone", true, {{{1}, 500}}, {w / (0.5 * k1)}},
      // The sibling gets what the core's yield leaves: 1.25 - 0.5 of its speed.
      {"HalfBesideSibling", true, {{{1}, 500}, {{5}}}, {w / (0.5 * k1), w / ((kYield - 0.5) * k1)}},
      // A quota is a frequency: three more busy cores slow it down only if they leave less.
      {"HalfAmongFourCores", true, {{{1}, 500}, {{0, 2, 3}}}, {w / (0.5 * k1), w / k4}},
      {"MostAmongFourCores",
       true,
       {{{1}, 950}, {{0, 2, 3}}},
       {w / k4, w / k4}},  // 0.95 * 4.2 GHz would be 3.99
      {"MostBeforeFourCores",
       true,
       {{{1}, 950}, {{0, 2, 3}, 1000, 1, 0.25}},
       {0.25 + (w - 0.25 * 0.95 * k1) / k4, 0.25 + w / k4}},
      {"MostAfterFourCores",
       true,
       {{{1}, 950, 1, 0.5}, {{0, 2, 3}}},
       {w / k4 + (w - (w / k4 - 0.5) * k4) / (0.95 * k1), w / k4}},
      // The pstate changes while the quota holds, down and up again.
      {"HalfBeforeAndAfterAnother",
       true,
       {{{1}, 500}, {{2}, 1000, 1, 0.25}},
       {w / (0.5 * k1), 0.25 + w / k2}},
      {"PriorityTwoToOne",
       true,
       {{{1}, 1000, 2}, {{5}}},
       {w / (kYield * k1 * 2 / 3), w / (kYield * k1 * 2 / 3) + (w - w / 2) / k1}},
      {"ThreeOnACore", true, {{{1}}, {{5}}, {{5}}}, std::vector<double>(3, 3 * w / (kYield * k1))},
      {"SecondCoreFromHalfOn",
       true,
       {{{1}}, {{2}, 1000, 1, 0.5}},
       {0.5 + (w - 0.5 * k1) / k2, 0.5 + 0.525 + (w - 0.525 * k2) / k1}},
      // Core 0 reserved: threads 0 1 2 are the machine's 1 2 3, threads 3 4 5 its 5 6 7.
      {"ZoneA", false, {{{0, 3}}}, {w / (k1 * kYield / 2)}},
      {"ThreeZonesOneThreadEach", false, {{{0, 1, 2}}}, {w / k4}},
      {"ThreeZones", false, {{{0, 3}}, {{1, 4}}, {{2, 5}}}, {shared4, shared4, shared4}},
  };
}

std::string i5_case_name(const testing::TestParamInfo<I5::ParamType>& info) {
  return std::get<0>(info.param).name + (std::get<1>(info.param) == Executor::kShell ? "Shell" : "Actor");
}

INSTANTIATE_TEST_SUITE_P(Table, I5,
                         testing::Combine(testing::ValuesIn(i5_cases()),
                                          testing::Values(Executor::kShell, Executor::kActor)),
                         i5_case_name);

/// When `n` equal operations end that are spread over the cores first: those that share a core do less until
/// the others are done, and then have fewer busy cores beside them.
std::vector<double> closed_form(int n, double work) {
  const auto speed = [](int cores) { return cores == 1 ? k1 : cores == 2 ? k2 : k4; };
  const int cores = std::min(n, 4);
  const int pairs = n - cores;
  const int singles = cores - pairs;
  if (singles == 0) return std::vector<double>(8, work / (speed(4) * kYield / 2));
  const double first = work / speed(cores);
  std::vector<double> ends(static_cast<std::size_t>(singles), first);
  if (pairs > 0) {
    const double left = work - first * speed(4) * kYield / 2;
    ends.insert(ends.end(), static_cast<std::size_t>(2 * pairs), first + left / (speed(pairs) * kYield / 2));
  }
  return ends;
}

std::string operations_before_and_after_an_outage() {
  std::string jobs;
  for (const int phase : {0, 1000})
    for (int n = 1; n <= 8; ++n)
      jobs += "{\"id\": \"" + std::to_string(phase + n) + "\", \"at_s\": " + std::to_string(phase + 10 * n) +
              ", \"kind\": \"bag\", \"tasks\": " + std::to_string(n) + ", \"operations\": 4.2e9},\n";
  return R"({"cluster": {"node_types": {"i5": {"model": "i5-1135G7", "reserved_cores": 0}},
      "nodes": [{"type": "i5"}]},
    "workload": {"jobs": [)" +
         jobs + R"({"id": "lost", "at_s": 500, "kind": "bag", "tasks": 7, "operations": 4.2e11}]},
    "faults": [{"at_s": 510.123, "crash": "i5"}, {"at_s": 520, "restart": "i5"}]})";
}

TEST(I5World, OneToEightOperationsAlsoAfterTheNodeWasOff) {
  run_in_child([] {
    const ParsedScenario parsed = parse_scenario(operations_before_and_after_an_outage(), "test");
    ASSERT_TRUE(parsed) << parsed.rendered;
    const auto results = run(*parsed.scenario,
                             [](const Scenario& s, bool model) { return make_simgrid_engine(s, model); }, {});
    ASSERT_TRUE(results);
    EXPECT_EQ(results->attempts_lost, 7U);
    ASSERT_EQ(results->jobs.size(), 17U);
    for (const JobRow& job : results->jobs) {
      ASSERT_EQ(job.state, JobState::kSucceeded) << job.key;
      std::vector<double> took;
      for (std::uint32_t i = 0; i < job.tasks; ++i) {
        const TaskRow& task = results->tasks[job.first_task + i];
        EXPECT_EQ(task.attempts, job.key == "lost" ? 2U : 1U);
        took.push_back(seconds_of(instant_ns(to_ns(task.ended - task.started))));
      }
      std::sort(took.begin(), took.end());
      const auto wanted = closed_form(static_cast<int>(job.tasks), job.key == "lost" ? 4.2e11 : 4.2e9);
      ASSERT_EQ(took.size(), wanted.size());
      for (std::size_t i = 0; i < took.size(); ++i) expect_close(took[i], wanted[i]);
    }
  });
}

TEST(I5World, AShareOfAThreadIsAQuota) {
  run_in_child([] {
    const ParsedScenario parsed = parse_scenario(
        R"({"cluster": {"nodes": [{"type": "i5-1135G7"}]}, "workload": {"jobs": [
          {"cpu_m": 500, "operations": 4.2e9},
          {"at_s": 10, "cpu_m": 250, "operations": 4.2e9}, {"at_s": 10, "cpu_m": 750, "operations": 4.2e9},
          {"at_s": 30, "cpu_m": 0, "operations": 4.2e9}]}})",
        "test");
    ASSERT_TRUE(parsed) << parsed.rendered;
    const auto results = run(*parsed.scenario,
                             [](const Scenario& s, bool model) { return make_simgrid_engine(s, model); }, {});
    ASSERT_TRUE(results);
    std::vector<double> took;
    for (const TaskRow& task : results->tasks)
      took.push_back(seconds_of(instant_ns(to_ns(task.ended - task.started))));
    ASSERT_EQ(took.size(), 4U);
    expect_close(took[0], 2.0);
    expect_close(took[1], 4.0);  // both on one thread
    expect_close(took[2], 4.0 / 3);
    expect_close(took[3], 1.0);  // asks for nothing, is held back by nothing
  });
}

TEST(I5World, ACoreIsSharedByWeight) {
  run_in_child([] {
    const ParsedScenario parsed = parse_scenario(
        R"({"cluster": {"node_types": {"core": {"threads_per_core": 2, "speed_hz": 1e9, "smt_yield": 1.25}},
                        "nodes": [{"type": "core"}]},
            "workload": {"jobs": [{"operations": 1e9, "cpu_weight": 3}, {"operations": 1e9}]}})",
        "test");
    ASSERT_TRUE(parsed) << parsed.rendered;
    const auto results = run(*parsed.scenario,
                             [](const Scenario& s, bool model) { return make_simgrid_engine(s, model); }, {});
    ASSERT_TRUE(results);
    ASSERT_EQ(results->tasks.size(), 2U);
    // Together 1.25e9 a second, of which the first has three quarters; then the other has the core alone.
    expect_close(seconds_of(results->tasks[0].ended), 1 / 0.9375);
    expect_close(seconds_of(results->tasks[1].ended), 1 / 0.9375 + (1 - 0.3125 / 0.9375));
  });
}

TEST(I5Energy, AWorkerThatWaitsDrawsNothingAndItsOperationsDo) {
  run_in_child([] {
    const ParsedScenario parsed = parse_scenario(
        R"({"horizon_s": 100, "cluster": {"nodes": [{"type": "i5-1135G7"}]}, "workload": {"jobs": [
          {"id": "w", "kind": "service", "exclusive": true, "workers": {"pool": "p"}},
          {"id": "o", "at_s": 10, "pool": "p", "operations": 4.2e9}]}})",
        "test");
    ASSERT_TRUE(parsed) << parsed.rendered;
    const auto results = run(*parsed.scenario,
                             [](const Scenario& s, bool model) { return make_simgrid_engine(s, model); }, {});
    ASSERT_TRUE(results);
    // 3 W for 100 s, and for one second a core with one busy thread.
    ASSERT_EQ(results->energy_j.size(), 1U);
    expect_close(results->energy_j[0], 3 * 100 + 5.25);
  });
}

/// SimGrid's plugin takes what a core draws with an empty and with a full load, and is linear between: the
/// load of one thread is 0.5, that of two is yield / 2.
std::string plugin_watts(const PowerModel& power) {
  const double idle = power.core_w[0];
  const double one = power.core_w[1];
  const double two = power.core_w[2];
  const double epsilon = 5 * one - 4 * two;
  const double all = epsilon + 8 * (two - one);
  const std::string bin = std::to_string(idle) + ":" + std::to_string(epsilon) + ":" + std::to_string(all);
  return bin + "," + bin + "," + bin + "," + bin;  // for each pstate
}

TEST(I5Energy, IsThatOfSimgridsPlugin) {
  run_in_child([] {
    namespace sg = simgrid::s4u;
    const Scenario scenario = scenario_of(i5(false));
    const PowerModel& power = *scenario.node_types[0].power;
    std::vector<const sg::Host*> cores;
    // Before the plugin's own handler, which reads the property.
    sg::Host::on_creation_cb([&](sg::Host& host) {
      if (host.get_name() == "control") {
        host.set_property("wattage_per_state", "0:0:0");
        return;
      }
      cores.push_back(&host);
      host.set_property("wattage_per_state", plugin_watts(power));
    });
    sg_host_energy_plugin_init();
    auto engine = make_simgrid_engine(scenario, true);
    ASSERT_TRUE(engine);
    EXPECT_EQ(cores.size(), 4U);
    FakeWorld world(**engine);
    EnergyWatch watch(scenario, nullptr);
    const auto start = [&](ExecId id, std::vector<std::uint32_t> threads, std::int64_t operations) {
      ThreadSet set;
      for (const std::uint32_t thread : threads) set.insert(thread);
      watch.on_run(world.now(), 0, {}, set, true);
      world.start(id, 0, threads, operations);
    };
    const std::vector<std::vector<std::uint32_t>> seats = {{0}, {3}, {1, 4}, {2}, {5}};
    world.on_ended = [&](ExecId id) {
      ThreadSet set;
      for (const std::uint32_t thread : seats[id]) set.insert(thread);
      watch.on_run(world.now(), 0, {}, set, false);
    };
    world.at(kSecond, [&] { start(0, seats[0], 3 * kWork); });
    world.at(2 * kSecond, [&] { start(1, seats[1], kWork); });
    world.at(3 * kSecond, [&] { start(2, seats[2], 2 * kWork); });
    world.at(4 * kSecond, [&] { start(3, seats[3], kWork / 3); });
    world.at(20 * kSecond, [&] { start(4, seats[4], kWork); });
    world.at(30 * kSecond, [] {});
    double plugin = 0;
    double ours = 0;
    world.on_played = [&] {
      plugin = power.uncore_w * sg::Engine::get_clock();
      for (const sg::Host* core : cores) plugin += sg_host_get_consumed_energy(core);
      ours = watch.joules(world.now())[0];
      expect_close(ours + 1e-6, plugin + 1e-6);
    };
    (*engine)->run(world);
    EXPECT_EQ(world.now(), instant_ns(30 * kSecond));
    EXPECT_GT(ours, 30 * 3.0 + 20);
  });
}

}  // namespace
}  // namespace duet::sim
