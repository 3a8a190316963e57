// What the swarm draws of trouble: faults, requests that drain nodes, an unreliable network.
#include <algorithm>
#include <string>

#include "sim/swarm_draw_parts.h"

namespace duet::sim::drawing {

void Draw::faults() {
  if (!mix_.crashes && !mix_.loops && !mix_.dead_nodes) return;
  Rng rng = root_.fork("faults");
  // Whoever stays: at least this one is there in the end.
  const std::uint64_t anchor = rng.below(out_.nodes.size());
  for (std::uint32_t node = 0; node < out_.nodes.size(); ++node) {
    Rng own = root_.fork("faults of " + out_.nodes[node].name);
    const bool looping = mix_.loops && own.chance(1, 6);
    const bool dies = mix_.dead_nodes && own.chance(1, 5) && node != anchor;
    const std::int64_t crashes = looping ? own.between(3, 8) : mix_.crashes ? own.between(0, 2) : 0;
    Instant at = within_chaos(own);
    for (std::int64_t i = 0; i < crashes; ++i) {
      const Duration down = looping ? log_uniform(own, kMs, 500 * kMs) : log_uniform(own, kMs, 60 * kSecond);
      const Instant back = std::min(at + down, instant_ns(to_ns(chaos_)));
      if (back <= at) break;
      out_.faults.push_back({.at = at, .kind = Fault::Kind::kCrash, .node = node});
      out_.faults.push_back({.at = back, .kind = Fault::Kind::kRestart, .node = node});
      at = back + log_uniform(own, kMs, looping ? 2 * kSecond : 30 * kSecond);
    }
    if (dies && at < instant_ns(to_ns(chaos_)))
      out_.faults.push_back({.at = at, .kind = Fault::Kind::kCrash, .node = node});
  }
}

/// The fault, at some time and for some time, at most `most_ns`; it is over when the chaos is.
void Draw::last(Rng& rng, Fault fault, std::int64_t most_ns) {
  fault.at = within_chaos(rng);
  fault.until = std::min(fault.at + log_uniform(rng, kMs, most_ns), instant_ns(to_ns(chaos_)));
  if (fault.at < fault.until) out_.faults.push_back(std::move(fault));
}

void Draw::lasting_faults() {
  using Kind = Fault::Kind;
  const auto some = [&](bool on, const char* name, auto&& draw) {
    if (!on) return;
    Rng rng = root_.fork(name);
    const std::int64_t times = rng.between(1, 3);
    for (std::int64_t i = 0; i < times; ++i) draw(rng);
  };
  const auto some_nodes = [&](Rng& rng) {
    std::vector<std::uint32_t> nodes;
    const std::uint64_t surely = rng.below(out_.nodes.size());
    for (std::uint32_t node = 0; node < out_.nodes.size(); ++node) {
      const bool chosen = rng.chance(1, 3);
      if (chosen || node == surely) nodes.push_back(node);
    }
    return nodes;
  };
  const auto any_node = [&](Rng& rng) { return static_cast<std::uint32_t>(rng.below(out_.nodes.size())); };
  some(mix_.partitions, "partitions", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kPartition, .nodes = some_nodes(rng)};
    fault.direction = static_cast<Fault::Direction>(rng.below(3));
    last(rng, std::move(fault), 60 * kSecond);
  });
  some(mix_.storms, "storms", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kNetwork, .nodes = some_nodes(rng)};
    fault.messages = messages(rng);
    last(rng, std::move(fault), 60 * kSecond);
  });
  some(mix_.skews, "skews", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kClockSkew, .node = any_node(rng)};
    const std::int64_t off = rng.chance(1, 2) ? 500'000 : 10'000;
    fault.rate_ppm = static_cast<std::uint32_t>(1'000'000 + rng.between(-off, 2 * off));
    if (rng.chance(1, 3)) fault.delay = log_uniform(rng, kMs, 20 * kSecond);
    last(rng, std::move(fault), 100 * kSecond);
  });
  // The loop engine does not know of shares that crowd a slow thread.
  some(mix_.slow_nodes && !(mix_.shares && mix_.operations), "slow nodes", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kSlowNode, .node = any_node(rng)};
    fault.factor = static_cast<double>(rng.between(8, 160)) / 8;
    last(rng, std::move(fault), 60 * kSecond);
  });
  some(mix_.agent_restarts, "agent restarts", [&](Rng& rng) {
    last(rng, {.at = {}, .kind = Kind::kAgentRestart, .node = any_node(rng)}, 20 * kSecond);
  });
  some(mix_.stuck_nodes, "stuck nodes", [&](Rng& rng) {
    last(rng, {.at = {}, .kind = Kind::kStuckNode, .node = any_node(rng)}, 60 * kSecond);
  });
  some(mix_.deaths, "deaths",
       [&](Rng& rng) { last(rng, {.at = {}, .kind = Kind::kControllerRestart}, 20 * kSecond); });
  some(mix_.store_delays, "store delays", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kStoreDelay};
    fault.delay = log_uniform(rng, kMs, 5 * kSecond);
    last(rng, std::move(fault), 30 * kSecond);
  });
  some(mix_.store_failures, "store failures",
       [&](Rng& rng) { last(rng, {.at = {}, .kind = Kind::kStoreFailure}, 20 * kSecond); });
}

/// Attempts of some jobs with health checks fail them for a while.
void Draw::sickness() {
  Rng rng = root_.fork("sickness");
  if (!mix_.health) return;
  for (const Arrival& arrival : std::get<std::vector<Arrival>>(out_.workload)) {
    Rng own = rng.fork(arrival.spec->key);
    if (!arrival.spec->groups.front().spec.work.health || !own.chance(1, 2)) continue;
    Fault fault{.at = {}, .kind = Fault::Kind::kUnhealthy, .job = arrival.spec->key};
    if (own.chance(1, 2)) fault.task = static_cast<std::uint32_t>(own.below(4));
    fault.new_attempts = own.chance(1, 2);
    last(own, std::move(fault), 60 * kSecond);
  }
}

void Draw::drains() {
  if (!mix_.drains) return;
  Rng rng = root_.fork("drains");
  using Kind = OperatorEvent::Kind;
  for (std::uint32_t node = 0; node < out_.nodes.size(); ++node) {
    if (!rng.chance(1, 3)) continue;
    const Instant at = within_chaos(rng);
    out_.events.push_back({at, rng.chance(1, 2) ? Kind::kEvict : Kind::kDrain, "", node});
    const Duration gap = log_uniform(rng, kMs, 30 * kSecond);
    out_.events.push_back({std::min(at + gap, instant_ns(to_ns(chaos_))), Kind::kUndrain, "", node});
  }
}

MessageFaults Draw::messages(Rng& rng) const {
  MessageFaults messages;
  const auto probability = [&](bool on, std::int64_t most_ppm) {
    const std::int64_t drawn = rng.between(1'000, most_ppm);
    return static_cast<std::uint32_t>(on ? drawn : 0);
  };
  messages.loss_ppm = probability(mix_.loss, 300'000);
  messages.duplicate_ppm = probability(mix_.duplicates, 500'000);
  messages.delay_ppm = probability(mix_.delays, 500'000);
  if (mix_.delays) messages.max_delay = log_uniform(rng, kMs, 32 * kSecond);
  return messages;
}

void Draw::network() {
  Rng rng = root_.fork("network");
  static_cast<MessageFaults&>(out_.network) = messages(rng);
  if (out_.network.any()) out_.network.until = instant_ns(to_ns(chaos_));
}

}  // namespace duet::sim::drawing
