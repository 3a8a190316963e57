// Values the core is built of: random numbers, thread sets, resources, instants.
#include <vector>

#include <gtest/gtest.h>

#include "core/resources.h"
#include "core/rng.h"
#include "core/time.h"

namespace duet::test {
namespace {

TEST(CoreRng, KnownValues) {
  // The first two are the published outputs of SplitMix64 for seed 0, and of the state that follows seed 1.
  EXPECT_EQ(mix64(0), 0xe220a8397b1dcdafU);
  EXPECT_EQ(mix64(1), 0x910a2dec89025cc1U);
  EXPECT_EQ(keyed_draw(1, 2, 3), 0xd0734750fde362b3U);

  Rng rng(1);
  for (const std::uint64_t word :
       {0xf9d20113ec80c6d5U, 0xd16e236e5cdc6563U, 0x68a40f278366062aU, 0x8fee6a914b3be91cU})
    EXPECT_EQ(rng.next(), word);
}

TEST(CoreRng, ForksAreStreamsOfTheirOwn) {
  Rng scheduler = Rng(1).fork("scheduler");
  for (const std::uint64_t word : {0x8544f8886978342bU, 0xecaaceb08f8a17ecU, 0x682159b73a2072d0U})
    EXPECT_EQ(scheduler.next(), word);
  EXPECT_NE(Rng(1).fork("faults").next(), Rng(1).fork("scheduler").next());
  EXPECT_NE(Rng(2).fork("scheduler").next(), Rng(1).fork("scheduler").next());
}

TEST(CoreRng, DrawsInRange) {
  Rng die(1);
  for (const std::uint64_t face : {5U, 4U, 2U, 3U, 1U, 0U, 2U, 0U, 0U, 0U, 0U, 3U})
    EXPECT_EQ(die.below(6), face);
  Rng unit(7);
  for (const double value : {0x1.86ad41a248c4ap-2, 0x1.e123c4a911ccep-2, 0x1.da2f3a88ba9ddp-1})
    EXPECT_EQ(unit.unit(), value);

  Rng rng(3);
  EXPECT_EQ(rng.below(1), 0U);
  EXPECT_EQ(rng.between(-4, -4), -4);
  EXPECT_TRUE(rng.chance(1, 1));
  EXPECT_FALSE(rng.chance(0, 1));
  std::vector<int> seen(5);
  for (int i = 0; i < 1000; ++i) ++seen[static_cast<std::size_t>(rng.between(-2, 2) + 2)];
  for (const int n : seen) EXPECT_GT(n, 150);
  constexpr auto low = std::numeric_limits<std::int64_t>::min();
  constexpr auto high = std::numeric_limits<std::int64_t>::max();
  EXPECT_NE(rng.between(low, high), rng.between(low, high));
}

TEST(CoreThreadSet, HoldsAnyOf256Threads) {
  ThreadSet set;
  EXPECT_TRUE(set.empty());
  const std::vector<std::uint32_t> members = {0, 5, 63, 64, 127, 128, 200, 255};
  for (auto it = members.rbegin(); it != members.rend(); ++it) set.insert(*it);
  set.insert(5);
  EXPECT_EQ(set.size(), members.size());
  EXPECT_EQ(set.lowest(), 0U);
  std::vector<std::uint32_t> visited;
  set.for_each([&](std::uint32_t t) { visited.push_back(t); });
  EXPECT_EQ(visited, members);
  for (std::uint32_t t = 0; t < ThreadSet::kMaxThreads; ++t)
    EXPECT_EQ(set.contains(t), std::find(members.begin(), members.end(), t) != members.end()) << t;

  ThreadSet other;
  other.insert(129);
  EXPECT_FALSE(set.intersects(other));
  other.insert(255);
  EXPECT_TRUE(set.intersects(other));
  for (const std::uint32_t t : members) {
    EXPECT_EQ(set.lowest(), t);
    set.erase(t);
  }
  EXPECT_TRUE(set.empty());
  EXPECT_DEATH(static_cast<void>(set.lowest()), "empty set");
}

Resources core_amount(std::int64_t cpu_m, std::int64_t memory, std::int32_t last) {
  Resources r;
  r.cpu_m = cpu_m;
  r.memory_bytes = memory;
  r.count[kCountableKinds - 1] = last;
  return r;
}

TEST(CoreResources, CoverOnlyIfEveryDimensionDoes) {
  const Resources have = core_amount(1000, 10, 2);
  struct Case {
    Resources need;
    bool covered;
  };
  for (const auto& [need, covered] : {Case{core_amount(1000, 10, 2), true}, Case{core_amount(0, 0, 0), true},
                                      Case{core_amount(1001, 0, 0), false},
                                      Case{core_amount(0, 11, 0), false}, Case{core_amount(0, 0, 3), false}})
    EXPECT_EQ(have.covers(need), covered);
}

TEST(CoreResources, Arithmetic) {
  Resources r = core_amount(1000, 10, 2);
  r += core_amount(500, 5, 1);
  EXPECT_EQ(r, core_amount(1500, 15, 3));
  r -= core_amount(1000, 10, 2);
  EXPECT_EQ(r, core_amount(500, 5, 1));
  EXPECT_EQ(r.raise_to(core_amount(100, 20, 1)), core_amount(500, 20, 1));
}

TEST(CoreTime, AdditionSaturates) {
  EXPECT_EQ(saturating_add(instant_ns(5), Duration(7)), instant_ns(12));
  EXPECT_EQ(saturating_add(instant_ns(5), Duration::max()), kNever);
  EXPECT_EQ(saturating_add(kNever, Duration(1)), kNever);
  EXPECT_EQ(saturating_add(kNever, Duration(0)), kNever);
}

}  // namespace
}  // namespace duet::test
