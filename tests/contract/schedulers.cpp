// Every scheduler: picks what fits, finds something if anything fits, is the same when asked again, and
// finds what a scan would if it says so.
#include <algorithm>
#include <bit>
#include <string>

#include <gtest/gtest.h>

#include "core/policy/scheduler/opportunity_cost.h"
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
  EXPECT_TRUE(make()->compare({}, TargetIndex{}, rng).score.empty());
}

TEST_P(SchedulerContract, PicksTheBestByWhatItSaysItGoesBy) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    RandomCluster c(seed, seed % 2 == 0, false);
    const auto scheduler = make();
    Rng rng(seed);
    for (int i = 0; i < 30; ++i) {
      const Request request = c.request(false);
      const Comparison comparison = scheduler->compare(request, c.cluster.index(), rng);
      ASSERT_EQ(comparison.score.size(), c.cluster.size());
      std::optional<NodeId> best;
      for (std::uint64_t n = 0; n < c.cluster.size(); ++n) {
        if (!comparison.score[n]) continue;
        ASSERT_TRUE(c.cluster.index().fits(NodeId{n}, request)) << "seed " << seed;
        if (!best || *comparison.score[n] > *comparison.score[best->value]) best = NodeId{n};
      }
      const auto target = scheduler->pick(request, c.cluster.index(), rng);
      ASSERT_EQ(target, best) << "seed " << seed << " task " << i;
      if (target) c.cluster.take(*target, request);
    }
    EXPECT_FALSE(scheduler->compare({}, c.cluster.index(), rng).measure.empty());
  }
}

TEST_P(SchedulerContract, AGangThatDoesNotFitWholeLeavesNoTrace) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::vector<NodeId> nodes[2];
    std::uint64_t draws[2] = {};
    for (const bool with_gang : {false, true}) {
      RandomCluster c(seed, false, true);
      const auto scheduler = make();
      Pending pending;
      Waiting gang;
      gang.job = JobId{1};
      gang.request.need.cpu_m = 100;
      gang.width = 1000;  // Some members find a place.
      gang.together = true;
      if (with_gang) pending.add(0, gang);
      for (std::uint64_t job = 2; job < 12; ++job) pending.add(0, c.waiting(job, true, false));
      Rng rng(seed);
      std::vector<Placement> placements;
      Plan plan(Instant{}, pending, c.cluster, c.releases, *scheduler, rng, placements);
      for (auto at = plan.begin(); at != plan.end();)
        if (!plan.start(at)) ++at;
      for (const Placement& p : placements) nodes[with_gang].push_back(p.target);
      draws[with_gang] = rng.next();
    }
    ASSERT_EQ(nodes[true], nodes[false]) << "seed " << seed;
    ASSERT_EQ(draws[true], draws[false]) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SchedulerContract, testing::ValuesIn(scheduler_names()),
                         [](const auto& instance) { return instance.param; });

/// The usable target with the highest score(target, request), the lowest among equals, by looking at each.
template <class Score>
std::optional<NodeId> scan(const Cluster& cluster, const Request& request, Score&& score) {
  std::optional<NodeId> winner;
  for (std::uint64_t n = 0; n < cluster.size(); ++n) {
    const NodeId id{n};
    if (!cluster.usable(id) || !cluster.node(id).room.fits(request)) continue;
    const auto of = [&](NodeId node) { return score(cluster.index().target(node), request); };
    if (!winner || of(id) > of(*winner)) winner = id;
  }
  return winner;
}

/// Fills clusters task by task: the policy must pick what the scan finds. score(scheduler, index) -> score.
template <class MakeScore>
void expect_exact(const std::string& name, MakeScore&& make_score) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    RandomCluster c(seed, seed % 2 == 0, false);
    const auto scheduler = std::move(*make_policy(scheduler_policies(), {name, {}}));
    Rng rng(seed);
    for (int i = 0; i < 30; ++i) {
      const Request request = c.request(false);
      const auto expected = scan(c.cluster, request, make_score(*scheduler, c.cluster, request));
      const auto target = scheduler->pick(request, c.cluster.index(), rng);
      ASSERT_EQ(target, expected) << name << " seed " << seed << " task " << i;
      if (target) c.cluster.take(*target, request);
    }
  }
}

/// A score that depends on target and request alone.
template <class Score>
void expect_best(const std::string& name, Score score) {
  expect_exact(name, [score](const Scheduler&, const Cluster&, const Request&) { return score; });
}

TEST(SchedulerScan, ExactPoliciesFindWhatAScanFinds) {
  using T = const Target&;
  using R = const Request&;
  expect_best("bin_pack", [](T t, R r) { return utilisation_with(t, r); });
  expect_best("spread", [](T t, R r) { return -utilisation_with(t, r); });
  expect_best("least_load", [](T t, R) { return -cpu_load(t); });
  expect_best("lowest_cpu", [](T t, R) { return t.room.free.cpu_m - t.capacity.cpu_m; });
  expect_best("e_pvm_cube", [](T t, R r) { return -cube::units(t, r); });
  expect_best("first_fit", [](T, R) { return 0; });
  expect_exact("e_pvm", [](const Scheduler& scheduler, const Cluster& cluster, R) {
    // The guess that the policy will have arrived at: the largest load of all.
    std::uint64_t most = scheduler.mark();
    for (std::uint64_t n = 0; n < cluster.size(); ++n)
      if (cluster.usable(NodeId{n}))
        most = std::max(most, std::bit_ceil(std::uint64_t{cluster.node(NodeId{n}).held}));
    return [most, log_base = math::log(static_cast<double>(cluster.size()))](T t, R r) {
      return -math::quantised(marginal_cost(t, r, log_base, most));
    };
  });
}

}  // namespace
}  // namespace duet::test
