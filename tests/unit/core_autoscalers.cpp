// The autoscalers, at the exact numbers where they change their mind.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "core/policy.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

std::int64_t desired(const std::string& name, const GroupView& group, Params params = {}) {
  const auto made = make_policy(autoscaler_policies(), {name, std::move(params)});
  EXPECT_TRUE(made) << name;
  return (*made)->decide(Instant{}, group).count;
}

/// Three members that take work, of at most eight.
GroupView three() {
  GroupView group;
  group.count = group.ready = 3;
  group.maximum = 8;
  return group;
}

TEST(CoreThreshold, AsksForOneMoreWhenAllAreStrictlyBeyond) {
  GroupView group = three();
  group.least_load_permille = 700;
  EXPECT_EQ(desired("threshold", group), 3) << "70.0 % is not beyond 70 %";
  group.least_load_permille = 701;
  EXPECT_EQ(desired("threshold", group), 4);
  group.least_load_permille = 800;
  EXPECT_EQ(desired("threshold", group, {{{"above_percent", std::int64_t{80}}}}), 3);
  EXPECT_EQ(desired("threshold", group, {{{"above_percent", std::int64_t{79}}}}), 4);
}

TEST(CoreThreshold, OneAtATimeUpToTheMaximumAndNeverFewer) {
  GroupView group = three();
  group.least_load_permille = 1000;
  group.pending = 1;
  group.count = 4;
  EXPECT_EQ(desired("threshold", group), 4) << "one is on its way";
  group.pending = 0;
  group.count = group.ready = 8;
  EXPECT_EQ(desired("threshold", group), 8) << "as many as there may be";
  group.least_load_permille = 0;
  EXPECT_EQ(desired("threshold", group), 8) << "it gives none up";
}

TEST(CoreThreshold, WithoutMembersSomethingMustWait) {
  GroupView group;
  group.maximum = 8;
  EXPECT_EQ(desired("threshold", group), 0);
  group.queued = 1;
  EXPECT_EQ(desired("threshold", group), 1);
  group.count = group.pending = 1;
  EXPECT_EQ(desired("threshold", group), 1);
}

TEST(CoreQueueDepth, OneMemberForEveryFourOperationsWithinBounds) {
  GroupView group;
  group.maximum = 5;
  for (const auto& [queued, running, members] :
       {std::array{0, 0, 0}, {1, 0, 1}, {4, 0, 1}, {5, 0, 2}, {4, 4, 2}, {5, 4, 3}, {20, 0, 5}, {99, 0, 5}}) {
    group.queued = queued;
    group.running = running;
    EXPECT_EQ(desired("queue_depth", group), members) << queued << " " << running;
  }
  EXPECT_EQ(desired("queue_depth", group, {{{"per_member", std::int64_t{50}}}}), 2);
  group.queued = group.running = 0;
  group.minimum = 2;
  EXPECT_EQ(desired("queue_depth", group), 2);
}

TEST(CoreQueueDepth, GivesMembersUpOnlyAfterAWhileWithoutAQueue) {
  GroupView group = three();
  group.running = 4;
  group.empty_for = 60s - 1ns;
  EXPECT_EQ(desired("queue_depth", group), 3);
  group.empty_for = 60s;
  EXPECT_EQ(desired("queue_depth", group), 1) << "one is enough for what still runs";
  EXPECT_EQ(desired("queue_depth", group, {{{"idle_s", std::int64_t{61}}}}), 3);
  group.queued = 1;
  EXPECT_EQ(desired("queue_depth", group), 3) << "while something waits nobody is sent away";
}

}  // namespace
}  // namespace duet::test
