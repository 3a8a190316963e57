// Beginning, end and scale of a SimGrid run.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/simgrid/simgrid_engine.h"
#include "tests/simgrid/child.h"
#include "tests/simgrid/fake_world.h"

namespace duet::sim {
namespace {

#ifdef DUET_ASAN
constexpr bool leaks_are_checked = true;
#else
constexpr bool leaks_are_checked = false;
#endif

class LifeCycle : public testing::TestWithParam<Executor> {};

TEST_P(LifeCycle, StopsWhenTheWorldIsOver) {
  run_in_child([&] {
    const Scenario scenario = scenario_of(laptop_type(), 2);
    auto engine = make_simgrid_engine(scenario, true, GetParam());
    FakeWorld world(**engine);
    world.at(5, [&] {
      for (std::uint32_t i = 0; i < 8; ++i) world.start(i, i / 4, {i, (i + 1) % 8}, 1'000'000'000'000);
    });
    world.at(10, [&] { world.stop = true; });
    world.at(20, [] {});
    (*engine)->run(world);
    EXPECT_EQ(world.log, "5:\n10:\n");
  });
}

TEST_P(LifeCycle, ReturnsFromAWorldInWhichNothingWillHappen) {
  run_in_child([&] {
    struct StuckWorld final : World {
      Instant next_due() const override { return kNever; }
      void play(Instant, std::span<const ExecId>) override { ++plays; }
      bool over() const override { return false; }
      int plays = 0;
    } world;
    const Scenario scenario = scenario_of(laptop_type());
    auto engine = make_simgrid_engine(scenario, true, GetParam());
    (*engine)->run(world);
    EXPECT_EQ(world.plays, 0);
  });
}

TEST_P(LifeCycle, CancelledExecutionsAreNotHeardOf) {
  run_in_child([&] {
    const Scenario scenario = scenario_of(laptop_type());
    auto engine = make_simgrid_engine(scenario, true, GetParam());
    FakeWorld world(**engine);
    world.at(0, [&] {
      world.start(0, 0, {0}, 4'200'000'000);
      world.cancel(0);
      world.start(0, 0, {1, 5}, 4'200'000'000);  // the same name, at once
      world.start(1, 0, {2}, 4'200'000'000);
    });
    world.at(500'000'000, [&] {
      world.cancel(0);  // frees a core: from here 1 runs alone
      world.cancel(1);
      world.start(1, 0, {3}, 4'200'000'000);
    });
    (*engine)->run(world);
    EXPECT_EQ(world.log, "0:\n500000000:\n1500000000: 1\n");
  });
}

TEST_P(LifeCycle, EndedExecutionsStartAgainInTheSameInstant) {
  run_in_child([&] {
    const Scenario scenario = scenario_of(laptop_type());
    auto engine = make_simgrid_engine(scenario, true, GetParam());
    FakeWorld world(**engine);
    int rounds = 0;
    world.on_ended = [&](ExecId id) {
      if (++rounds <= 6) world.start(id, 0, {id}, 4'000'000'000);
    };
    world.at(0, [&] {
      for (std::uint32_t i = 0; i < 2; ++i) world.start(i, 0, {i}, 4'000'000'000);
    });
    (*engine)->run(world);
    EXPECT_EQ(world.log, "0:\n1000000000: 0 1\n2000000000: 0 1\n3000000000: 0 1\n4000000000: 0 1\n");
  });
}

TEST_P(LifeCycle, OneInstantHasOnePlay) {
  run_in_child([&] {
    const Scenario scenario = scenario_of(node_type(2, 1, {1e9}, 1.0), 1000);
    auto engine = make_simgrid_engine(scenario, true, GetParam());
    FakeWorld world(**engine);
    world.at(0, [&] {
      for (std::uint32_t i = 0; i < 2000; ++i) world.start(i, i / 2, {i % 2}, 3'000'000'000);
    });
    world.at(3'000'000'000, [] {});
    (*engine)->run(world);
    EXPECT_EQ(world.plays, 2U);
    EXPECT_EQ(world.ends.size(), 2000U);
  });
}

INSTANTIATE_TEST_SUITE_P(Executors, LifeCycle, testing::Values(Executor::kShell, Executor::kActor),
                         [](const auto& test) { return test.param == Executor::kShell ? "Shell" : "Actor"; });

TEST(SimgridEngine, OnlyPassesTimeWithoutAProcessorModel) {
  run_in_child([] {
    const Scenario scenario = scenario_of(laptop_type(), 100'000);  // no host is built for them
    auto engine = make_simgrid_engine(scenario, false);
    FakeWorld world(**engine);
    for (std::int64_t i = 0; i < 1000; ++i) world.at(i * i * 1'000'000'007, [] {});
    (*engine)->run(world);
    EXPECT_EQ(world.plays, 1000U);
    EXPECT_TRUE(world.over());
  });
}

TEST(SimgridEngine, IsRefusedTwiceInAProcess) {
  run_in_child([] {
    const Scenario scenario = scenario_of(laptop_type());
    {
      auto first = make_simgrid_engine(scenario, false);
      ASSERT_TRUE(first);
      EXPECT_EQ((*first)->name(), "simgrid");
    }
    auto second = make_simgrid_engine(scenario, false);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.problems()[0].where, "engine");
    EXPECT_NE(second.problems()[0].right.find("a process of its own"), std::string::npos);
  });
}

TEST(SimgridEngine, LeavesSignalsAndOutputAlone) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  run_in_child([] {
    const auto handlers = [] {
      std::vector<void (*)(int)> all;
      for (int signal = 1; signal < 32; ++signal) {
        struct sigaction action {};
        sigaction(signal, nullptr, &action);
        all.push_back(action.sa_handler);
      }
      return all;
    };
    const auto before = handlers();
    const Scenario scenario = scenario_of(laptop_type());
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    world.at(0, [&] { world.start(0, 0, {0}, 1'000'000); });
    (*engine)->run(world);
    EXPECT_EQ(handlers(), before);
  });
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// A program that just returns from main after a run, or instead of one: with actors waiting, SimGrid would
// abort.
TEST(SimgridEngine, LetsTheProcessExit) {
  for (const bool runs : {true, false}) {
    if (!runs && leaks_are_checked)
      continue;  // the leak checker crashes on the stacks of actors that still wait
    const auto program = [runs] {
      const Scenario scenario = scenario_of(laptop_type());
      auto engine = make_simgrid_engine(scenario, true, runs ? Executor::kShell : Executor::kActor);
      FakeWorld world(**engine);
      world.at(0, [&] { world.start(0, 0, {0}, 1'000'000); });
      if (runs) (*engine)->run(world);
      engine.value().reset();
      std::exit(7);
    };
    EXPECT_EXIT(program(), testing::ExitedWithCode(7), "^$");
  }
}

TEST(SimgridEngine, BuildsAThousandNodesAtOnce) {
  run_in_child([] {
    const Scenario scenario = scenario_of(laptop_type(), 1000);
    const auto begin = std::chrono::steady_clock::now();
    auto engine = make_simgrid_engine(scenario, true);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    ASSERT_TRUE(engine);
    EXPECT_LT(took.count(), 2.0);  // usually 0.02
  });
}

TEST(LoopEngine, RefusesWhatItDoesNotModel) {
  Scenario scenario = scenario_of(laptop_type(), 3);
  scenario.node_types[0].name = "i5";
  EXPECT_TRUE(make_loop_engine(scenario, false));
  const auto refused = make_loop_engine(scenario, true);
  ASSERT_FALSE(refused);
  ASSERT_EQ(refused.problems().size(), 1U);
  EXPECT_NE(refused.problems()[0].what.find("\"i5\""), std::string::npos);
  scenario.node_types[0] = node_type(4, 2, {1e9}, 2.0);
  EXPECT_TRUE(make_loop_engine(scenario, true));
}

/// A job of two tasks with operations that take this much each.
Scenario two_tasks(std::int64_t cpu_m, bool exclusive = false) {
  Scenario scenario = scenario_of(node_type(4, 1, {1e9}, 1.0));
  auto spec = std::make_shared<JobSpec>();
  spec->key = "odd";
  TaskGroup group;
  group.count = 2;
  group.spec.need.cpu_m = cpu_m;
  group.spec.exclusive = exclusive;
  group.spec.work.operations = 1;
  spec->groups.push_back(group);
  scenario.workload = std::vector<Arrival>{{Instant{}, spec}};
  return scenario;
}

TEST(LoopEngine, RefusesTasksThatShareThreads) {
  for (const std::int64_t cpu_m : {0, 1500}) {
    const auto refused = make_loop_engine(two_tasks(cpu_m), true);
    ASSERT_FALSE(refused) << cpu_m;
    EXPECT_NE(refused.problems()[0].what.find("\"odd\" has operations and takes " + std::to_string(cpu_m)),
              std::string::npos);
  }
  EXPECT_TRUE(make_loop_engine(two_tasks(2000), true));
  EXPECT_TRUE(make_loop_engine(two_tasks(500), true)) << "a quota holds each to its half";
  EXPECT_TRUE(make_loop_engine(two_tasks(0, true), true));
  Scenario drawn = two_tasks(1000);
  PoissonWorkload poisson;
  poisson.mean_operations = 1e9;
  poisson.task.need.cpu_m = 2500;
  drawn.workload = poisson;
  EXPECT_FALSE(make_loop_engine(drawn, true));
  poisson.mean_operations = 0;
  drawn.workload = poisson;
  EXPECT_TRUE(make_loop_engine(drawn, false));
}

TEST(LoopEngine, PlaysEndsWithWhatIsDue) {
  const Scenario scenario = scenario_of(node_type(4, 1, {1e9}, 1.0));
  auto engine = make_loop_engine(scenario, true);
  FakeWorld world(**engine);
  world.at(0, [&] {
    world.start(0, 0, {0, 1}, 2'000'000'000);
    world.start(1, 0, {2}, 2'000'000'000);
    world.start(2, 0, {3}, 1'000'000'000);
    world.cancel(2);
    world.start(2, 0, {3}, 3'000'000'000);
  });
  world.at(2'000'000'000, [] {});
  world.at(2'500'000'000, [&] { world.cancel(2); });
  (*engine)->run(world);
  EXPECT_EQ(world.log, "0:\n2000000000: 0 1\n2500000000:\n");
}

}  // namespace
}  // namespace duet::sim
