// Every scheduler: picks what fits, finds something if anything fits, and is the same when asked again.
#include <string>

#include <gtest/gtest.h>

#include "tests/contract/random_cluster.h"

namespace duet::test {
namespace {

class SchedulerContract : public testing::TestWithParam<std::string> {
 public:
  static std::unique_ptr<Scheduler> make() {
    auto made = make_policy(scheduler_policies(), {GetParam(), {}});
    EXPECT_TRUE(made);
    return std::move(*made);
  }
};

std::vector<std::string> scheduler_names() {
  std::vector<std::string> names;
  for (const auto& entry : scheduler_policies()) names.emplace_back(entry.name);
  return names;
}

bool any_fits(const Cluster& cluster, const Request& request) {
  for (std::uint64_t n = 0; n < cluster.size(); ++n) {
    const ClusterNode& node = cluster.node(NodeId{n});
    if (node.state == NodeState::kReady && !node.draining && node.room.fits(request)) return true;
  }
  return false;
}

TEST_P(SchedulerContract, PicksWhatFitsAndNothingOnlyIfNothingFits) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    RandomCluster c(seed, false, false);
    const auto scheduler = make();
    Rng rng(seed);
    for (int i = 0; i < 30; ++i) {
      const Request request = c.request(false);
      const auto target = scheduler->pick(request, c.cluster.index(), rng);
      ASSERT_EQ(target.has_value(), any_fits(c.cluster, request)) << "seed " << seed;
      if (!target) continue;
      ASSERT_TRUE(c.cluster.index().fits(*target, request)) << "seed " << seed;
      c.cluster.take(*target, request);
    }
  }
}

TEST_P(SchedulerContract, TheSameCallsGetTheSameAnswers) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::vector<std::optional<NodeId>> answers[2];
    for (auto& list : answers) {
      RandomCluster c(seed, false, false);
      const auto scheduler = make();
      Rng rng(seed);
      for (int i = 0; i < 20; ++i) {
        const Request request = c.request(false);
        list.push_back(scheduler->pick(request, c.cluster.index(), rng));
        if (list.back()) c.cluster.take(*list.back(), request);
      }
    }
    ASSERT_EQ(answers[0], answers[1]) << "seed " << seed;
  }
}

TEST_P(SchedulerContract, AFailedPickAndARewoundOneLeaveNoTrace) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RandomCluster c(seed, false, true);
    const auto undisturbed = make();
    const auto disturbed = make();
    Rng rng_a(seed), rng_b(seed);
    Request impossible;
    impossible.need.cpu_m = 1'000'000;
    for (int i = 0; i < 20; ++i) {
      const Request request = c.request(true);
      ASSERT_FALSE(disturbed->pick(impossible, c.cluster.index(), rng_b));
      const std::uint64_t mark = disturbed->mark();
      Rng throw_away(seed);
      disturbed->pick(request, c.cluster.index(), throw_away);
      disturbed->rewind(mark);
      ASSERT_EQ(undisturbed->pick(request, c.cluster.index(), rng_a),
                disturbed->pick(request, c.cluster.index(), rng_b))
          << "seed " << seed;
    }
  }
}

TEST_P(SchedulerContract, AnEmptyClusterHasNoTarget) {
  Rng rng(1);
  EXPECT_FALSE(make()->pick({}, TargetIndex{}, rng));
}

INSTANTIATE_TEST_SUITE_P(All, SchedulerContract, testing::ValuesIn(scheduler_names()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace duet::test
