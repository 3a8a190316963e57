// Every failure detector: never thinks better without news, and says exactly when it will think worse. And
// the estimators and autoscalers, as far as all of them must agree.
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
      const auto predicted = one->predict(spec);
      EXPECT_TRUE(!predicted || *predicted > Duration{0}) << entry.name;
      EXPECT_EQ(predicted, two->predict(spec)) << entry.name;
      const Duration ran(rng.between(1, 100));
      one->observe(spec, ran);
      two->observe(spec, ran);
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

TEST(AutoscalerContract, SaysWhyAndTheSameTwice) {
  for (const auto& entry : autoscaler_policies()) {
    const auto one = std::move(*entry.make({}));
    const auto two = std::move(*entry.make({}));
    Rng rng(1);
    for (int i = 0; i < 100; ++i) {
      const std::int64_t count = rng.between(0, 9);
      const std::int64_t configured = rng.between(0, 9);
      const GroupView group{count, 0, 9, configured};
      const Desired desired = one->decide(instant_ns(i), group);
      EXPECT_GE(desired.count, 0) << entry.name;
      EXPECT_FALSE(desired.why.empty()) << entry.name;
      EXPECT_EQ(desired.count, two->decide(instant_ns(i), group).count) << entry.name;
      EXPECT_TRUE(entry.name != "fixed" || desired.count == configured);
    }
  }
}

}  // namespace
}  // namespace duet::test
