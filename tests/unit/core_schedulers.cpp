// The schedulers, by hand: golden vectors of the bin packing formula, ties, and round robin's memory.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/cluster.h"
#include "core/policy.h"
#include "core/policy/scheduler/utilisation.h"
#include "tests/harness/builders.h"

namespace duet::test {
namespace {

std::unique_ptr<Scheduler> scheduler_named(const std::string& name) {
  auto made = make_policy(scheduler_policies(), {name, {}});
  EXPECT_TRUE(made) << name;
  return std::move(*made);
}

struct Load {
  std::int64_t cpu_m, memory_mib;
};

/// Targets of 4000 m and 8192 MiB that carry these loads.
TargetIndex loaded(const std::vector<Load>& loads) {
  TargetIndex index;
  Resources capacity;
  capacity.cpu_m = 4000;
  capacity.memory_bytes = 8192 * kMiB;
  for (const auto& [cpu_m, memory_mib] : loads) {
    Room room{capacity, 0};
    room.free.cpu_m -= cpu_m;
    room.free.memory_bytes -= memory_mib * kMiB;
    index.set(index.add(capacity, 1000), room, true);
  }
  return index;
}

Request scheduler_task(std::int64_t cpu_m, std::int64_t memory_mib) {
  Request r;
  r.need.cpu_m = cpu_m;
  r.need.memory_bytes = memory_mib * kMiB;
  return r;
}

/// Node numbers that `name` picks one after the other while nothing changes; -1 = none.
std::vector<int> picks(const std::string& name, const TargetIndex& index, const Request& request, int n) {
  const auto scheduler = scheduler_named(name);
  Rng rng(1);
  std::vector<int> all;
  for (; n > 0; --n) {
    const auto target = scheduler->pick(request, index, rng);
    all.push_back(target ? static_cast<int>(target->value) : -1);
  }
  return all;
}

TEST(CoreSchedulers, S2_05_UtilisationGoldenVectors) {
  const TargetIndex index = loaded({{1000, 2048}, {3000, 1024}, {0, 0}});
  const Request task = scheduler_task(500, 256);
  const std::vector<double> golden = {0.346875, 0.659375, 0.096875};
  for (std::uint64_t n = 0; n < golden.size(); ++n)
    EXPECT_DOUBLE_EQ(utilisation_with(index.target(NodeId{n}), task), golden[n]);
  // The fourth of the published nodes has no room for the task; its score is published all the same.
  EXPECT_NEAR(utilisation_with(loaded({{3600, 7000}}).target(NodeId{0}), task), 0.983223, 5e-7);
  // Bit for bit, in the published order of operations.
  EXPECT_EQ(
      utilisation_with(index.target(NodeId{1}), task),
      0.7 * (3500.0 / 4000.0) + 0.3 * (static_cast<double>(1280 * kMiB) / static_cast<double>(8192 * kMiB)));
}

TEST(CoreSchedulers, S2_05_S2_06_BinPackAndSpreadOnTheGoldenCluster) {
  // The fourth node would score highest, but has no room.
  const TargetIndex index = loaded({{1000, 2048}, {3000, 1024}, {0, 0}, {3600, 7000}});
  const Request task = scheduler_task(500, 256);
  EXPECT_EQ(picks("bin_pack", index, task, 1), std::vector<int>{1});
  EXPECT_EQ(picks("spread", index, task, 1), std::vector<int>{2});
  EXPECT_EQ(picks("first_fit", index, task, 1), std::vector<int>{0});
}

TEST(CoreSchedulers, S2_05_TiesGoToTheFirstNode) {
  const TargetIndex index = loaded({{3900, 0}, {1000, 0}, {1000, 0}, {1000, 0}});
  for (const char* name :
       {"bin_pack", "spread", "first_fit", "least_load", "lowest_cpu", "e_pvm", "e_pvm_cube"})
    EXPECT_EQ(picks(name, index, scheduler_task(500, 0), 2), (std::vector<int>{1, 1})) << name;
}

TEST(CoreSchedulers, EqualScoresOfUnequalNodesGoToTheFirstNodeToo) {
  // 0.7 * 2000/4000 CPU on one, the same on a node of half the size: equal scores, different targets.
  for (const bool small_first : {false, true}) {
    TargetIndex index;
    for (const bool small : {small_first, !small_first}) {
      Resources capacity;
      capacity.cpu_m = small ? 2000 : 4000;
      Room room{capacity, 0};
      room.free.cpu_m -= small ? 500 : 1500;
      index.set(index.add(capacity, 1000), room, true);
    }
    for (const char* name : {"bin_pack", "spread"})
      EXPECT_EQ(picks(name, index, scheduler_task(500, 0), 1), std::vector<int>{0}) << name << small_first;
    // Without the task that comes, the small one carries 500 of 2000 m and the big one 1500 of 4000 m.
    for (const char* name : {"least_load", "lowest_cpu"})
      EXPECT_EQ(picks(name, index, scheduler_task(500, 0), 1), std::vector<int>{small_first ? 0 : 1}) << name;
  }
}

TEST(CoreSchedulers, S2_05_NothingFitsNothingIsPicked) {
  const TargetIndex index = loaded({{3600, 0}, {0, 8192}});
  for (const auto& entry : scheduler_policies())
    EXPECT_EQ(picks(std::string(entry.name), index, scheduler_task(500, 1), 2), (std::vector<int>{-1, -1}))
        << entry.name;
}

TEST(CoreSchedulers, ADimensionWithoutCapacityCountsAsEmpty) {
  TargetIndex index;
  Resources no_memory;
  no_memory.cpu_m = 1000;
  index.set(index.add(no_memory, 1000), {no_memory, 1}, true);
  EXPECT_EQ(utilisation_with(index.target(NodeId{0}), scheduler_task(500, 0)), 0.35);
  EXPECT_EQ(picks("bin_pack", index, scheduler_task(500, 0), 1), std::vector<int>{0});
  EXPECT_EQ(picks("bin_pack", index, scheduler_task(500, 1), 1), std::vector<int>{-1});
}

TEST(CoreSchedulers, AnExclusiveTaskIsScoredWithTheWholeSlotItTakes) {
  TargetIndex index;
  Resources capacity;
  capacity.cpu_m = 4000;
  index.set(index.add(capacity, 2000), {capacity, 2}, true);
  Request exclusive;
  exclusive.exclusive = true;
  EXPECT_EQ(utilisation_with(index.target(NodeId{0}), exclusive), 0.7 * 0.5);
}

/// Targets without memory: what each can hold, and what it carries.
TargetIndex sized(const std::vector<std::pair<std::int64_t, std::int64_t>>& capacity_and_load_m) {
  TargetIndex index;
  for (const auto& [capacity_m, load_m] : capacity_and_load_m) {
    Resources capacity;
    capacity.cpu_m = capacity_m;
    Room room{capacity, 0};
    room.free.cpu_m -= load_m;
    index.set(index.add(capacity, 1000), room, true);
  }
  return index;
}

TEST(CoreSchedulers, LeastLoadIsRelativeAndLowestCpuAbsolute) {
  // 50 %, 40 % and 37.5 % of different sizes; then a tie of 1500/4000 and 3000/8000, where the first wins.
  const TargetIndex index = sized({{2000, 1000}, {4000, 1600}, {8000, 3000}});
  EXPECT_EQ(picks("least_load", index, scheduler_task(100, 0), 1), std::vector<int>{2});
  EXPECT_EQ(picks("lowest_cpu", index, scheduler_task(100, 0), 1), std::vector<int>{0});
  EXPECT_EQ(picks("lowest_cpu", index, scheduler_task(1001, 0), 1), std::vector<int>{1}) << "0 is too full";
  const TargetIndex tied = sized({{8000, 3000}, {4000, 1500}});
  EXPECT_EQ(picks("least_load", tied, scheduler_task(100, 0), 1), std::vector<int>{0});
}

TEST(CoreSchedulers, LowestCpuTakesUpToTheCapacityAndNotOneMillicoreMore) {
  // Workers that may fill 80.0 % of their thread: what would reach it exactly is admitted.
  const TargetIndex index = sized({{800, 500}, {800, 600}});
  EXPECT_EQ(picks("lowest_cpu", index, scheduler_task(300, 0), 1), std::vector<int>{0});
  EXPECT_EQ(picks("lowest_cpu", index, scheduler_task(301, 0), 1), std::vector<int>{-1});
}

TEST(CoreSchedulers, TwoChoicesTakesTheLessLoadedOfTheTwoItDraws) {
  const TargetIndex index = sized({{1000, 400}, {1000, 100}, {2000, 200}, {1000, 300}, {1000, 0}});
  const std::vector<int> order = {4, 1, 2, 3, 0};  // By load; 1 and 2 are equal, and 1 comes first.
  const auto place = [&](std::uint64_t id) {
    return std::find(order.begin(), order.end(), static_cast<int>(id));
  };
  const auto scheduler = scheduler_named("two_choices");
  Rng rng(1), same(1);
  std::set<std::uint64_t> picked;
  for (int i = 0; i < 200; ++i) {
    const auto one = place(same.below(5));
    const auto other = place(same.below(5));
    const auto target = scheduler->pick(scheduler_task(100, 0), index, rng);
    ASSERT_EQ(target->value, static_cast<std::uint64_t>(*std::min(one, other)));
    picked.insert(target->value);
  }
  EXPECT_EQ(picked.size(), 5U) << "twice the fullest happens, too";
}

TEST(CoreSchedulers, TwoChoicesFindsTheOnlyOneThatFitsAndDrawsNothingIfNoneDoes) {
  std::vector<std::pair<std::int64_t, std::int64_t>> full(5000, {1000, 1000});
  full[1234].second = 0;
  const TargetIndex index = sized(full);
  EXPECT_EQ(picks("two_choices", index, scheduler_task(500, 0), 20), std::vector<int>(20, 1234));
  Rng rng(1), untouched(1);
  EXPECT_FALSE(scheduler_named("two_choices")->pick(scheduler_task(1001, 0), index, rng));
  EXPECT_EQ(rng.next(), untouched.next());
}

TEST(CoreSchedulers, RoundRobinGoesOnAfterTheLastChosen) {
  TargetIndex index = loaded({{0, 0}, {3900, 0}, {0, 0}, {0, 0}});
  EXPECT_EQ(picks("round_robin", index, scheduler_task(500, 0), 7), (std::vector<int>{0, 2, 3, 0, 2, 3, 0}));
}

TEST(CoreSchedulers, RoundRobinForgetsAGangThatWasRolledBack) {
  const TargetIndex index = loaded({{0, 0}, {0, 0}, {0, 0}});
  const auto scheduler = scheduler_named("round_robin");
  Rng rng(1);
  const Request task = scheduler_task(500, 0);
  EXPECT_EQ(scheduler->pick(task, index, rng)->value, 0U);
  const std::uint64_t mark = scheduler->mark();
  EXPECT_EQ(scheduler->pick(task, index, rng)->value, 1U);
  EXPECT_EQ(scheduler->pick(task, index, rng)->value, 2U);
  scheduler->rewind(mark);
  EXPECT_EQ(scheduler->pick(task, index, rng)->value, 1U);
  EXPECT_FALSE(scheduler->pick(scheduler_task(9000, 0), index, rng));
  EXPECT_EQ(scheduler->pick(task, index, rng)->value, 2U) << "a failed pick moves nothing";
}

}  // namespace
}  // namespace duet::test
