// A node under random taking and giving back: what is exclusive is alone, and nothing leaks.
#include <numeric>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/cluster.h"
#include "core/rng.h"
#include "tests/harness/builders.h"

namespace duet::test {
namespace {

struct Holding {
  Request request;
  ThreadSet threads;
  std::int64_t cpu_m;
};

class NodeUnderLoad {
 public:
  NodeUnderLoad(std::uint64_t seed, std::uint32_t n, std::uint32_t per_core)
      : rng_(seed), id_(cluster_.add("n0")) {
    cluster_.set_offer(id_, Shape(n).threads_per_core(per_core).memory(10'000).offer());
    cluster_.node(id_).state = NodeState::kReady;
    cluster_.refresh(id_);
  }
  void step() {
    if (!held_.empty() && rng_.chance(2, 5)) return give_back(rng_.below(held_.size()));
    Request r;
    r.exclusive = rng_.chance(1, 4);
    if (!r.exclusive)
      r.need.cpu_m = rng_.chance(1, 2) ? 100 * rng_.between(1, 25) : kThread * rng_.between(1, 3);
    r.need.memory_bytes = rng_.between(0, 900);
    if (!node().room.fits(r)) return;
    const std::int64_t cpu_m = r.exclusive ? slot_cpu_m() : r.need.cpu_m;
    held_.push_back({r, cluster_.take(id_, r), cpu_m});
    check_choice(held_.back());
  }
  void give_back(std::size_t i) {
    cluster_.give_back(id_, held_[i].request, held_[i].threads);
    held_[i] = held_.back();
    held_.pop_back();
  }
  void check() const {
    Resources free = node().offer.capacity;
    for (const Holding& h : held_) {
      free.cpu_m -= h.cpu_m;
      free.memory_bytes -= h.request.need.memory_bytes;
    }
    ASSERT_EQ(node().room.free, free);
    ASSERT_EQ(cluster_.free_cpu_m(), free.cpu_m);
    ASSERT_EQ(cluster_.index().target(id_).tasks, held_.size());
    if (!node().offer.threads_placed()) {
      ASSERT_EQ(node().room.slots, free.cpu_m / slot_cpu_m());
      return;
    }
    check_threads();
  }
  void empty() {
    while (!held_.empty()) give_back(held_.size() - 1);
    ASSERT_EQ(node().room, (Room{node().offer.capacity, node().offer.cores}));
  }

 private:
  const ClusterNode& node() const { return cluster_.node(id_); }
  std::int64_t slot_cpu_m() const { return kThread * node().offer.threads_per_core; }

  void check_choice(const Holding& h) const {
    if (!node().offer.threads_placed()) {
      ASSERT_TRUE(h.threads.empty());
      return;
    }
    ASSERT_EQ(h.threads.size(), duet::threads_for(cluster_.cpu_m(id_, h.request)));
    if (!h.request.exclusive) return;
    std::set<std::uint32_t> sat_on;
    h.threads.for_each([&](std::uint32_t t) { sat_on.insert(t % node().offer.cores); });
    ASSERT_EQ(sat_on.size(), 1U) << "an exclusive task is on one core, with all its threads";
  }
  void check_threads() const {
    std::int64_t load = 0;
    for (const std::int32_t l : node().load_m) load += l;
    ASSERT_EQ(load, node().offer.capacity.cpu_m - node().room.free.cpu_m);
    for (std::size_t i = 0; i < held_.size(); ++i)
      for (std::size_t k = 0; k < held_.size(); ++k)
        if (i != k && held_[i].request.exclusive) {
          ASSERT_FALSE(held_[i].threads.intersects(held_[k].threads)) << "an exclusive task is not alone";
        }
    std::int64_t slots = 0;
    for (std::uint32_t core = 0; core < node().offer.cores; ++core) {
      bool whole = true;
      for (std::uint32_t t = core; t < node().offer.threads(); t += node().offer.cores) {
        ASSERT_EQ(node().free_threads.contains(t), node().load_m[t] == 0);
        whole &= node().load_m[t] == 0;
      }
      slots += whole;
    }
    // Threads that carry more than their share leave idle slots whose CPU is not free.
    ASSERT_EQ(node().room.slots, std::min(slots, node().room.free.cpu_m / slot_cpu_m()));
  }

  Rng rng_;
  Cluster cluster_;
  NodeId id_;
  std::vector<Holding> held_;
};

TEST(ClusterProperty, TakeAndGiveBack) {
  struct Kind {
    std::uint32_t cores, threads_per_core;
  };
  for (const Kind kind :
       {Kind{1, 1}, Kind{3, 1}, Kind{4, 2}, Kind{3, 4}, Kind{64, 4}, Kind{257, 1}, Kind{200, 2}})
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      NodeUnderLoad n(seed, kind.cores, kind.threads_per_core);
      for (int i = 0; i < 1500; ++i) {
        n.step();
        if (i % 10 == 0) n.check();
        if (HasFatalFailure()) FAIL() << kind.cores << " cores, seed " << seed << ", operation " << i;
      }
      n.empty();
    }
}

TEST(ThreadSetProperty, AgreesWithASetOfNumbers) {
  Rng rng(5);
  ThreadSet set;
  std::set<std::uint32_t> plain;
  for (int i = 0; i < 20'000; ++i) {
    const auto t = static_cast<std::uint32_t>(rng.below(ThreadSet::kMaxThreads));
    if (rng.chance(1, 2)) {
      set.insert(t);
      plain.insert(t);
    } else {
      set.erase(t);
      plain.erase(t);
    }
    ASSERT_EQ(set.size(), plain.size());
    ASSERT_EQ(set.empty(), plain.empty());
    ASSERT_TRUE(plain.empty() || set.lowest() == *plain.begin());
    std::vector<std::uint32_t> visited;
    set.for_each([&](std::uint32_t m) { visited.push_back(m); });
    ASSERT_TRUE(std::equal(visited.begin(), visited.end(), plain.begin(), plain.end()));
  }
}

}  // namespace
}  // namespace duet::test
