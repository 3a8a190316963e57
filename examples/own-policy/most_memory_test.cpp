// most_memory: three nodes, and which of them gets a task.
#include <gtest/gtest.h>

#include "own_policies.h"

namespace duet {
namespace {

TEST(MostMemory, PicksTheMostFreeMemoryAmongThoseWithRoom) {
  TargetIndex targets;
  const auto add = [&](std::int64_t free_m, std::int64_t free_mib) {
    Resources capacity;
    capacity.cpu_m = 4 * kThread;
    capacity.memory_bytes = 8192 * kMiB;
    Room room{capacity, 0};
    room.free.cpu_m = free_m;
    room.free.memory_bytes = free_mib * kMiB;
    targets.set(targets.add(capacity, kThread), room, true);
  };
  add(4000, 2048);
  add(2000, 4096);
  add(500, 8192);

  ASSERT_EQ(add_policies(own_policies()), Problems{});
  const auto scheduler = std::move(*make_policy(scheduler_policies(), {"most_memory", {}}));
  Rng rng(1);
  Request request;
  request.need.cpu_m = 500;
  EXPECT_EQ(scheduler->pick(request, targets, rng), NodeId{2});
  request.need.cpu_m = 1000;
  EXPECT_EQ(scheduler->pick(request, targets, rng), NodeId{1}) << "the third has no room";
  request.need.memory_bytes = 8192 * kMiB;
  EXPECT_EQ(scheduler->pick(request, targets, rng), std::nullopt);
}

}  // namespace
}  // namespace duet
