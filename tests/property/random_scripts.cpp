// Random clusters, jobs and misfortunes in the harness: whatever goes wrong, every accepted job ends exactly
// once, nothing runs twice, and no two attempts ever share a thread.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "core/lifecycle.h"
#include "tests/harness/harness.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

struct Script {
  std::uint64_t seed;
  bool faults;
  bool bad_links;
  bool new_controllers;
};

Duration some_time(Rng& rng) { return std::chrono::milliseconds(rng.between(0, 90'000)); }

JobBuilder some_job(Rng& rng, bool backfilling) {
  // Every job fits into one empty node of six threads: what never fits would wait, and block, for ever.
  const std::int64_t width = rng.between(1, 3);
  JobBuilder b = job("j").cores(rng.between(1, 6 / width)).tasks(static_cast<std::uint32_t>(width));
  b = b.runs(std::chrono::milliseconds(rng.between(0, 20'000)));
  b = b.retries(static_cast<std::uint32_t>(rng.between(0, 3)))
          .fails(static_cast<std::uint32_t>(rng.between(0, 2)));
  if (rng.chance(1, 3)) b = b.only_task(static_cast<std::uint32_t>(rng.between(0, 2))).after(2s);
  if (rng.chance(1, 2)) b = b.estimate(std::chrono::milliseconds(rng.between(1, 20'000)));
  if (rng.chance(1, 5)) b = b.timeout(3s);
  if (rng.chance(1, 6)) b = b.stubborn();
  if (rng.chance(1, 6)) b = b.obliging();
  if (rng.chance(1, 3)) b = b.priority(static_cast<std::int32_t>(rng.between(-2, 2)));
  if (backfilling) return b;
  if (rng.chance(1, 3)) b = b.bag().tasks(static_cast<std::uint32_t>(rng.between(1, 8)));
  if (rng.chance(1, 5)) b = b.exclusive();
  return b;
}

void add_faults(Harness& h, Rng& rng, std::uint32_t nodes) {
  for (std::int64_t n = rng.between(0, 4); n > 0; --n) {
    const auto node = static_cast<std::uint32_t>(rng.below(nodes));
    const Duration t = some_time(rng);
    const Duration away = std::chrono::milliseconds(rng.between(0, 60'000));
    switch (rng.below(4)) {
      case 0:
        h.at(t).restart(node);
        break;
      case 1:
        h.at(t).cut(node), h.at(t + away).heal(node);
        break;
      case 2:
        h.at(t).drain(node, rng.chance(1, 2)), h.at(t + away).undrain(node);
        break;
      default:
        h.at(t).crash(node), h.at(100s + away).boot(node);
        break;
    }
  }
}

/// Every letter's fate by its own number: lost, doubled, late, or as usual.
Harness::Fate bad_link(std::uint64_t seed) {
  return [seed](const Letter& letter) -> std::vector<Duration> {
    const std::uint64_t draw = keyed_draw(seed, letter.node, letter.number);
    const Duration late = std::chrono::microseconds(draw / 16 % 7'000'000);
    if (letter.sent > Instant(200s)) return {0s};  // Healed: now everything must come to an end.
    switch (draw % 16) {
      case 0:
        return {};
      case 1:
        return {0s, late};
      case 2:
        return {late};
      default:
        return {0s};
    }
  };
}

Harness play(const Script& script) {
  Rng rng(script.seed);
  static constexpr const char* kQueues[] = {"fcfs", "sjf", "priority", "easy", "easy_machines"};
  const std::uint64_t queue = rng.below(5);
  const auto nodes = static_cast<std::uint32_t>(rng.between(1, 5));
  const auto siblings = static_cast<std::uint32_t>(rng.between(1, 2));
  const auto schedulers = scheduler_policies();
  const std::uint64_t scheduler = rng.below(schedulers.size());
  Harness h(cluster()
                .nodes(nodes, Shape(6 / siblings).threads_per_core(siblings))
                .queue(kQueues[queue])
                .scheduler(std::string(schedulers[scheduler].name))
                .kill_grace(4s)
                .latency(rng.chance(1, 2) ? Duration{0}
                                          : Duration{std::chrono::milliseconds(rng.between(1, 400))}));
  if (script.bad_links) h.fate(bad_link(script.seed));
  const std::int64_t jobs = rng.between(1, 12);
  for (std::int64_t j = 0; j < jobs; ++j) {
    const Duration t = some_time(rng);
    h.at(t).submit(some_job(rng, queue >= 3));
  }
  for (std::int64_t n = rng.between(0, 3); n > 0; --n) {
    const Duration t = some_time(rng);
    h.at(t).cancel(static_cast<std::uint64_t>(rng.between(1, jobs)));
  }
  if (script.faults) add_faults(h, rng, nodes);
  if (script.new_controllers)
    for (std::int64_t n = rng.between(1, 3); n > 0; --n) h.at(some_time(rng)).replace_controller();
  h.run();
  return h;
}

std::map<TaskId, std::uint32_t> attempts_started(const Harness& h) {
  std::map<TaskId, std::uint32_t> all;
  for (const auto& [attempt, n] : h.starts()) all[attempt.task] += n;
  return all;
}

void expect_conserved(const Harness& h) {
  std::multiset<std::uint64_t> accepted, ended;
  for (const JobId id : h.accepted()) accepted.insert(id.value);
  for (const auto& [id, state] : h.ended()) ended.insert(id.value);
  EXPECT_EQ(ended, accepted) << "every accepted job ends exactly once";
  for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U) << "an attempt was started twice";
  EXPECT_EQ(h.collisions(), Lines{});
  EXPECT_EQ(h.store().jobs() + h.store().tasks(), 0U);
  EXPECT_EQ(h.controller().waiting(), 0U);
  EXPECT_EQ(h.controller().jobs().live(), 0U);
  const Cluster& all = h.controller().cluster();
  for (std::uint64_t n = 0; n < all.size(); ++n) {
    const ClusterNode& node = all.node(NodeId{n});
    EXPECT_TRUE(node.tasks.empty());
    if (!node.known) continue;  // Its registration never came through.
    EXPECT_EQ(all.index().target(NodeId{n}).tasks, 0U) << "a task is still counted on n" << n;
    EXPECT_EQ(node.room, (Room{node.offer.capacity, node.offer.cores})) << "room leaked on n" << n;
  }
}

class RandomScripts : public testing::TestWithParam<Script> {};

TEST_P(RandomScripts, EveryJobEndsOnce) {
  Script script = GetParam();
  for (std::uint64_t i = 0; i < 600; ++i, ++script.seed) {
    SCOPED_TRACE("seed " + std::to_string(script.seed));
    try {
      const Harness h = play(script);
      expect_conserved(h);
      const bool undisturbed = !script.faults && !script.bad_links && !script.new_controllers;
      for (const auto& [task, n] : attempts_started(h))
        EXPECT_TRUE(n <= 4 || !undisturbed) << "at most 3 retries";
    } catch (const std::exception& problem) {
      FAIL() << problem.what();
    }
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RandomScripts,
                         testing::Values(Script{1, false, false, false}, Script{10'001, true, false, false},
                                         Script{20'001, false, true, false},
                                         Script{30'001, false, false, true},
                                         Script{40'001, true, true, false}, Script{50'001, true, true, true}),
                         [](const auto& instance) { return "From" + std::to_string(instance.param.seed); });

TEST(RandomScriptsRepeat, TheSameScriptTwiceIsTheSame) {
  for (std::uint64_t seed = 70'001; seed <= 70'040; ++seed) {
    const Script script{seed, true, true, true};
    EXPECT_EQ(play(script).lines(), play(script).lines()) << "seed " << seed;
  }
}

TEST(PendingProperty, OrderedByRankThenJobThenGroupWhateverTheOrderOfArrival) {
  Rng rng(11);
  Pending pending;
  std::map<std::tuple<std::int64_t, std::uint64_t, std::uint32_t>, std::uint32_t> plain;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t rank = rng.between(-3, 3);
    const JobId job{static_cast<std::uint64_t>(rng.between(1, 40))};
    const auto group = static_cast<std::uint32_t>(rng.below(3));
    if (rng.chance(1, 2)) {
      Waiting w;
      w.job = job;
      w.group = group;
      w.width = static_cast<std::uint32_t>(i);
      if (pending.find(rank, job, group) == nullptr) {
        pending.add(rank, w);
        plain[{rank, job.value, group}] = w.width;
      }
    } else {
      pending.remove(rank, job, group);
      plain.erase({rank, job.value, group});
    }
    ASSERT_EQ(pending.size(), plain.size());
    if (i % 100 != 0) continue;
    auto expected = plain.begin();
    for (const auto& [key, w] : pending.map()) {
      ASSERT_EQ(w.job.value, std::get<1>(expected->first));
      ASSERT_EQ(w.width, expected->second);
      ++expected;
    }
  }
}

}  // namespace
}  // namespace duet::test
