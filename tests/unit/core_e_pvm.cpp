// Opportunity costs: published numbers, numbers by hand, and the guess of the most tasks.
#include <vector>

#include <gtest/gtest.h>

#include "core/policy.h"
#include "core/policy/scheduler/opportunity_cost.h"

namespace duet::test {
namespace {

/// A target of one thread and 1000 bytes that carries this much.
Target carrying(std::int64_t cpu_m, std::int64_t memory, std::uint32_t tasks) {
  Target t;
  t.capacity.cpu_m = 1000;
  t.capacity.memory_bytes = 1000;
  t.room.free.cpu_m = 1000 - cpu_m;
  t.room.free.memory_bytes = 1000 - memory;
  t.slot_cpu_m = 1000;
  t.tasks = tasks;
  return t;
}

Request asking(std::int64_t cpu_m, std::int64_t memory) {
  Request r;
  r.need.cpu_m = cpu_m;
  r.need.memory_bytes = memory;
  return r;
}

TEST(CoreEPvm, S4_13_MarginalCostByHand) {
  // Base 4: powers of 0, 1/2 and 1 are 1, 2 and 4.
  const double base = math::log(4.0);
  const auto cost = [&](const Target& target, const Request& request, std::uint64_t max_tasks) {
    return math::quantised(marginal_cost(target, request, base, max_tasks));
  };
  const std::int64_t one = std::int64_t{1} << 32;
  EXPECT_EQ(cost(carrying(0, 0, 0), asking(0, 0), 1), 3 * one) << "the first task of at most one: 4 - 1";
  EXPECT_EQ(cost(carrying(0, 0, 1), asking(0, 0), 2), 2 * one) << "the second of two: 4 - 2";
  EXPECT_EQ(cost(carrying(0, 0, 0), asking(500, 0), 2), (1 + 1) * one);
  EXPECT_EQ(cost(carrying(500, 0, 0), asking(500, 0), 2), (1 + 2) * one) << "the second half is dearer";
  EXPECT_EQ(cost(carrying(500, 500, 0), asking(500, 500), 2), (1 + 2 + 2) * one) << "and prices add up";
  Target gpus = carrying(0, 0, 0);
  gpus.capacity.count[3] = 2;
  gpus.room.free.count[3] = 1;
  Request gpu = asking(0, 0);
  gpu.need.count[3] = 1;
  EXPECT_EQ(cost(gpus, gpu, 2), (1 + 2) * one);
  Request exclusive;
  exclusive.exclusive = true;
  EXPECT_EQ(cost(carrying(0, 0, 0), exclusive, 2), (1 + 3) * one) << "the whole slot";
}

TEST(CoreEPvm, TheGuessOfTheMostTasksDoublesAndIsTakenBack) {
  const auto scheduler = std::move(*make_policy(scheduler_policies(), {"e_pvm", {}}));
  Rng rng(1);
  TargetIndex index;
  const Target idle = carrying(0, 0, 0);
  index.add(idle.capacity, 1000);
  std::vector<std::uint64_t> most;
  for (const std::uint32_t tasks : {0U, 1U, 2U, 3U, 4U, 8U, 20U}) {
    index.set(NodeId{0}, idle.room, true, tasks);
    EXPECT_TRUE(scheduler->pick(asking(1, 0), index, rng));
    most.push_back(scheduler->mark());
  }
  EXPECT_EQ(most, (std::vector<std::uint64_t>{1, 2, 4, 4, 8, 16, 32}));
  scheduler->rewind(4);
  index.set(NodeId{0}, idle.room, true, 3);
  EXPECT_TRUE(scheduler->pick(asking(1, 0), index, rng));
  EXPECT_EQ(scheduler->mark(), 4U);
  index.set(NodeId{0}, idle.room, true, 9);
  EXPECT_FALSE(scheduler->pick(asking(1001, 0), index, rng));
  EXPECT_EQ(scheduler->mark(), 4U) << "a pick that finds nothing leaves no trace";
}

TEST(CoreEPvm, LoadsThatOthersCausedAreSeenBeforePricesAreCompared) {
  // Base 3, a quarter of the memory: with at most 8 tasks the prices are 0.51, 0.69 and 1.16, and the first
  // wins; had the guess stayed at 1, they would be 18.3, 2.5 and 13123.
  const auto scheduler = std::move(*make_policy(scheduler_policies(), {"e_pvm", {}}));
  TargetIndex index;
  for (const Target& t : {carrying(0, 0, 2), carrying(0, 500, 0), carrying(0, 750, 8)})
    index.set(index.add(t.capacity, 1000), t.room, true, t.tasks);
  Rng rng(1);
  EXPECT_EQ(scheduler->pick(asking(0, 250), index, rng), NodeId{0});
  EXPECT_EQ(scheduler->mark(), 8U);
}

TEST(CoreEPvmCube, S4_13_PublishedNumbers) {
  // 16.06e6 kB of memory, a task of 256e6 bytes. As published, CPU after = CPU before, so its terms cancel.
  const auto published = [](double cpu, double used_kb, std::uint32_t tasks) {
    return cube::cost(cube::rises(cpu, cpu, used_kb / 16.06e6, (used_kb + 256e6 / 1000) / 16.06e6), tasks);
  };
  EXPECT_NEAR(published(0.10, 4e6, 0), 0.235515329, 5e-10);
  EXPECT_EQ(published(0.95, 4e6, 0), published(0.10, 4e6, 0)) << "the published slip";
  EXPECT_NEAR(published(0.10, 4e6, 3), 0.322581166, 5e-10);
  EXPECT_NEAR(published(0.10, 12e6, 0), 0.237358354, 5e-10);
}

TEST(CoreEPvmCube, HereTheCpuCounts) {
  const auto cube_cost = [](const Target& target, const Request& request) {
    return cube::cost(cube::rises(target, request), target.tasks);
  };
  EXPECT_NEAR(cube_cost(carrying(0, 0, 0), asking(500, 0)), 0.359757977, 5e-10);
  EXPECT_NEAR(cube_cost(carrying(500, 0, 0), asking(500, 0)), 0.377163004, 5e-10);
  EXPECT_NEAR(cube_cost(carrying(0, 0, 1), asking(500, 0)), 0.385711201, 5e-10);
  // Both have room and one task; only the CPU tells them apart.
  const auto scheduler = std::move(*make_policy(scheduler_policies(), {"e_pvm_cube", {}}));
  TargetIndex index;
  for (const Target& t : {carrying(500, 0, 1), carrying(100, 0, 1)})
    index.set(index.add(t.capacity, 1000), t.room, true, t.tasks);
  Rng rng(1);
  EXPECT_EQ(scheduler->pick(asking(500, 0), index, rng), NodeId{1});
  index.set(NodeId{1}, carrying(100, 0, 3).room, true, 3);
  EXPECT_EQ(scheduler->pick(asking(500, 0), index, rng), NodeId{0}) << "and the number of tasks";
}

TEST(CoreEPvmCube, PricesBeyondAllNumbersKeepTheirOrder) {
  const Request request = asking(100, 100);
  const auto units = [&](std::int64_t cpu, std::uint32_t tasks) {
    return cube::units(carrying(cpu, 0, tasks), request);
  };
  EXPECT_EQ(units(0, 206), math::quantised(cube::cost(cube::rises(carrying(0, 0, 0), request), 206)));
  EXPECT_LT(cube::cost({1, 1}, cube::kMostPricedTasks), 0x1.0p30) << "still told apart";
  EXPECT_GT(cube::cost({0, 0}, cube::kMostPricedTasks + 1), 0x1.0p30);
  // By tasks first, then by what the CPU costs: from where a price was too large, and from where it was no
  // number.
  const std::uint32_t most = ~0U;
  for (const std::uint32_t tasks : {0U, 205U, 206U, 207U, 208U, 6572U, 6573U, 6579U, 100'000'000U}) {
    EXPECT_LT(units(900, tasks), units(0, tasks + 1)) << tasks;
    EXPECT_LT(units(0, tasks), units(1, tasks)) << tasks;
    const double score = score_of_units(units(7, tasks));
    EXPECT_EQ(static_cast<std::int64_t>(score * -0x1.0p32), units(7, tasks))
        << "explanations show this very number";
  }
  EXPECT_EQ(units(0, most), units(0, most - 1)) << "nobody has so many";
  // A node with 7,000 tasks had a price that is no number, and was taken for the cheapest.
  const auto scheduler = std::move(*make_policy(scheduler_policies(), {"e_pvm_cube", {}}));
  TargetIndex index;
  for (const Target& t :
       {carrying(0, 0, 7000), carrying(0, 0, 400), carrying(10, 0, 300), carrying(0, 0, 300)})
    index.set(index.add(t.capacity, 1000), t.room, true, t.tasks);
  Rng rng(1);
  EXPECT_EQ(scheduler->pick(request, index, rng), NodeId{3});
}

}  // namespace
}  // namespace duet::test
