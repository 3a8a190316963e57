// Every scheduler against a scan: what pick() finds through the index is what scoring target by target finds.
// DUET_ORACLE_DECISIONS: how many for each scheduler; tools/oracle.sh asks for a million.
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/policy.h"

namespace duet::test {
namespace {

std::uint64_t oracle_decisions() {
  const char* asked = std::getenv("DUET_ORACLE_DECISIONS");
  return asked == nullptr ? 10'000 : std::strtoull(asked, nullptr, 10);
}

/// Targets that fill and empty, in the index and in a plain array.
class FillingTargets {
 public:
  FillingTargets(std::size_t n, std::uint64_t seed) : rng_(seed) {
    // Continuous memory, as users have it; or few values, so that many targets are equal and ties count.
    coarse_ = rng_.chance(1, 2);
    const std::uint32_t shapes = rng_.chance(1, 2) ? 1 : 3;
    for (std::size_t i = 0; i < n; ++i) {
      Target t;
      t.capacity.cpu_m = kThread * (4 << rng_.below(shapes));
      t.capacity.memory_bytes = t.capacity.cpu_m * kMiB * 4;
      t.capacity.count[0] = static_cast<std::int32_t>(rng_.below(3));
      t.slot_cpu_m = kThread;
      t.room = {t.capacity, t.capacity.cpu_m / kThread};
      index.add(t.capacity, t.slot_cpu_m);
      targets_.push_back(t);
      usable_.push_back(true);
      tell(i);
    }
  }

  Request request() {
    Request r;
    r.need.cpu_m = rng_.chance(1, 4) ? 100 * rng_.between(0, 50) : 250 << rng_.below(5);
    r.need.memory_bytes = memory(rng_.between(0, 4224));
    if (rng_.chance(1, 10)) r.need.count[0] = 1;
    r.exclusive = rng_.chance(1, 10);
    if (r.exclusive) r.need.cpu_m = 0;
    return r;
  }
  bool fits(std::size_t i, const Request& r) const { return usable_[i] && targets_[i].room.fits(r); }
  std::size_t size() const { return targets_.size(); }

  void take(std::size_t i, Request r) {
    if (r.exclusive) r.need.cpu_m = kThread;
    held_.push_back({i, r});
    targets_[i].room.free -= r.need;
    ++targets_[i].tasks;
    tell(i);
  }
  /// Ends tasks, so that about four fifths are taken; now and then a target goes or comes back.
  void pass_time(bool placed) {
    for (std::uint64_t ends = placed ? rng_.below(2) : 3; ends > 0 && !held_.empty(); --ends) {
      std::swap(held_[rng_.below(held_.size())], held_.back());
      const auto [i, r] = held_.back();
      held_.pop_back();
      targets_[i].room.free += r.need;
      --targets_[i].tasks;
      tell(i);
    }
    if (!rng_.chance(1, 50)) return;
    const std::size_t i = rng_.below(size());
    usable_[i] = !usable_[i];
    tell(i);
  }

  TargetIndex index;

 private:
  struct Held {
    std::size_t target;
    Request request;
  };
  std::int64_t memory(std::int64_t mib) const { return coarse_ ? mib / 512 * 512 * kMiB : mib * kMiB; }
  void tell(std::size_t i) {
    Target& t = targets_[i];
    t.room.slots = t.room.free.cpu_m / kThread;
    index.set(NodeId{i}, t.room, usable_[i], t.tasks);
  }

  Rng rng_;
  bool coarse_ = false;
  std::vector<Target> targets_;
  std::vector<bool> usable_;
  std::vector<Held> held_;
};

/// The first of the highest scores, looking at each; every target that has one must fit, and no other.
std::optional<NodeId> scanned(const FillingTargets& targets, const Request& request,
                              const Comparison& comparison, bool sampled) {
  std::optional<NodeId> best;
  EXPECT_EQ(comparison.score.size(), targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& score = comparison.score[i];
    if (!sampled) EXPECT_EQ(score.has_value(), targets.fits(i, request)) << "target " << i;
    if (score && (!best || *score > *comparison.score[best->value])) best = NodeId{i};
  }
  return best;
}

class SchedulerOracle : public testing::TestWithParam<std::string> {};

TEST_P(SchedulerOracle, PicksWhatAScanFinds) {
  const std::uint64_t wanted = oracle_decisions();
  const std::vector<std::size_t> sizes = {1, 7, 16, 17, 40, 100, 257};
  std::uint64_t decisions = 0, found = 0;
  for (std::uint64_t seed = 1; decisions < wanted; ++seed) {
    FillingTargets targets(sizes[seed % sizes.size()], seed);
    const auto scheduler = std::move(*make_policy(scheduler_policies(), {GetParam(), {}}));
    Rng rng(seed);
    for (int i = 0; i < 2000 && decisions < wanted; ++i, ++decisions) {
      const Request request = targets.request();
      const Comparison comparison = scheduler->compare(request, targets.index, rng);
      const auto expected = scanned(targets, request, comparison, GetParam() == "two_choices");
      const auto picked = scheduler->pick(request, targets.index, rng);
      ASSERT_EQ(picked, expected) << "seed " << seed << " decision " << i;
      ASSERT_FALSE(HasNonfatalFailure()) << "seed " << seed << " decision " << i;
      if (picked) targets.take(picked->value, request);
      found += picked.has_value();
      targets.pass_time(picked.has_value());
    }
  }
  EXPECT_GT(found, wanted / 2) << "too little happened to mean anything";
  EXPECT_LT(found, wanted) << "nothing was ever full";
  std::printf("%s: %llu decisions, 0 differ from the scan\n", GetParam().c_str(),
              static_cast<unsigned long long>(decisions));
}

/// As many targets as make the index use all its rows and columns, with few looks at each of them.
TEST_P(SchedulerOracle, AmongManyTargetsToo) {
  std::vector<std::size_t> sizes = {5'000};
  if (oracle_decisions() > 100'000) sizes.push_back(40'000);
  for (const std::size_t size : sizes) {
    FillingTargets targets(size, 3);
    const auto scheduler = std::move(*make_policy(scheduler_policies(), {GetParam(), {}}));
    Rng rng(size);
    scheduler->pick(targets.request(), targets.index, rng);  // From now on what this one asks is kept.
    for (std::size_t i = 0; i < size * 8; ++i) {
      const Request request = targets.request();
      const std::size_t drawn = rng.below(size);
      if (targets.fits(drawn, request)) targets.take(drawn, request);
      targets.pass_time(i % 2 == 0);
    }
    for (int i = 0; i < 20; ++i) {
      const Request request = targets.request();
      const auto expected = scanned(targets, request, scheduler->compare(request, targets.index, rng),
                                    GetParam() == "two_choices");
      const auto picked = scheduler->pick(request, targets.index, rng);
      ASSERT_EQ(picked, expected) << size << " targets, decision " << i;
      if (picked) targets.take(picked->value, request);
      targets.pass_time(picked.has_value());
    }
  }
}

std::vector<std::string> indexed_schedulers() {
  std::vector<std::string> names;
  for (const auto& entry : scheduler_policies()) names.emplace_back(entry.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, SchedulerOracle, testing::ValuesIn(indexed_schedulers()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace duet::test
