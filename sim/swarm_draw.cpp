#include "sim/swarm_draw.h"

#include <algorithm>
#include <string>

#include "core/math.h"
#include "core/policy.h"
#include "sim/check_bounds.h"
#include "sim/swarm_draw_parts.h"

namespace duet::sim {
namespace drawing {

Duration log_uniform(Rng& rng, std::int64_t low, std::int64_t high) {
  const double span = math::log(static_cast<double>(high) / static_cast<double>(low));
  const double ns = static_cast<double>(low) * math::exp(span * rng.unit());
  return Duration(static_cast<std::int64_t>(ns) / 1000 * 1000);
}

Mix draw_mix(Rng rng) {
  const bool all = rng.chance(1, 2);
  const auto coin = [&] {
    const bool heads = rng.chance(1, 2);
    return all || heads;
  };
  Mix mix{};
  for (bool* flag :
       {&mix.crashes, &mix.loops, &mix.dead_nodes, &mix.cancels, &mix.drains, &mix.loss, &mix.duplicates,
        &mix.delays, &mix.gangs, &mix.bags, &mix.shares, &mix.exclusive, &mix.memory, &mix.operations,
        &mix.failures, &mix.timeouts, &mix.estimates, &mix.latency, &mix.commit})
    *flag = coin();
  mix.crowded = rng.chance(1, 5);
  for (bool* flag : {&mix.dags, &mix.services, &mix.backoffs, &mix.own_schedulers}) *flag = coin();
  for (bool* flag : {&mix.partitions, &mix.storms, &mix.skews, &mix.deaths, &mix.store_delays,
                     &mix.store_failures, &mix.slow_nodes})
    *flag = coin();
  mix.pools = rng.chance(1, 4);
  mix.agent_restarts = coin();
  mix.stuck_nodes = coin();
  const bool troubled = !rng.chance(1, 16);
  mix.health = coin();
  if (!troubled)
    for (bool* trouble :
         {&mix.crashes, &mix.loops, &mix.dead_nodes, &mix.cancels, &mix.drains, &mix.loss, &mix.duplicates,
          &mix.delays, &mix.partitions, &mix.storms, &mix.skews, &mix.deaths, &mix.store_delays,
          &mix.store_failures, &mix.slow_nodes, &mix.agent_restarts, &mix.stuck_nodes, &mix.health})
      *trouble = false;
  return mix;
}

Draw::Draw(std::uint64_t seed) : root_(Rng(seed).fork("swarm")), mix_(draw_mix(root_.fork("mix"))) {
  out_.seed = seed;
  out_.controller.seed = seed;
  out_.name = "swarm-" + std::to_string(seed);
}

Scenario Draw::make() {
  policies();
  cluster();
  knobs();
  Rng rng = root_.fork("chaos");
  chaos_ = log_uniform(rng, 2 * kSecond, 100 * kSecond);
  faults();
  lasting_faults();
  drains();
  network();
  jobs();
  cancels();
  repetitions();
  sickness();
  const auto by_time = [](const auto& a, const auto& b) { return a.at < b.at; };
  std::stable_sort(out_.faults.begin(), out_.faults.end(), by_time);
  std::stable_sort(out_.events.begin(), out_.events.end(), by_time);
  set_horizon(out_);
  return std::move(out_);
}

void Draw::policies() {
  Rng rng = root_.fork("policies");
  const auto queues = queue_policies();
  const auto schedulers = scheduler_policies();
  out_.controller.queue.name = queues[rng.below(queues.size())].name;
  out_.controller.scheduler.name = schedulers[rng.below(schedulers.size())].name;
  // These two refuse what they cannot count.
  if (out_.controller.queue.name == "easy") mix_.exclusive = mix_.memory = false;
  if (out_.controller.queue.name == "easy_machines")
    mix_.bags = mix_.dags = mix_.services = mix_.own_schedulers = mix_.pools = false;
  // Ranks that follow what was learned would be anybody's guess.
  const auto estimators = estimator_policies();
  const std::string drawn(estimators[rng.below(estimators.size())].name);
  if (out_.controller.queue.name != "sjf") out_.controller.estimator.name = drawn;
}

void Draw::cluster() {
  Rng rng = root_.fork("cluster");
  // Small clusters more often than large ones: nearly all faults need few nodes.
  const auto most = static_cast<std::uint64_t>(rng.between(1, mix_.crowded ? 2 : 7));
  const auto nodes = static_cast<std::uint32_t>(1 + rng.below(most));
  const bool alike = rng.chance(1, 2) || out_.controller.queue.name == "easy";
  const std::uint32_t types = alike ? 1 : 2;
  for (std::uint32_t i = 0; i < types; ++i) {
    NodeType type;
    type.name = "type" + std::to_string(i);
    type.offer.cores = static_cast<std::uint32_t>(rng.between(1, rng.chance(1, 2) ? 2 : 8));
    type.offer.threads_per_core = rng.chance(1, 3) ? 2 : 1;
    if (mix_.crowded) {
      type.offer.cores = static_cast<std::uint32_t>(rng.between(2, 3));
      type.offer.threads_per_core = 2;
    }
    type.offer.capacity.cpu_m = kThread * type.offer.threads();
    type.offer.capacity.memory_bytes = kMiB * rng.between(64, 256) * (mix_.crowded ? 8 : 1);
    type.smt_yield = type.offer.threads_per_core;
    out_.node_types.push_back(std::move(type));
  }
  for (std::uint32_t i = 0; i < nodes; ++i) {
    const auto type = static_cast<std::uint32_t>(rng.below(types));
    out_.nodes.push_back({"node" + std::to_string(i), type});
    out_.controller.inventory.push_back(out_.nodes.back().name);
  }
}

void Draw::knobs() {
  Rng rng = root_.fork("knobs");
  if (mix_.latency) out_.latency = log_uniform(rng, kMs / 10, 50 * kMs);
  if (mix_.commit) out_.commit_delay = log_uniform(rng, kMs / 10, 20 * kMs);
  out_.agent.heartbeat = log_uniform(rng, kSecond / 2, 10 * kSecond);
  out_.agent.resend_after = log_uniform(rng, kSecond / 5, 10 * kSecond);
  out_.agent.kill_grace = log_uniform(rng, kSecond / 10, 10 * kSecond);
  out_.controller.resend_after = out_.agent.resend_after;
  Rng gray = root_.fork("gray");
  if (gray.chance(1, 2)) out_.controller.stuck_after = static_cast<std::uint32_t>(gray.between(1, 5));
  Rng brake = root_.fork("brake");
  if (brake.chance(1, 4))
    out_.controller.mass_loss = {static_cast<std::uint32_t>(brake.between(1, 60)),
                                 log_uniform(brake, kSecond, 60 * kSecond),
                                 log_uniform(brake, kSecond, 20 * kSecond)};
  if (rng.chance(1, 4)) out_.controller.max_losses = static_cast<std::uint32_t>(rng.between(0, 3));
  // In whole milliseconds, and never so tight that a healthy node is suspect between two heartbeats.
  const std::int64_t beat = to_ns(out_.agent.heartbeat) / kMs + 1;
  const std::int64_t suspect = beat + beat * rng.between(1, 3) / 2 + 110;
  const std::int64_t dead = suspect + beat * rng.between(0, 4) / 2;
  out_.controller.detector.params.items = {{"dead_after_s", static_cast<double>(dead) / 1e3},
                                           {"suspect_after_s", static_cast<double>(suspect) / 1e3}};
}

}  // namespace drawing

void set_horizon(Scenario& scenario) {
  const Promise promise = promise_of(scenario, list_arrivals(scenario));
  if (promise.done_by == kNever)
    scenario.horizon.reset();
  else
    scenario.horizon = promise.done_by;
}

Scenario draw_scenario(std::uint64_t seed) { return drawing::Draw(seed).make(); }

}  // namespace duet::sim
