// TargetIndex: who has room, exactly, the lowest id among equals.
#include <gtest/gtest.h>

#include "core/index.h"

namespace duet::test {
namespace {

Request index_request(std::int64_t cpu_m, bool exclusive = false) {
  Request r;
  r.need.cpu_m = cpu_m;
  r.exclusive = exclusive;
  return r;
}

Room index_room(std::int64_t cpu_m, std::int64_t slots = 0) {
  Room room;
  room.free.cpu_m = cpu_m;
  room.slots = slots;
  return room;
}

/// An index of targets of 1000 m whose free CPU is given, all usable.
TargetIndex index_of(const std::vector<std::int64_t>& free_cpu_m) {
  TargetIndex index;
  Resources capacity;
  capacity.cpu_m = 1000;
  for (const std::int64_t free : free_cpu_m) index.set(index.add(capacity, 1000), index_room(free), true);
  return index;
}

std::optional<std::uint64_t> index_found(std::optional<NodeId> id) {
  if (!id) return std::nullopt;
  return id->value;
}

TEST(CoreIndex, EmptyHasNothing) {
  TargetIndex index;
  EXPECT_FALSE(index.first_fit({}));
  EXPECT_FALSE(index.best({}, [](const Target&) { return 0.0; }));
  EXPECT_FALSE(index.fits(NodeId{0}, {}));
}

TEST(CoreIndex, ANewTargetIsNotUsable) {
  TargetIndex index;
  index.add({}, 0);
  EXPECT_FALSE(index.first_fit({}));
  EXPECT_FALSE(index.fits(NodeId{0}, {}));
  EXPECT_FALSE(index.best({}, [](const Target&) { return 0.0; }));
}

TEST(CoreIndex, FirstFitFromAPosition) {
  const TargetIndex index = index_of({100, 500, 300, 500, 700});
  struct Case {
    std::int64_t need;
    std::uint64_t from;
    std::optional<std::uint64_t> found;
  };
  for (const auto& [need, from, found] :
       {Case{0, 0, 0}, Case{101, 0, 1}, Case{300, 2, 2}, Case{500, 2, 3}, Case{501, 0, 4}, Case{700, 4, 4},
        Case{701, 0, std::nullopt}, Case{100, 5, std::nullopt}, Case{100, 99, std::nullopt}})
    EXPECT_EQ(index_found(index.first_fit(index_request(need), NodeId{from})), found)
        << need << " from " << from;
}

TEST(CoreIndex, SlotsAreADimensionOfTheirOwn) {
  TargetIndex index = index_of({1000, 1000});
  EXPECT_FALSE(index.first_fit(index_request(0, true)));
  index.set(NodeId{1}, index_room(1000, 1), true);
  EXPECT_EQ(index_found(index.first_fit(index_request(0, true))), 1U);
}

TEST(CoreIndex, UnusableAndDescribedAnewAreSkippedUntilSet) {
  TargetIndex index = index_of({500, 500});
  EXPECT_EQ(index_found(index.best(index_request(1), [](const Target&) { return 0.0; })), 0U);
  index.set(NodeId{0}, index_room(500), false);
  EXPECT_EQ(index_found(index.first_fit(index_request(1))), 1U);
  EXPECT_EQ(index_found(index.best(index_request(1), [](const Target&) { return 0.0; })), 1U);
  Resources bigger;
  bigger.cpu_m = 9000;
  index.describe(NodeId{1}, bigger, 1000);
  EXPECT_FALSE(index.fits(NodeId{1}, index_request(1)));
  index.set(NodeId{1}, index_room(9000), true);
  EXPECT_EQ(index_found(index.first_fit(index_request(5000))), 1U);
  EXPECT_EQ(index_found(index.best(index_request(5000), [](const Target&) { return 0.0; })), 1U);
}

TEST(CoreIndex, BestTakesTheLowestAmongEqualScores) {
  const TargetIndex index = index_of({100, 700, 300, 700, 300});
  const auto free = [](const Target& t) { return static_cast<double>(t.room.free.cpu_m); };
  const auto full = [](const Target& t) { return -static_cast<double>(t.room.free.cpu_m); };
  const auto same = [](const Target&) { return 1.0; };
  EXPECT_EQ(index_found(index.best(index_request(1), free)), 1U);
  EXPECT_EQ(index_found(index.best(index_request(200), full)), 2U);
  EXPECT_EQ(index_found(index.best(index_request(200), same)), 1U);
  EXPECT_EQ(index_found(index.best(index_request(1), same)), 0U);
  EXPECT_FALSE(index.best(index_request(701), same));
}

TEST(CoreIndex, EachLevelIsFoundAsTheIndexGrows) {
  // 16 children per level: around 16 and 256 targets a level is added above those that are there already.
  TargetIndex index;
  Resources capacity;
  capacity.cpu_m = 1000;
  for (std::uint64_t n = 0; n < 600; ++n) {
    const NodeId id = index.add(capacity, 1000);
    ASSERT_EQ(id.value, n);
    index.set(id, index_room(static_cast<std::int64_t>(n)), true);
    ASSERT_EQ(index_found(index.first_fit(index_request(static_cast<std::int64_t>(n)))), n);
    ASSERT_EQ(index_found(index.first_fit(index_request(0))), 0U);
    ASSERT_FALSE(index.first_fit(index_request(static_cast<std::int64_t>(n) + 1)));
  }
}

TEST(CoreIndex, MaximaSinkWhenRoomIsTaken) {
  TargetIndex index = index_of(std::vector<std::int64_t>(4096, 1000));
  for (std::uint64_t n = 0; n < 4096; ++n) index.set(NodeId{n}, index_room(100), true);
  const std::uint64_t before = index.work().examined;
  EXPECT_FALSE(index.first_fit(index_request(101)));
  EXPECT_EQ(index.work().examined - before, 1U) << "the topmost maximum says it all";
}

TEST(CoreIndex, WorkDoesNotGrowWithTheNumberOfTargets) {
  TargetIndex index = index_of(std::vector<std::int64_t>(4096, 0));
  index.set(NodeId{4095}, index_room(1000), true);
  const std::uint64_t before = index.work().examined;
  EXPECT_EQ(index_found(index.first_fit(index_request(1))), 4095U);
  EXPECT_LE(index.work().examined - before, 3U);
}

}  // namespace
}  // namespace duet::test
