// TargetIndex against the plainest thing that can be right: a scan over all targets.
#include <vector>

#include <gtest/gtest.h>

#include "core/index.h"
#include "core/policy/scheduler/opportunity_cost.h"
#include "core/rng.h"

namespace duet::test {
namespace {

/// What the index should know, in a plain array.
struct ScannedTarget {
  Target target;
  bool usable = false;
};

class IndexOracle {
 public:
  explicit IndexOracle(std::uint64_t seed) : rng_(seed) {}

  void grow(std::size_t n) {
    for (; n > 0; --n) {
      const Resources capacity = some_capacity();
      const NodeId id = index_.add(capacity, kThread);
      ASSERT_EQ(id.value, scan_.size());
      scan_.push_back({{capacity, {}, kThread, 0}, false});
    }
  }
  /// Sets, describes anew, makes usable or not: one of these.
  void change() {
    const NodeId id{rng_.below(scan_.size())};
    ScannedTarget& t = scan_[id.value];
    if (rng_.chance(1, 20)) {
      t.target.capacity = some_capacity();
      t.target.slot_cpu_m = kThread * rng_.between(1, 2);
      index_.describe(id, t.target.capacity, t.target.slot_cpu_m);
    }
    t.target.room = some_room(t.target.capacity);
    t.target.tasks = static_cast<std::uint32_t>(rng_.below(3));
    t.usable = !rng_.chance(1, 10);
    index_.set(id, t.target.room, t.usable, t.target.tasks);
  }
  /// One question, asked of both.
  void ask(bool score) {
    const Request request = some_request();
    const NodeId from{rng_.below(scan_.size() + 2)};
    ASSERT_EQ(index_.first_fit(request, from), first_fit(request, from));
    const NodeId one{rng_.below(scan_.size())};
    ASSERT_EQ(index_.fits(one, request), fits(one.value, request));
    ASSERT_EQ(index_.target(one).room, scan_[one.value].target.room);
    ASSERT_EQ(index_.target(one).tasks, scan_[one.value].target.tasks);
    if (!score) return;
    const auto packed = [&](const Target& t) { return utilisation_with(t, request); };
    const auto spread = [&](const Target& t) { return -utilisation_with(t, request); };
    const auto cheap = [&](const Target& t) {
      return -math::quantised(marginal_cost(t, request, math::log(7.0), 4));
    };
    const auto above = [&](const Target& t) { return cheap(t) + 2; };
    const auto crowded = [](const Target& t) { return 3 * t.tasks - t.room.free.cpu_m / 1000; };
    const auto any = [](const Target& t) { return (t.room.free.cpu_m / 500 * 7 + t.tasks * 5) % 11; };
    const auto same = [](const Target&) { return 0; };
    ASSERT_EQ(index_.emptiest(request, cheap, above), best(request, cheap));
    ASSERT_EQ(index_.fullest(request, packed), best(request, packed));
    ASSERT_EQ(index_.fullest(request, crowded), best(request, crowded));
    ASSERT_EQ(index_.emptiest(request, spread), best(request, spread));
    ASSERT_EQ(index_.emptiest(request, same), best(request, same));
    ASSERT_EQ(index_.best(request, any), best(request, any));
    std::uint32_t most = 0;
    for (const ScannedTarget& t : scan_)
      if (t.usable) most = std::max(most, t.target.tasks);
    ASSERT_EQ(index_.most_tasks(), most);
  }
  /// Walks through all that fits, as policies do.
  void walk() {
    const Request request = some_request();
    std::vector<std::uint64_t> walked, scanned;
    for (auto id = index_.first_fit(request); id; id = index_.first_fit(request, NodeId{id->value + 1}))
      walked.push_back(id->value);
    for (std::uint64_t n = 0; n < scan_.size(); ++n)
      if (fits(n, request)) scanned.push_back(n);
    ASSERT_EQ(walked, scanned);
  }
  std::size_t size() const { return scan_.size(); }

 private:
  bool fits(std::uint64_t n, const Request& request) const {
    return scan_[n].usable && scan_[n].target.room.fits(request);
  }
  std::optional<NodeId> first_fit(const Request& request, NodeId from) const {
    for (std::uint64_t n = from.value; n < scan_.size(); ++n)
      if (fits(n, request)) return NodeId{n};
    return std::nullopt;
  }
  template <class Score>
  std::optional<NodeId> best(const Request& request, Score&& score) const {
    std::optional<NodeId> winner;
    decltype(score(scan_.front().target)) high{};
    for (std::uint64_t n = 0; n < scan_.size(); ++n) {
      if (!fits(n, request)) continue;
      const auto s = score(scan_[n].target);
      if (winner && s <= high) continue;  // Strictly better wins: the first among equals.
      winner = NodeId{n};
      high = s;
    }
    return winner;
  }

  Resources some_capacity() {
    Resources r;
    r.cpu_m = kThread * rng_.between(1, 8);
    r.memory_bytes = rng_.chance(1, 4) ? 0 : 100 * rng_.between(1, 4);
    r.count[0] = static_cast<std::int32_t>(rng_.between(0, 2));
    return r;
  }
  Room some_room(const Resources& capacity) {
    Room room;
    room.free.cpu_m = 500 * rng_.between(0, capacity.cpu_m / 500);
    room.free.memory_bytes = 100 * rng_.between(0, capacity.memory_bytes / 100);
    room.free.count[0] = static_cast<std::int32_t>(rng_.between(0, capacity.count[0]));
    room.slots = rng_.between(0, room.free.cpu_m / kThread);
    return room;
  }
  Request some_request() {
    Request r;
    r.exclusive = rng_.chance(1, 4);
    if (!r.exclusive) r.need.cpu_m = 250 * rng_.between(0, 36);
    if (rng_.chance(1, 2)) r.need.memory_bytes = 50 * rng_.between(0, 9);
    if (rng_.chance(1, 4)) r.need.count[0] = static_cast<std::int32_t>(rng_.between(0, 3));
    return r;
  }

  Rng rng_;
  TargetIndex index_;
  std::vector<ScannedTarget> scan_;
};

TEST(IndexProperty, SmallAndGrowing) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    IndexOracle o(seed);
    for (int i = 0; i < 1000; ++i) {
      if (i % 10 == 0) o.grow(1 + seed % 5);
      o.change();
      o.ask(true);
      if (HasFatalFailure()) FAIL() << "seed " << seed << " operation " << i;
    }
    o.walk();
  }
}

TEST(IndexProperty, ThousandsOfTargets) {
  for (const std::size_t targets : {255U, 256U, 257U, 4096U, 4097U, 5000U}) {
    IndexOracle o(targets);
    o.grow(targets);
    for (std::size_t i = 0; i < targets; ++i) o.change();
    for (int i = 0; i < 10'000; ++i) {
      o.change();
      o.ask(i % 100 == 0);
      if (HasFatalFailure()) FAIL() << targets << " targets, operation " << i;
    }
    o.walk();
  }
}

TEST(IndexProperty, AlmostFullAndAlmostEmpty) {
  // The interesting maxima are those that sink: take the last room away, give it back, again and again.
  IndexOracle o(99);
  o.grow(300);
  for (int i = 0; i < 20'000; ++i) {
    o.change();
    if (i % 5 == 0) o.ask(i % 50 == 0);
    if (HasFatalFailure()) FAIL() << "operation " << i;
  }
}

}  // namespace
}  // namespace duet::test
