// Plan: gangs whole or not at all, bags as far as they go, and nothing tried twice in vain.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/plan.h"
#include "tests/harness/builders.h"

namespace duet::test {
namespace {

/// First fit that counts how often it is asked, and remembers where it was.
class CountingScheduler final : public Scheduler {
 public:
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    ++asked;
    return targets.first_fit(request);
  }
  Comparison compare(const Request&, const TargetIndex&, Rng) const override { return {}; }
  std::uint64_t mark() const override { return asked; }
  void rewind(std::uint64_t mark) override { rewound_to = mark; }
  std::uint64_t asked = 0;
  std::uint64_t rewound_to = 999;
};

struct PlanBench {
  explicit PlanBench(std::uint32_t nodes, const Shape& shape) {
    for (std::uint32_t n = 0; n < nodes; ++n) {
      const NodeId id = cluster.add("n" + std::to_string(n));
      cluster.set_offer(id, shape.offer());
      cluster.node(id).state = NodeState::kReady;
      cluster.refresh(id);
    }
  }
  void wait(std::uint32_t width, bool together, std::int64_t cpu_m = 1000) {
    Waiting w;
    w.job = JobId{++jobs};
    w.request.need.cpu_m = cpu_m;
    w.width = width;
    w.together = together;
    pending.add(0, w);
  }
  Plan plan() { return Plan(Instant{}, pending, cluster, releases, scheduler, rng, placements); }
  /// "1@0 1@1": job at node.
  std::string placed() const {
    std::string text;
    for (const Placement& p : placements)
      text += (text.empty() ? "" : " ") + std::to_string(p.job.value) + "@" + std::to_string(p.target.value);
    return text;
  }

  std::uint64_t jobs = 0;
  Cluster cluster;
  Pending pending;
  Releases releases;
  CountingScheduler scheduler;
  Rng rng{1};
  std::vector<Placement> placements;
};

TEST(CorePlan, AGangIsPlacedWholeAndLeavesTheQueue) {
  PlanBench b(2, cores(2));
  b.wait(3, true);
  Plan plan = b.plan();
  auto at = plan.begin();
  EXPECT_TRUE(plan.start(at));
  EXPECT_EQ(at, plan.end());
  EXPECT_EQ(b.placed(), "1@0 1@0 1@1");
  EXPECT_TRUE(b.pending.empty());
  EXPECT_EQ(plan.free_cpu_m(), 1000);
}

TEST(CorePlan, AGangThatDoesNotFitLeavesNoTrace) {
  PlanBench b(2, cores(2));
  b.wait(5, true);
  Plan plan = b.plan();
  auto at = plan.begin();
  EXPECT_FALSE(plan.start(at));
  EXPECT_EQ(at, plan.begin());
  EXPECT_EQ(b.placed(), "");
  EXPECT_EQ(b.pending.size(), 1U);
  EXPECT_EQ(plan.free_cpu_m(), 4000);
  EXPECT_EQ(b.scheduler.rewound_to, 0U);
  for (std::uint64_t n = 0; n < 2; ++n) EXPECT_EQ(b.cluster.node(NodeId{n}).room.slots, 2);
}

TEST(CorePlan, ABagIsPlacedAsFarAsItGoes) {
  PlanBench b(1, cores(3));
  b.wait(5, false);
  Plan plan = b.plan();
  auto at = plan.begin();
  EXPECT_FALSE(plan.start(at));
  EXPECT_EQ(b.placed(), "1@0 1@0 1@0");
  EXPECT_EQ(at->second.width, 2U);
}

TEST(CorePlan, WhatFailedIsNotTriedAgainInThisPass) {
  PlanBench b(1, cores(3));
  b.wait(4, true);   // Too wide.
  b.wait(5, true);   // Wider still: known.
  b.wait(3, true);   // Fits.
  b.wait(1, false);  // Another width: tried, fails.
  b.wait(1, true);   // Not one fits: known.
  Plan plan = b.plan();
  auto at = plan.begin();
  std::vector<std::uint64_t> asked;
  std::vector<bool> started;
  while (at != plan.end()) {
    const std::uint64_t before = b.scheduler.asked;
    started.push_back(plan.start(at));
    asked.push_back(b.scheduler.asked - before);
    if (!started.back()) ++at;
  }
  EXPECT_EQ(started, (std::vector<bool>{false, false, true, false, false}));
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{4, 0, 3, 1, 0}));
  EXPECT_EQ(plan.tried(), 5U);
}

TEST(CorePlan, AnotherRequestIsTriedThoughABiggerOneFailed) {
  PlanBench b(1, cores(1));
  b.wait(1, true, 2000);
  b.wait(1, true, 1000);
  Plan plan = b.plan();
  auto at = plan.begin();
  EXPECT_FALSE(plan.start(at));
  EXPECT_TRUE(plan.start(++at));
}

TEST(CorePlan, StartOnTakesTheseVeryNodes) {
  PlanBench b(3, cores(1));
  b.wait(2, true);
  Plan plan = b.plan();
  auto at = plan.begin();
  const std::vector<NodeId> nodes = {NodeId{2}, NodeId{1}};
  plan.start_on(at, nodes);
  EXPECT_EQ(b.placed(), "1@2 1@1");
  EXPECT_EQ(at, plan.end());
  b.wait(1, true);
  auto next = plan.begin();
  EXPECT_DEATH(plan.start_on(next, std::vector<NodeId>{NodeId{2}}), "fits");
}

TEST(CorePlan, PendingIsOrderedByRankThenJobThenGroup) {
  Pending pending;
  const auto add = [&](std::int64_t rank, std::uint64_t job_id, std::uint32_t group) {
    Waiting w;
    w.job = JobId{job_id};
    w.group = group;
    pending.add(rank, w);
  };
  add(5, 1, 0);
  add(0, 3, 1);
  add(0, 3, 0);
  add(-7, 9, 0);
  add(0, 2, 4);
  std::string order;
  for (const auto& [key, w] : pending.map())
    order += std::to_string(w.job.value) + "." + std::to_string(w.group) + " ";
  EXPECT_EQ(order, "9.0 2.4 3.0 3.1 1.0 ");
  EXPECT_EQ(pending.find(0, JobId{3}, 2), nullptr);
  ASSERT_NE(pending.find(0, JobId{3}, 1), nullptr);
  pending.remove(0, JobId{3}, 1);
  pending.remove(0, JobId{3}, 1);
  EXPECT_EQ(pending.size(), 4U);
}

}  // namespace
}  // namespace duet::test
