// Cluster: which threads an attempt gets, and that room and threads are given back exactly.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cluster.h"
#include "tests/harness/builders.h"

namespace duet::test {
namespace {

Request threads_of(std::int64_t cpu_m) {
  Request r;
  r.need.cpu_m = cpu_m;
  return r;
}
Request whole_slot() {
  Request r;
  r.exclusive = true;
  return r;
}

struct OneNode {
  explicit OneNode(const Shape& shape) : id(all.add("n0")) {
    all.set_offer(id, shape.offer());
    all.node(id).state = NodeState::kReady;
    all.refresh(id);
  }
  /// Takes room and says which threads it got: "0 4".
  std::string take(const Request& request) {
    taken.emplace_back(request, all.take(id, request));
    return text(taken.back().second);
  }
  void give_back(std::size_t i) { all.give_back(id, taken[i].first, taken[i].second); }
  static std::string text(const ThreadSet& threads) {
    std::string out;
    threads.for_each([&](std::uint32_t t) { out += (out.empty() ? "" : " ") + std::to_string(t); });
    return out;
  }
  const ClusterNode& node() const { return all.node(id); }

  Cluster all;
  NodeId id;
  std::vector<std::pair<Request, ThreadSet>> taken;
};

TEST(CoreCluster, WholeThreadsLowestFirst) {
  OneNode n(cores(4));
  EXPECT_EQ(n.take(threads_of(1000)), "0");
  EXPECT_EQ(n.take(threads_of(2000)), "1 2");
  n.give_back(0);
  EXPECT_EQ(n.take(threads_of(2000)), "0 3");
  EXPECT_EQ(n.node().room.free.cpu_m, 0);
  EXPECT_EQ(n.all.free_cpu_m(), 0);
}

TEST(CoreCluster, ExclusiveTasksTakeACoreWithAllItsThreads) {
  OneNode n(cores(4).threads_per_core(2));  // Threads i and i + 4 are siblings.
  EXPECT_EQ(n.take(whole_slot()), "0 4");
  EXPECT_EQ(n.take(threads_of(1000)), "1");
  EXPECT_EQ(n.node().room.slots, 2);
  EXPECT_EQ(n.take(whole_slot()), "2 6");
  EXPECT_EQ(n.take(whole_slot()), "3 7");
  EXPECT_EQ(n.node().room.slots, 0);
  EXPECT_FALSE(n.all.index().fits(n.id, whole_slot()));
  EXPECT_EQ(n.take(threads_of(1000)), "5");
  n.give_back(1);
  EXPECT_EQ(n.node().room.slots, 0) << "thread 5 of core 1 is still busy";
  n.give_back(4);
  EXPECT_EQ(n.node().room.slots, 1);
  EXPECT_EQ(n.take(whole_slot()), "1 5");
}

TEST(CoreCluster, SharesOfAThreadFillTheLowestThatHasRoom) {
  OneNode n(cores(2));
  EXPECT_EQ(n.take(threads_of(600)), "0");
  EXPECT_EQ(n.take(threads_of(600)), "1");
  EXPECT_EQ(n.take(threads_of(400)), "0");
  EXPECT_EQ(n.take(threads_of(300)), "1");
  EXPECT_EQ(n.node().load_m, (std::vector<std::int32_t>{1000, 900}));
  EXPECT_EQ(n.node().room.slots, 0);
}

TEST(CoreCluster, AFractionAboveOneThreadTakesTheNextThreadToo) {
  OneNode n(cores(3));
  EXPECT_EQ(n.take(threads_of(1500)), "0 1");
  EXPECT_EQ(n.node().load_m, (std::vector<std::int32_t>{1000, 500, 0}));
  EXPECT_EQ(n.take(threads_of(500)), "1");
  EXPECT_EQ(n.take(threads_of(1000)), "2");
}

TEST(CoreCluster, ScatteredSharesShareTheLeastLoadedThreadsAndNeverAnExclusiveOne) {
  OneNode n(cores(3));
  EXPECT_EQ(n.take(whole_slot()), "0");
  EXPECT_EQ(n.take(threads_of(700)), "1");
  EXPECT_EQ(n.take(threads_of(600)), "2");
  EXPECT_EQ(n.take(threads_of(500)), "2") << "700 m are free, but on no thread 500 m";
  for (std::size_t i = 0; i < n.taken.size(); ++i) n.give_back(i);
  EXPECT_EQ(n.node().load_m, (std::vector<std::int32_t>{0, 0, 0}));
  EXPECT_EQ(n.node().room, (Room{cores(3).offer().capacity, 3}));
}

TEST(CoreCluster, ChargesWhatIsAskedForOrAWholeSlot) {
  OneNode n(cores(4).threads_per_core(2));
  EXPECT_EQ(n.all.cpu_m(n.id, threads_of(0)), 0);
  EXPECT_EQ(n.all.cpu_m(n.id, threads_of(1)), 1);
  EXPECT_EQ(n.all.cpu_m(n.id, threads_of(1000)), 1000);
  EXPECT_EQ(n.all.cpu_m(n.id, threads_of(1001)), 1001);
  EXPECT_EQ(n.all.cpu_m(n.id, whole_slot()), 2000);
}

TEST(CoreCluster, PoolsAbove256ThreadsAreOnlyCounted) {
  OneNode placed(cores(256));
  EXPECT_EQ(placed.take(threads_of(1000)), "0");
  OneNode n(cores(257));
  EXPECT_EQ(n.take(threads_of(256'500)), "");
  EXPECT_EQ(n.node().room.free.cpu_m, 500);
  EXPECT_EQ(n.node().room.slots, 0);
  n.give_back(0);
  EXPECT_EQ(n.node().room.slots, 257);
  EXPECT_EQ(n.take(whole_slot()), "");
  EXPECT_EQ(n.node().room.slots, 256);
  EXPECT_EQ(n.all.free_cpu_m(), 256'000);
}

TEST(CoreCluster, OtherResourcesAreTakenAndGivenBack) {
  OneNode n(cores(2).memory(1000).count(3, 2));
  Request r = threads_of(500);
  r.need.memory_bytes = 600;
  r.need.count[3] = 1;
  n.take(r);
  EXPECT_FALSE(n.all.index().fits(n.id, r)) << "400 bytes are left";
  r.need.memory_bytes = 400;
  n.take(r);
  r.need.memory_bytes = 0;
  EXPECT_FALSE(n.all.index().fits(n.id, r)) << "none of kind 3 is left";
  n.give_back(0);
  EXPECT_TRUE(n.all.index().fits(n.id, r));
}

TEST(CoreCluster, OvercommitIsABugNotAnAnswer) {
  OneNode n(cores(1));
  n.take(threads_of(600));
  EXPECT_DEATH(n.take(threads_of(600)), "fits");
  n.give_back(0);
  EXPECT_DEATH(n.give_back(0), "covers|load");
}

TEST(CoreCluster, OnlyReadyNodesThatAreNotDrainingAreUsable) {
  for (const NodeState state :
       {NodeState::kUnknown, NodeState::kReady, NodeState::kSuspect, NodeState::kFenced, NodeState::kDown})
    for (const bool draining : {false, true}) {
      OneNode n(cores(2));
      n.all.node(n.id).state = state;
      n.all.node(n.id).draining = draining;
      n.all.refresh(n.id);
      const bool use = state == NodeState::kReady && !draining;
      EXPECT_EQ(n.all.usable(n.id), use);
      EXPECT_EQ(n.all.index().fits(n.id, threads_of(1)), use);
      EXPECT_EQ(n.all.free_cpu_m(), use ? 2000 : 0);
    }
}

TEST(CoreCluster, FreeCpuFollowsWhatUsableNodesHave) {
  OneNode n(cores(4));
  n.take(threads_of(1000));
  EXPECT_EQ(n.all.free_cpu_m(), 3000);
  n.all.node(n.id).state = NodeState::kSuspect;
  n.all.refresh(n.id);
  EXPECT_EQ(n.all.free_cpu_m(), 0);
  n.give_back(0);
  EXPECT_EQ(n.all.free_cpu_m(), 0);
  n.all.node(n.id).state = NodeState::kReady;
  n.all.refresh(n.id);
  EXPECT_EQ(n.all.free_cpu_m(), 4000);
  n.all.set_offer(n.id, cores(6).offer());
  EXPECT_EQ(n.all.free_cpu_m(), 6000);
  EXPECT_EQ(n.node().room.slots, 6);
}

TEST(CoreCluster, UniformAsLongAsKnownOffersAgree) {
  Cluster all;
  const NodeId a = all.add("a");
  const NodeId b = all.add("b");
  EXPECT_TRUE(all.uniform());
  all.set_offer(a, cores(2).offer());
  EXPECT_TRUE(all.uniform());
  all.set_offer(b, cores(3).offer());
  EXPECT_FALSE(all.uniform());
  all.set_offer(a, cores(3).offer());
  EXPECT_TRUE(all.uniform());
  EXPECT_EQ(all.find("b"), b);
  EXPECT_FALSE(all.find("c"));
}

}  // namespace
}  // namespace duet::test
