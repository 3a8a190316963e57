// The processor model: how long 4.2e9 operations take where cores share turbo and threads share cores.
#include <cstdint>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "sim/simgrid/simgrid_engine.h"
#include "tests/simgrid/child.h"
#include "tests/simgrid/fake_world.h"

namespace duet::sim {
namespace {

constexpr std::int64_t work = 4'200'000'000;
constexpr std::int64_t second = 1'000'000'000;

struct ProcessorCase {
  std::string name;
  std::vector<std::vector<std::uint32_t>> threads;  // of each execution
  std::vector<std::int64_t> ends;
};

void PrintTo(const ProcessorCase& processor_case, std::ostream* out) { *out << processor_case.name; }

class Processor : public testing::TestWithParam<std::tuple<ProcessorCase, Executor>> {};

TEST_P(Processor, TakesTheTimeOfTheModel) {
  const ProcessorCase& wanted = std::get<0>(GetParam());
  const Executor executor = std::get<1>(GetParam());
  run_in_child([&] {
    const Scenario scenario = scenario_of(laptop_type());
    auto engine = make_simgrid_engine(scenario, true, executor);
    ASSERT_TRUE(engine);
    FakeWorld world(**engine);
    world.at(0, [&] {
      for (ExecId id = 0; id < wanted.threads.size(); ++id) world.start(id, 0, wanted.threads[id], work);
    });
    (*engine)->run(world);
    for (ExecId id = 0; id < wanted.ends.size(); ++id) {
      ASSERT_EQ(world.ends[id].size(), 1U);
      EXPECT_EQ(world.ends[id][0], wanted.ends[id]);
    }
    EXPECT_EQ(late_ends(**engine), 0U);
  });
}

std::vector<ProcessorCase> processor_cases() {
  return {
      {"OneThread", {{0}}, {second}},
      {"Siblings", {{1}, {5}}, {1'600'000'000, 1'600'000'000}},
      {"TwoCores", {{0}, {1}}, {1'050'000'000, 1'050'000'000}},
      {"FourCores", {{0}, {1}, {2}, {3}}, std::vector<std::int64_t>(4, 1'105'263'158)},
      {"AllThreads", {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}}, std::vector<std::int64_t>(8, 1'768'421'053)},
      // One execution of several threads ends with the last of them.
      {"OneExecutionOnSiblings", {{1, 5}}, {1'600'000'000}},
      {"OneExecutionOnAllThreads", {{0, 1, 2, 3, 4, 5, 6, 7}}, {1'768'421'053}},
      {"TwoOnOneThread", {{0}, {0}}, {2 * second, 2 * second}},
      // 2.4 s while three share the yield of two threads.
      {"ThreeOnACore", {{0}, {4}, {4}}, std::vector<std::int64_t>(3, 2'400'000'000)},
  };
}

std::string processor_case_name(const testing::TestParamInfo<Processor::ParamType>& info) {
  return std::get<0>(info.param).name + (std::get<1>(info.param) == Executor::kShell ? "Shell" : "Actor");
}

INSTANTIATE_TEST_SUITE_P(Laptop, Processor,
                         testing::Combine(testing::ValuesIn(processor_cases()),
                                          testing::Values(Executor::kShell, Executor::kActor)),
                         processor_case_name);

// From 0.5 s on both cores run at 4.0 GHz: 0.5 + (4.2e9 - 0.5 * 4.2e9) / 4.0e9 = 1.025.
TEST(ProcessorModel, SpeedChangesDuringAnExecution) {
  run_in_child([] {
    const Scenario scenario = scenario_of(laptop_type());
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    world.at(0, [&] { world.start(0, 0, {0}, work); });
    world.at(second / 2, [&] { world.start(1, 0, {1}, work); });
    (*engine)->run(world);
    EXPECT_EQ(world.ends[0][0], 1'025'000'000);
    // 0.525 s at 4.0 GHz leave 2.1e9 operations, now alone at 4.2 GHz.
    EXPECT_EQ(world.ends[1][0], 1'525'000'000);
  });
}

// Halved from 0.2 s to 0.4 s: 0.3 s' worth of work by then, and what is left at full speed.
TEST(ProcessorModel, ANodeIsSlowForAWhile) {
  for (const bool plain : {false, true})
    run_in_child([plain] {
      NodeType type = laptop_type();
      if (plain) {
        type.speed = {4.2e9};
        type.smt_yield = type.offer.threads_per_core;
      }
      Scenario scenario = scenario_of(type, 2);
      scenario.faults.push_back({.at = {}, .kind = Fault::Kind::kSlowNode, .node = 0, .factor = 2});
      auto engine = make_simgrid_engine(scenario, true);
      FakeWorld world(**engine);
      world.at(0, [&] {
        world.start(0, 0, {0}, work);
        world.start(1, 1, {0}, work);
      });
      world.at(second / 5, [&] { (*engine)->slow(0, 2); });
      world.at(2 * second / 5, [&] { (*engine)->slow(0, 1); });
      (*engine)->run(world);
      EXPECT_EQ(world.ends[0][0], 1'100'000'000);
      EXPECT_EQ(world.ends[1][0], second);
    });
}

TEST(ProcessorModel, WithoutThreadsTheEngineSpreadsOverCores) {
  run_in_child([] {
    const Scenario scenario = scenario_of(laptop_type());
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    world.at(0, [&] { world.start(0, 0, ThreadSet{}, 4, work); });
    world.at(2 * second, [&] { world.start(0, 0, ThreadSet{}, 8, work); });
    (*engine)->run(world);
    EXPECT_EQ(world.ends[0], (std::vector<std::int64_t>{1'105'263'158, 2 * second + 1'768'421'053}));
  });
}

TEST(ProcessorModel, CoresOfOtherNodesDoNotCount) {
  run_in_child([] {
    const Scenario scenario = scenario_of(laptop_type(), 3);
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    world.at(0, [&] {
      for (ExecId id = 0; id < 3; ++id) world.start(id, id, {id}, work);
    });
    (*engine)->run(world);
    EXPECT_EQ(world.plays, 2U);  // all end at once
    EXPECT_EQ(world.ends[2][0], second);
  });
}

TEST(ProcessorModel, PlainThreadsDoNotDisturbEachOther) {
  run_in_child([] {
    const Scenario scenario = scenario_of(node_type(4, 2, {1e9}, 2.0));
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    world.at(0, [&] {
      world.start(0, 0, {0, 4, 1}, 3 * second);
      world.start(1, 0, {5}, 2 * second);
      world.start(2, 0, ThreadSet{}, 4, second);
    });
    (*engine)->run(world);
    EXPECT_EQ(world.log, "0:\n1000000000: 2\n2000000000: 1\n3000000000: 0\n");
  });
}

TEST(ProcessorModel, FourThreadsOfACoreShareItsYield) {
  run_in_child([] {
    const Scenario scenario = scenario_of(node_type(1, 4, {1e9}, 1.6));
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    world.at(0, [&] { world.start(0, 0, {0, 1}, 8 * second); });               // 0.8 of the speed each
    world.at(100 * second, [&] { world.start(0, 0, {0, 1, 2, 3}, second); });  // 0.4 each
    (*engine)->run(world);
    EXPECT_EQ(world.ends[0], (std::vector<std::int64_t>{10 * second, 102'500'000'000}));
  });
}

}  // namespace
}  // namespace duet::sim
