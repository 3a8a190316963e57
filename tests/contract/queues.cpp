// Every queue: never more than fits, never lost or doubled, never idle when the first that waits would fit.
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/contract/random_cluster.h"

namespace duet::test {
namespace {

class QueueContract : public testing::TestWithParam<std::string> {
 public:
  static std::unique_ptr<Queue> make() {
    auto made = make_policy(queue_policies(), {GetParam(), {}});
    EXPECT_TRUE(made);
    return std::move(*made);
  }
};

std::vector<std::string> queue_names() {
  std::vector<std::string> names;
  for (const auto& entry : queue_policies()) names.emplace_back(entry.name);
  return names;
}

/// One pass over a random cluster and what of a random list of jobs the queue does not refuse.
struct RandomPass {
  RandomPass(Queue& queue, std::uint64_t seed, bool shared_only = false)
      : c(seed, seed % 2 == 0, seed % 3 == 0) {
    auto made = make_policy(scheduler_policies(), {"first_fit", {}});
    scheduler = std::move(*made);
    const std::uint64_t jobs = 1 + c.rng.below(20);
    for (std::uint64_t job = 1; job <= jobs; ++job) {
      const Waiting w = c.waiting(job, seed % 3 == 0, seed % 5 == 0);
      if (shared_only && w.request.exclusive) continue;
      if (!queue.refuses(w, c.cluster.uniform()).empty()) continue;
      const std::int64_t rank = queue.rank(w);
      EXPECT_EQ(queue.rank(w), rank) << "a rank is stable";
      pending.add(rank, w);
      width_of[job] = w.width;
      together[job] = w.together;
    }
    for (std::uint64_t n = 0; n < c.cluster.size(); ++n) before.push_back(c.cluster.node(NodeId{n}).room);
  }
  void run(Queue& queue) {
    if (pending.empty()) return;
    Plan plan(Instant{}, pending, c.cluster, c.releases, *scheduler, rng, placements);
    queue.pass(plan);
  }

  /// What was placed, runs from now on.
  void settle() {
    for (const Placement& p : placements) {
      Resources charge = p.request.need;
      if (p.request.exclusive) charge.cpu_m = c.cluster.index().target(p.target).slot_cpu_m;
      c.releases.insert(
          {p.estimated_end, TaskId{p.job, static_cast<std::uint32_t>(c.releases.size())}, p.target, charge});
    }
    placements.clear();
  }

  RandomCluster c;
  Pending pending;
  std::unique_ptr<Scheduler> scheduler;
  Rng rng{1};
  std::vector<Placement> placements;
  std::map<std::uint64_t, std::uint32_t> width_of;
  std::map<std::uint64_t, bool> together;
  std::vector<Room> before;
};

std::map<std::uint64_t, std::uint32_t> placed_per_job(const RandomPass& p) {
  std::map<std::uint64_t, std::uint32_t> placed;
  for (const Placement& placement : p.placements) ++placed[placement.job.value];
  return placed;
}

TEST_P(QueueContract, NoEntryIsLostOrDoubledAndGangsStayWhole) {
  const auto queue = make();
  std::size_t started = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    RandomPass p(*queue, seed);
    p.run(*queue);
    auto placed = placed_per_job(p);
    std::map<std::uint64_t, std::uint32_t> waiting;
    for (const auto& [key, w] : p.pending.map()) waiting[w.job.value] += w.width;
    for (const auto& [job, width] : p.width_of) {
      ASSERT_EQ(placed[job] + waiting[job], width) << "job " << job << " seed " << seed;
      const bool whole = placed[job] == 0 || placed[job] == width;
      ASSERT_TRUE(whole || !p.together[job]) << "job " << job << " seed " << seed;
    }
    started += p.placements.size();
  }
  EXPECT_GT(started, 1000U) << "too little happened to mean anything";
}

TEST_P(QueueContract, NothingIsOvercommittedAndOnlyUsableNodesAreUsed) {
  const auto queue = make();
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    RandomPass p(*queue, seed);
    p.run(*queue);
    std::vector<Resources> taken(p.before.size());
    for (const Placement& placement : p.placements) {
      ASSERT_TRUE(p.c.cluster.usable(placement.target)) << "seed " << seed;
      Resources charge = placement.request.need;
      if (placement.request.exclusive) charge.cpu_m = p.c.cluster.index().target(placement.target).slot_cpu_m;
      taken[placement.target.value] += charge;
      ASSERT_EQ(placement.threads.size(),
                threads_for(p.c.cluster.cpu_m(placement.target, placement.request)));
    }
    for (std::size_t n = 0; n < taken.size(); ++n) {
      ASSERT_TRUE(p.before[n].free.covers(taken[n])) << "seed " << seed;
      Resources left = p.before[n].free;
      left -= taken[n];
      ASSERT_EQ(p.c.cluster.node(NodeId{n}).room.free, left) << "seed " << seed;
    }
  }
}

TEST_P(QueueContract, ThePassStartsTheFirstIfItFits) {
  const auto queue = make();
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    RandomPass p(*queue, seed);
    if (p.pending.empty()) continue;
    const Waiting first = p.pending.map().begin()->second;
    // By scan: how many of its tasks fit, one after the other, on the lowest nodes?
    RandomPass twin(*queue, seed);
    std::uint32_t fit = 0;
    for (std::uint64_t n = 0; n < twin.c.cluster.size() && fit < first.width;) {
      const NodeId id{n};
      if (!twin.c.cluster.usable(id) || !twin.c.cluster.node(id).room.fits(first.request)) {
        ++n;
        continue;
      }
      twin.c.cluster.take(id, first.request);
      ++fit;
    }
    p.run(*queue);
    const std::uint32_t expected = first.together && fit < first.width ? 0 : fit;
    ASSERT_EQ(placed_per_job(p)[first.job.value], expected) << "seed " << seed;
  }
}

TEST_P(QueueContract, TheSamePassTwiceIsTheSame) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const auto a = make();
    const auto b = make();
    RandomPass one(*a, seed), two(*b, seed);
    one.run(*a);
    two.run(*b);
    ASSERT_EQ(one.placements.size(), two.placements.size());
    for (std::size_t i = 0; i < one.placements.size(); ++i) {
      ASSERT_EQ(one.placements[i].job, two.placements[i].job) << "seed " << seed;
      ASSERT_EQ(one.placements[i].target, two.placements[i].target) << "seed " << seed;
      ASSERT_EQ(one.placements[i].threads, two.placements[i].threads) << "seed " << seed;
    }
  }
}

TEST_P(QueueContract, ASecondPassAtOnceFindsNothingMore) {
  // What is still waiting does not fit, or would delay what was promised; a pass must not depend on being
  // repeated. (Reservations for exclusive tasks beside shared ones are estimates: which threads will be free
  // is not known.)
  const auto queue = make();
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    RandomPass p(*queue, seed, queue->reserves());
    p.run(*queue);
    p.settle();
    p.run(*queue);
    ASSERT_TRUE(p.placements.empty()) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(All, QueueContract, testing::ValuesIn(queue_names()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace duet::test
