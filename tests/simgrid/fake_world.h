// A world that plays a script: what to start and cancel when, and what to do at each end. It checks the
// engine's promises (instants ascend, nothing due is late, ends are of running executions) and writes down
// what happened.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sim/engine.h"

namespace duet::sim {

class FakeWorld final : public World {
 public:
  explicit FakeWorld(Engine& engine) : engine_(engine) {}

  /// Calls `act` at `instant`.
  void at(std::int64_t ns, std::function<void()> act) { script_.emplace(instant_ns(ns), std::move(act)); }

  void start(ExecId id, std::uint32_t node, std::vector<std::uint32_t> threads, std::int64_t operations) {
    ThreadSet set;
    for (const auto thread : threads) set.insert(thread);
    start(id, node, set, static_cast<std::uint32_t>(threads.size()), operations);
  }
  void start(ExecId id, std::uint32_t node, const ThreadSet& set, std::uint32_t width,
             std::int64_t operations) {
    start(ExecSpec{.id = id, .node = node, .threads = set, .width = width, .operations = operations});
  }
  void start(const ExecSpec& spec) {
    if (spec.id >= running_.size()) running_.resize(spec.id + 1);
    EXPECT_FALSE(running_[spec.id]);
    running_[spec.id] = true;
    ++running_count_;
    engine_.start(spec);
  }
  void cancel(ExecId id) {
    if (!is_running(id)) return;
    running_[id] = false;
    --running_count_;
    engine_.cancel(id);
  }
  bool is_running(ExecId id) const { return id < running_.size() && running_[id]; }
  Instant now() const { return now_; }

  Instant next_due() const override { return script_.empty() ? kNever : script_.begin()->first; }

  void play(Instant now, std::span<const ExecId> ended) override {
    EXPECT_GT(now, now_);
    EXPECT_LE(now, next_due());
    EXPECT_FALSE(over());
    now_ = now;
    ++plays;
    log += std::to_string(to_ns(now)) + ":";
    for (const ExecId id : ended) {
      EXPECT_TRUE(is_running(id)) << id;
      running_[id] = false;
      --running_count_;
      ends[id].push_back(to_ns(now));
      log += " " + std::to_string(id);
    }
    log += "\n";
    if (on_ended) {
      std::vector<ExecId> ordered(ended.begin(), ended.end());
      std::sort(ordered.begin(), ordered.end());
      for (const ExecId id : ordered) on_ended(id);
    }
    while (next_due() == now) {
      const auto act = std::move(script_.begin()->second);
      script_.erase(script_.begin());
      act();
    }
    if (on_played) on_played();
  }

  bool over() const override { return stop || (script_.empty() && running_count_ == 0); }

  std::function<void(ExecId)> on_ended;
  std::function<void()> on_played;
  std::map<ExecId, std::vector<std::int64_t>> ends;  ///< Instants in ns, by execution.
  std::string log;                                   ///< A line for each play(): instant, ended executions.
  std::uint64_t plays = 0;
  bool stop = false;

 private:
  Engine& engine_;
  std::multimap<Instant, std::function<void()>> script_;  // of one instant: in the order of at()
  std::vector<bool> running_;
  std::size_t running_count_ = 0;
  Instant now_ = instant_ns(-1);
};

inline NodeType node_type(std::uint32_t cores, std::uint32_t threads_per_core, std::vector<double> speed,
                          double yield) {
  NodeType type;
  type.name = "type";
  type.offer.cores = cores;
  type.offer.threads_per_core = threads_per_core;
  type.offer.capacity.cpu_m = kThread * type.offer.threads();
  type.speed = std::move(speed);
  type.smt_yield = yield;
  return type;
}

/// A laptop's processor: four cores, two threads each, turbo by busy cores, a second thread adds a quarter.
inline NodeType laptop_type(std::uint32_t cores = 4) {
  return node_type(cores, 2, {4.2e9, 4.0e9, 3.8e9}, 1.25);
}

inline Scenario scenario_of(NodeType type, std::uint32_t nodes = 1) {
  Scenario scenario;
  scenario.node_types.push_back(std::move(type));
  for (std::uint32_t i = 0; i < nodes; ++i) scenario.nodes.push_back({"node" + std::to_string(i), 0});
  return scenario;
}

/// Reproducible numbers, so that both runs of a comparison do the same.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {  // splitmix64
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace duet::sim
