// What a node draws, by hand.
#include <gtest/gtest.h>

#include "core/energy.h"

namespace duet {
namespace {
namespace core_energy {

Instant at_s(std::int64_t s) { return instant_ns(s * 1'000'000'000); }

/// Three cores of two threads for tasks, one core beside them.
EnergyMeter meter(PowerModel model = {.core_w = {1, 5, 7}, .uncore_w = 10, .off_w = 0.5}) {
  NodeOffer offer;
  offer.cores = 3;
  offer.threads_per_core = 2;
  return {std::move(model), offer, 1, at_s(100)};
}

TEST(Energy, IdleCoresAndTheRest) {
  EXPECT_EQ(meter().watts(), 14);
  EXPECT_EQ(meter().joules(at_s(100)), 0);
  EXPECT_EQ(meter().joules(at_s(103)), 42);
}

TEST(Energy, FollowsTheBusyThreadsOfEachCore) {
  EnergyMeter m = meter();
  m.begin(at_s(101), 0);  // core 0
  EXPECT_EQ(m.watts(), 14 - 1 + 5);
  m.begin(at_s(102), 3);  // its other thread
  EXPECT_EQ(m.watts(), 14 - 1 + 7);
  m.begin(at_s(104), 1);  // another core
  EXPECT_EQ(m.watts(), 20 - 1 + 5);
  m.end(at_s(105), 0);
  EXPECT_EQ(m.watts(), 24 - 7 + 5);
  EXPECT_EQ(m.joules(at_s(106)), 14 + 18 + 2 * 20 + 24 + 22);
  EXPECT_EQ(m.joules(at_s(107)), 14 + 18 + 2 * 20 + 24 + 2 * 22);  // asking changes nothing
}

TEST(Energy, AThreadIsBusyAsLongAsAnythingRunsOnIt) {
  EnergyMeter m = meter();
  m.begin(at_s(100), 4);
  m.begin(at_s(100), 4);
  EXPECT_EQ(m.watts(), 18);
  m.end(at_s(101), 4);
  EXPECT_EQ(m.watts(), 18);
  m.end(at_s(102), 4);
  EXPECT_EQ(m.watts(), 14);
  EXPECT_EQ(m.joules(at_s(103)), 2 * 18 + 14);
}

TEST(Energy, ANodeThatIsOff) {
  EnergyMeter m = meter();
  m.begin(at_s(100), 0);
  m.turn(at_s(110), false);
  m.end(at_s(110), 0);
  EXPECT_EQ(m.watts(), 0.5);
  m.turn(at_s(112), false);  // it was off
  m.turn(at_s(120), true);
  EXPECT_EQ(m.watts(), 14);
  EXPECT_EQ(m.joules(at_s(121)), 10 * 18 + 10 * 0.5 + 14);
}

TEST(Energy, TheLastPowerHoldsForAllAbove) {
  EnergyMeter m = meter({.core_w = {1, 5}});
  m.begin(at_s(100), 0);
  m.begin(at_s(100), 3);
  EXPECT_EQ(m.watts(), 3 + 5);
  EXPECT_EQ(meter({.core_w = {2}}).watts(), 8);
}

}  // namespace core_energy
}  // namespace
}  // namespace duet
