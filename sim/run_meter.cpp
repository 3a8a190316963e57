#include "sim/run_meter.h"

#include <algorithm>
#include <cmath>

#include "sim/engine.h"

namespace duet::sim {
namespace {

double span_s(Instant from, Instant to) { return static_cast<double>(to_ns(to - from)) / 1e9; }

}  // namespace

CapacityMeter::CapacityMeter(const Scenario& scenario) : nodes_(scenario.nodes.size()) {
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const NodeOffer& offer = scenario.node_types[scenario.nodes[i].type].offer;
    nodes_[i].free_m = kThread * static_cast<std::int64_t>(offer.threads());
    largest = std::max(largest, nodes_[i].free_m);
  }
  // Steps that whole threads are multiples of, or that are multiples of whole threads.
  const std::int64_t least = (largest + 1023) / 1024;
  for (const std::int64_t step : {1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100, 125, 200, 250, 500, 1000})
    if (step_m_ = step; step >= least) break;
  if (step_m_ < least) step_m_ = (least + kThread - 1) / kThread * kThread;
}

std::size_t CapacityMeter::step_of(std::int64_t m) const {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(m / step_m_, 0, kSteps - 1));
}

void CapacityMeter::integrate(Instant now) {
  const double span = span_s(since_, now);
  waited_s_ += span;
  if (free_m_ > 0)
    unusable_share_s_ += span * static_cast<double>(unusable_m_) / static_cast<double>(free_m_);
}

void CapacityMeter::count_free(const NodeFree& node, int sign) {
  const std::int64_t free = sign * node.free_m;
  const std::size_t step = step_of(node.free_m);
  free_m_ += free;
  free_by_step_[step] += free;
  if (step < smallest_) unusable_m_ += free;
}

void CapacityMeter::turn(std::uint32_t node, bool on) {
  if (nodes_[node].on == on) return;
  nodes_[node].on = on;
  count_free(nodes_[node], on ? 1 : -1);
}

void CapacityMeter::take(std::uint32_t node, std::int64_t cpu_m) {
  NodeFree& one = nodes_[node];
  if (one.on) count_free(one, -1);
  one.free_m -= cpu_m;
  if (one.on) count_free(one, 1);
}

void CapacityMeter::set_smallest(std::size_t step) {
  for (; smallest_ < step; ++smallest_) unusable_m_ += free_by_step_[smallest_];
  for (; smallest_ > step; --smallest_) unusable_m_ -= free_by_step_[smallest_ - 1];
}

void CapacityMeter::wait(std::uint32_t need_m, std::int64_t tasks) {
  if (tasks == 0) return;
  const std::size_t step = step_of(need_m);
  // While nothing waits, the last need stands: mostly the next one is like it.
  if (waiting_ == 0) set_smallest(step);
  waiting_ += tasks;
  waiting_by_step_[step] += tasks;
  if (waiting_ == 0) return;
  if (tasks > 0 && step < smallest_) return set_smallest(step);
  std::size_t smallest = smallest_;
  while (waiting_by_step_[smallest] == 0) ++smallest;
  set_smallest(smallest);
}

std::uint16_t PoolMeters::named(const std::string& name) {
  const auto [at, fresh] = names_.try_emplace(name, static_cast<std::uint16_t>(pools_.size()));
  if (fresh) pools_.emplace_back();
  return at->second;
}

void PoolMeters::advance(PoolMeter& pool, Instant now) {
  if (pool.open && now > pool.since) {
    const double span = span_s(pool.since, now);
    const double demand = std::clamp(std::ceil(pool.wanted - 1e-6), pool.least, pool.most);
    const double gap = static_cast<double>(pool.supply) - demand;
    pool.open_s += span;
    (gap > 0 ? pool.over_s : pool.under_s) += span * std::abs(gap);
  }
  pool.since = now;
}

void PoolMeters::open(std::uint16_t pool, const PoolSpec& spec, Instant now) {
  PoolMeter& one = pools_[pool];
  advance(one, now);
  one.open = true;
  one.pull = spec.pull;
  one.full = spec.full_permille;
  one.least = spec.minimum;
  one.most = spec.maximum;
}

void PoolMeters::close(std::uint16_t pool, Instant now) {
  advance(pools_[pool], now);
  pools_[pool].open = false;
}

void PoolMeters::supply(std::uint16_t pool, int workers, Instant now) {
  advance(pools_[pool], now);
  pools_[pool].supply += workers;
}

void PoolMeters::demand(std::uint16_t pool, std::int64_t load, std::int64_t operations, Instant now) {
  PoolMeter& one = pools_[pool];
  advance(one, now);
  const std::int64_t together =
      one.pull ? 1 : std::max<std::int64_t>(1, one.full / std::max<std::int64_t>(1, load));
  one.wanted += static_cast<double>(operations) / static_cast<double>(together);
}

void PoolMeters::scaled(JobId job, bool up, Instant now) {
  const auto [at, fresh] = last_.try_emplace(job, Scaling{up, now});
  if (!fresh && at->second.up != up && now - at->second.at <= kFlapWindow) ++flaps_;
  at->second = {up, now};
}

void PoolMeters::finish(Instant end, Results& results) {
  for (PoolMeter& pool : pools_) {
    advance(pool, end);
    if (pool.open_s <= 0) continue;
    results.over_provisioned = results.over_provisioned.value_or(0) + pool.over_s / pool.open_s;
    results.under_provisioned = results.under_provisioned.value_or(0) + pool.under_s / pool.open_s;
  }
  results.flaps = flaps_;
}

void DetectionMeter::trouble(std::uint32_t node, bool begins, Instant now) {
  Trouble& one = nodes_[node];
  if (!begins) {
    one.causes -= one.causes > 0;
    return;
  }
  if (one.causes++ > 0) return;
  one.since = now;
  one.noticed = false;
}

void DetectionMeter::declared(std::uint32_t node, bool down, Instant now) {
  Trouble& one = nodes_[node];
  if (one.down == down) return;
  one.down = down;
  if (!down) return;
  ++declarations_;
  if (one.causes == 0) {
    ++false_alarms_;
    return;
  }
  if (one.noticed) return;
  one.noticed = true;
  ++noticed_;
  const double delay = span_s(one.since, now);
  sum_s_ += delay;
  max_s_ = std::max(max_s_, delay);
}

void DetectionMeter::finish(Results& results) const {
  results.false_alarms = false_alarms_;
  results.nodes_lost = declarations_;
  if (noticed_ == 0) return;
  results.mean_detection_s = sum_s_ / static_cast<double>(noticed_);
  results.max_detection_s = max_s_;
}

}  // namespace duet::sim
