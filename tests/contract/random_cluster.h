// Random clusters and queues for the contract tests: small, but of every shape.
#pragma once

#include <string>
#include <vector>

#include "core/plan.h"
#include "core/rng.h"
#include "tests/harness/builders.h"

namespace duet::test {

/// Nodes of up to three shapes, partly loaded, a few of them not usable.
struct RandomCluster {
  RandomCluster(std::uint64_t seed, bool identical, bool only_cpu) : rng(seed) {
    const std::uint64_t nodes = 1 + rng.below(12);
    const auto same = static_cast<std::uint32_t>(1 + rng.below(6));
    for (std::uint64_t n = 0; n < nodes; ++n) {
      const auto other = static_cast<std::uint32_t>(1 + rng.below(6));
      const auto siblings = static_cast<std::uint32_t>(1 + rng.below(2));
      Shape shape = Shape(identical ? same : other).threads_per_core(only_cpu ? 1 : siblings);
      if (!only_cpu) shape = std::move(shape).memory(1000).count(0, 4);
      const NodeId id = cluster.add("n" + std::to_string(n));
      cluster.set_offer(id, shape.offer());
      cluster.node(id).state = rng.chance(1, 8) ? NodeState::kSuspect : NodeState::kReady;
      cluster.refresh(id);
    }
    std::uint64_t job = 1'000'000;
    for (std::uint64_t n = rng.below(2 * nodes); n > 0; --n) {
      const NodeId id{rng.below(nodes)};
      const Request r = request(only_cpu);
      if (!cluster.node(id).room.fits(r)) continue;
      cluster.take(id, r);
      Resources charge = r.need;
      if (r.exclusive) charge.cpu_m = cluster.index().target(id).slot_cpu_m;
      const Instant end = rng.chance(1, 5) ? kNever : instant_ns(rng.between(-5, 40));
      releases.insert({end, TaskId{JobId{++job}, 0}, id, charge});
    }
  }

  Request request(bool only_cpu) {
    Request r;
    r.need.cpu_m = rng.chance(1, 3) ? 250 * rng.between(1, 9) : kThread * rng.between(1, 4);
    if (only_cpu) return r;
    r.exclusive = rng.chance(1, 4);
    if (r.exclusive) r.need.cpu_m = 0;
    if (rng.chance(1, 2)) r.need.memory_bytes = rng.between(0, 700);
    if (rng.chance(1, 4)) r.need.count[0] = static_cast<std::int32_t>(rng.between(0, 3));
    return r;
  }

  Waiting waiting(std::uint64_t job, bool only_cpu, bool only_rigid) {
    Waiting w;
    w.job = JobId{job};
    w.request = request(only_cpu);
    w.width = static_cast<std::uint32_t>(1 + rng.below(5));
    w.together = only_rigid || rng.chance(2, 3);
    if (rng.chance(3, 4)) w.estimate = Duration(rng.between(1, 40));
    w.priority = static_cast<std::int32_t>(rng.between(-2, 2));
    return w;
  }

  Rng rng;
  Cluster cluster;
  Releases releases;
};

}  // namespace duet::test
