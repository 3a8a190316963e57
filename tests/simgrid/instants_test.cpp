// Nanoseconds and seconds: the way there and back, and the rule that every instant is played once.
#include <cmath>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>
#include <simgrid/s4u/Engine.hpp>

#include "sim/simgrid/simgrid_engine.h"
#include "tests/simgrid/child.h"
#include "tests/simgrid/fake_world.h"

namespace duet::sim {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// 2^23 s: above, neighbouring doubles are more than a nanosecond apart.
constexpr std::int64_t exact_below = 8'388'608 * second_ns;

TEST(Seconds, AndBackIsTheSameInstant) {
  Draws draws(1);
  for (int i = 0; i < 2'000'000; ++i) {
    const std::int64_t ns = static_cast<std::int64_t>(draws.next() >> (11 + draws.below(40))) % exact_below;
    ASSERT_EQ(to_ns(instant_of_seconds(seconds_of(instant_ns(ns)))), ns);
  }
  for (std::int64_t power = 1; power < exact_below; power *= 2)
    for (std::int64_t ns = power - 3; ns <= power + 3; ++ns)
      ASSERT_EQ(to_ns(instant_of_seconds(seconds_of(instant_ns(ns)))), ns);
  for (std::int64_t ns = exact_below - 1000; ns < exact_below; ++ns)
    ASSERT_EQ(to_ns(instant_of_seconds(seconds_of(instant_ns(ns)))), ns);
}

TEST(Seconds, WholeOnesStayWholeForCenturies) {
  for (std::int64_t s = 1; s < 9'000'000'000; s = s * 3 + 7) {
    EXPECT_EQ(seconds_of(instant_ns(s * second_ns)), static_cast<double>(s));
    EXPECT_EQ(to_ns(instant_of_seconds(static_cast<double>(s))), s * second_ns);
  }
}

TEST(Seconds, RoundToTheNearest) {
  EXPECT_EQ(to_ns(instant_of_seconds(1.4e-9)), 1);
  EXPECT_EQ(to_ns(instant_of_seconds(1.6e-9)), 2);
  EXPECT_EQ(to_ns(instant_of_seconds(0.1 + 0.2)), 300'000'000);
  EXPECT_EQ(instant_of_seconds(1e300), kNever);
  EXPECT_EQ(instant_of_seconds(INFINITY), kNever);
}

/// Starts an execution that is to end at `at` + `end_offset_s`, with something else due at `at`; returns the
/// log of the instants from then on. SimGrid adds and divides doubles: the end is where they say, give or
/// take their grain.
std::string collide(std::int64_t at, double end_offset_s, double precision) {
  return output_of_child([=] {
    const Scenario scenario = scenario_of(node_type(4, 1, {1e12}, 1.0));
    auto engine = make_simgrid_engine(scenario, true);
    simgrid::s4u::Engine::set_config("surf/precision", precision);
    FakeWorld world(**engine);
    const std::int64_t begin = at - second_ns;
    world.at(begin, [&] { world.start(0, 0, {0}, std::llround((1.0 + end_offset_s) * 1e12)); });
    world.at(at, [] {});
    world.at(at + 2 * second_ns, [] {});
    (*engine)->run(world);
    EXPECT_EQ(late_ends(**engine), 0U);
    return world.log.substr(world.log.find('\n') + 1);
  });
}

std::string line(std::int64_t ns, const std::string& ended = {}) {
  return std::to_string(ns) + ":" + ended + "\n";
}

// SimGrid by itself takes ends up to 1 ns behind its clock as reached. With a finer precision it does not,
// and the engine has to wait for the end that rounds to the instant that is due.
class SameNanosecond : public testing::TestWithParam<double> {};

TEST_P(SameNanosecond, IsPlayedOnce) {
  for (const std::int64_t seconds : {2, 1'000'000, 3'000'000}) {
    const std::int64_t at = seconds * second_ns;
    const std::string together = line(at, " 0") + line(at + 2 * second_ns);
    EXPECT_EQ(collide(at, 0, GetParam()), together) << seconds;
    EXPECT_EQ(collide(at, -3e-10, GetParam()), together) << seconds;
    EXPECT_EQ(collide(at, 3e-10, GetParam()), together) << seconds;
  }
}

TEST_P(SameNanosecond, NextOnesAreNot) {
  for (const std::int64_t seconds : {2, 1'000'000, 5'000'000}) {
    const std::int64_t at = seconds * second_ns;
    EXPECT_EQ(collide(at, -3e-9, GetParam()), line(at - 3, " 0") + line(at) + line(at + 2 * second_ns));
    EXPECT_EQ(collide(at, 3e-9, GetParam()), line(at) + line(at + 3, " 0") + line(at + 2 * second_ns));
  }
}

INSTANTIATE_TEST_SUITE_P(Precision, SameNanosecond, testing::Values(1e-9, 1e-12));

// Ends a few hundred picoseconds apart, reported by SimGrid one by one, are one call.
TEST(SameNanosecondEnds, ArriveTogether) {
  for (const double precision : {1e-9, 1e-12}) {
    run_in_child([=] {
      const Scenario scenario = scenario_of(node_type(64, 1, {1e12}, 1.0));
      auto engine = make_simgrid_engine(scenario, true);
      simgrid::s4u::Engine::set_config("surf/precision", precision);
      FakeWorld world(**engine);
      world.at(1'000 * second_ns, [&] {
        for (ExecId id = 0; id < 60; ++id) world.start(id, 0, {id}, 1'000'000'000'000 + 10 * (id % 30) - 150);
      });
      (*engine)->run(world);
      EXPECT_EQ(world.plays, 2U);
      EXPECT_EQ(late_ends(**engine), 0U);
    });
  }
}

TEST(ShortestExecution, EndsInALaterNanosecond) {
  run_in_child([] {
    const Scenario scenario = scenario_of(laptop_type());
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    int rounds = 0;
    world.on_ended = [&](ExecId id) {
      if (++rounds < 100) world.start(id, 0, {id}, rounds % 3);
    };
    world.at(7, [&] { world.start(0, 0, {0}, 0); });
    (*engine)->run(world);
    EXPECT_EQ(rounds, 100);
    EXPECT_LE(to_ns(world.now()), 7 + 200);
    EXPECT_EQ(late_ends(**engine), 0U);
  });
}

// Far out a double cannot tell two instants apart. They are still played one after the other, and nothing
// gets lost: not even when SimGrid's clock leaps past the end it wanted to reach.
TEST(CoarseDoubles, LoseNothing) {
  run_in_child([] {
    const Scenario scenario = scenario_of(node_type(8, 1, {1e9}, 1.0));
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    const std::int64_t far = 100'000'000 * second_ns;
    Draws draws(5);
    for (ExecId id = 0; id < 8; ++id)
      world.at(static_cast<std::int64_t>(draws.below(4'000'000'000)), [&world, &draws, id] {
        world.start(id, 0, {id}, far + static_cast<std::int64_t>(draws.below(100)));
      });
    for (const int offset : {-3, 0, 5, 6, 7}) world.at(far + offset, [] {});
    for (const int offset : {1, 2, 3})
      world.at(far + second_ns + offset,
               [&world, offset] { world.start(static_cast<ExecId>(100 + offset), 0, ThreadSet{}, 1, 1); });
    world.at(4 * far, [] {});
    (*engine)->run(world);
    EXPECT_EQ(world.ends.size(), 11U);
    EXPECT_EQ(to_ns(world.now()), 4 * far);
  });
}

// SimGrid moves its clock by now += end - now. Where that overshoots, it would never see this execution end.
TEST(CoarseDoubles, OvertakenEndsAreFound) {
  const auto overshoots = [](std::int64_t now_ns, double end) {
    const double now = seconds_of(instant_ns(now_ns));
    return now + (end - now) > end;
  };
  // Two ties in a row, both rounded up: the end, beyond 2^23 s, must be coarser than `now` and have an odd
  // mantissa.
  const std::int64_t work = 14'000'000 * second_ns + 2;
  const double end = static_cast<double>(work) / 1e9;
  std::int64_t now = 5'000'000 * second_ns;
  const std::int64_t last = now + 1000;
  while (now < last && !overshoots(now, end)) ++now;
  ASSERT_LT(now, last);
  run_in_child([=] {
    const Scenario scenario = scenario_of(node_type(1, 1, {1e9}, 1.0));
    auto engine = make_simgrid_engine(scenario, true);
    FakeWorld world(**engine);
    world.at(0, [&] { world.start(0, 0, {0}, work); });
    world.at(now, [] {});
    (*engine)->run(world);
    ASSERT_EQ(world.ends[0].size(), 1U);
    EXPECT_LE(std::abs(world.ends[0][0] - work), 2);
  });
}

}  // namespace
}  // namespace duet::sim
