// How the swarm draws a scenario, one part after the other; each from a stream of its own, so that a change
// of one part moves no other.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "sim/scenario.h"

namespace duet::sim::drawing {

inline constexpr std::int64_t kMs = 1'000'000;
inline constexpr std::int64_t kSecond = 1'000 * kMs;

/// A duration between `low` and `high` nanoseconds whose logarithm is uniform, in whole microseconds.
Duration log_uniform(Rng& rng, std::int64_t low, std::int64_t high);

/// What may happen under this seed.
struct Mix {
  bool crashes, loops, dead_nodes, cancels, drains, loss, duplicates, delays;
  bool gangs, bags, shares, exclusive, memory, operations, failures, timeouts, estimates, latency, commit;
  bool partitions, storms, skews, deaths, store_delays, store_failures, slow_nodes;
  bool dags, services, backoffs, own_schedulers, pools, agent_restarts, stuck_nodes, health;
  bool crowded;  ///< Few cores of two threads, and small tasks of all kinds side by side on them.
};

Mix draw_mix(Rng rng);

class Draw {
 public:
  explicit Draw(std::uint64_t seed);
  Scenario make();

 private:
  Instant within_chaos(Rng& rng) { return instant_ns(rng.between(0, to_ns(chaos_) / 1000) * 1000); }

  void policies();
  void cluster();
  void knobs();
  void faults();
  void lasting_faults();
  void last(Rng& rng, Fault fault, std::int64_t most_ns);
  MessageFaults messages(Rng& rng) const;
  void drains();
  void sickness();
  void network();
  void jobs();
  void cancels();
  void repetitions();
  TaskSpec task(Rng& rng, std::int64_t shortest_ns = 10 * kMs);
  void make_dag(JobSpec& job, Rng& rng);
  void make_service(JobSpec& job, Instant submitted, Rng& rng, const std::vector<bool>& survives);
  void make_pool(std::vector<Arrival>& arrivals, const std::vector<bool>& survives);
  void make_operations(JobSpec& job, Instant submitted);
  void add_health(JobSpec& job, Rng rng) const;
  void fit(JobSpec& job, const std::vector<bool>& survives) const;

  Rng root_;
  Mix mix_;
  Scenario out_;
  Duration chaos_{0};  ///< All trouble ends by then.
  Instant pool_ends_;  ///< When the pool's workers are ended, if there is one.
};

}  // namespace duet::sim::drawing
