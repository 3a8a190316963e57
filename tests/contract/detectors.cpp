// Every failure detector: never thinks better without news, and says exactly when it will think worse. And
// the estimators and autoscalers, as far as all of them must agree.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "core/policy.h"

namespace duet::test {
namespace {

class DetectorContract : public testing::TestWithParam<std::string> {
 public:
  static std::unique_ptr<FailureDetector> make() {
    auto made = make_policy(detector_policies(), {GetParam(), {}});
    EXPECT_TRUE(made);
    return std::move(*made);
  }
};

std::vector<std::string> detector_names() {
  std::vector<std::string> names;
  for (const auto& entry : detector_policies()) names.emplace_back(entry.name);
  return names;
}

/// Regular heartbeats with a little jitter, the last of them at the instant that is returned.
Instant beat(FailureDetector& d, Rng& rng, int beats) {
  Instant now = instant_ns(rng.between(0, 1'000'000'000));
  d.heartbeat(now);
  for (int i = 1; i < beats; ++i) {
    now += std::chrono::seconds(10) + Duration(rng.between(-100'000'000, 100'000'000));
    d.heartbeat(now);
  }
  return now;
}

TEST_P(DetectorContract, AliveRightAfterAHeartbeat) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto d = make();
    Rng rng(seed);
    EXPECT_EQ(d->assess(beat(*d, rng, static_cast<int>(1 + rng.below(30)))), Liveness::kAlive);
  }
}

TEST_P(DetectorContract, NeverThinksBetterWithoutNews) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto d = make();
    Rng rng(seed);
    Instant now = beat(*d, rng, 20);
    Liveness before = d->assess(now);
    for (int i = 0; i < 500; ++i) {
      now += Duration(rng.between(0, 1'000'000'000));
      const Liveness says = d->assess(now);
      ASSERT_GE(says, before) << "seed " << seed;
      before = says;
    }
  }
}

TEST_P(DetectorContract, TheNextChangeIsExact) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto d = make();
    Rng rng(seed);
    Instant now = beat(*d, rng, 20);
    for (int changes = 0; changes < 5; ++changes) {
      const Instant next = d->next_change(now);
      if (next == kNever) break;
      ASSERT_GT(next, now);
      EXPECT_EQ(d->assess(next - Duration{1}), d->assess(now)) << "nothing changes before";
      EXPECT_GT(d->assess(next), d->assess(now)) << "it does change then";
      const Instant between = now + (next - now) / 2;
      EXPECT_EQ(d->next_change(between), next) << "asking in between tells the same";
      now = next;
    }
    EXPECT_EQ(d->assess(now), Liveness::kDead) << "with its defaults every detector gives up in the end";
    EXPECT_EQ(d->next_change(now), kNever);
  }
}

INSTANTIATE_TEST_SUITE_P(All, DetectorContract, testing::ValuesIn(detector_names()),
                         [](const auto& instance) { return instance.param; });

TEST(EstimatorContract, PredictsPositiveTimesOrNothingAndTheSameTwice) {
  for (const auto& entry : estimator_policies()) {
    const auto one = std::move(*entry.make({}));
    const auto two = std::move(*entry.make({}));
    Rng rng(1);
    for (int i = 0; i < 200; ++i) {
      TaskSpec spec;
      spec.work.duration = Duration(rng.between(0, 100));
      spec.work.operations = rng.between(0, 100);
      spec.estimate = Duration(rng.between(0, 3));
      spec.operation = std::string(static_cast<std::size_t>(rng.between(0, 2)), 'x');
      spec.iterations = rng.between(0, 9);
      const auto predicted = one->predict(spec);
      EXPECT_TRUE(!predicted || *predicted > Duration{0}) << entry.name;
      EXPECT_EQ(predicted, two->predict(spec)) << entry.name;
      const Duration ran(rng.between(1, 100));
      one->observe(spec, ran);
      two->observe(spec, ran);
      const Accuracy accuracy = one->accuracy();
      EXPECT_EQ(accuracy.samples, two->accuracy().samples) << entry.name;
      EXPECT_EQ(accuracy.error_ppm, two->accuracy().error_ppm) << entry.name;
      EXPECT_GE(accuracy.error_ppm.value_or(0), 0) << entry.name;
    }
  }
}

TEST(EstimatorContract, DeclaredSaysWhatTheSubmitterSaid) {
  const auto declared = std::move(*make_policy(estimator_policies(), {"declared", {}}));
  TaskSpec spec;
  spec.work.duration = Duration{7};
  EXPECT_FALSE(declared->predict(spec)) << "the real duration is not for schedulers to know";
  spec.estimate = Duration{9};
  declared->observe(spec, Duration{7});
  EXPECT_EQ(declared->predict(spec), Duration{9});
}

GroupView some_group(Rng& rng) {
  GroupView group;
  group.ready = rng.between(0, 9);
  group.pending = rng.between(0, 2);
  group.count = group.ready + group.pending;
  group.minimum = rng.between(0, 3);
  group.maximum = group.minimum + rng.between(0, 9);
  group.configured = rng.between(0, 9);
  if (group.ready > 0) group.least_load_permille = rng.between(0, 1000);
  group.queued = rng.between(0, 50);
  group.running = rng.between(0, 50);
  if (group.queued == 0) group.empty_for = std::chrono::seconds(rng.between(0, 120));
  return group;
}

TEST(AutoscalerContract, SaysWhyAndTheSameWhateverItWasAskedBefore) {
  for (const auto& entry : autoscaler_policies()) {
    const auto experienced = std::move(*entry.make({}));
    Rng rng(1);
    std::int64_t moves = 0;
    for (int i = 0; i < 2000; ++i) {
      const GroupView group = some_group(rng);
      const Desired desired = experienced->decide(instant_ns(i), group);
      EXPECT_GE(desired.count, 0) << entry.name;
      EXPECT_LE(desired.count, std::max({group.count, group.maximum, group.configured})) << entry.name;
      EXPECT_FALSE(desired.why.empty()) << entry.name;
      EXPECT_EQ(desired.count, (*entry.make({}))->decide(instant_ns(2 * i), group).count) << entry.name;
      EXPECT_TRUE(entry.name != "fixed" || desired.count == group.configured);
      moves += desired.count != group.count;
    }
    EXPECT_GT(moves, 100) << entry.name << " never did anything";
  }
}

}  // namespace
}  // namespace duet::test
