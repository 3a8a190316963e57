// The price of placing a task, for e_pvm and e_pvm_cube.
//
// A machine's price grows exponentially with how full it is, so that the last bit of any resource is dear: a
// machine that has plenty of CPU but hardly any memory is expensive for whoever needs memory. Prices of
// different resources add up; what a task pays is the rise it causes, and it goes where it pays least. Amir,
// Awerbuch, Barak, Borgstrom, Keren, "An opportunity cost approach for job assignment in a scalable computing
// cluster", IEEE TPDS 11(7), 2000.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/math.h"
#include "core/policy/scheduler/utilisation.h"

namespace duet {

/// base^after - base^before, of one resource; `log_base` is the natural logarithm of the base.
inline double price_rise(double log_base, double before, double after) {
  return math::exp(log_base * after) - math::exp(log_base * before);
}

/// The paper's marginal cost. Its base is the number of machines, which makes the assignment O(log n)
/// competitive. Jobs have no capacity of their own: their maximum is a guess, `max_tasks`, that doubles.
inline double marginal_cost(const Target& target, const Request& request, double log_base,
                            std::uint64_t max_tasks) {
  const auto rise = [&](std::int64_t used, std::int64_t added, std::int64_t capacity) {
    return added == 0 ? 0.0
                      : price_rise(log_base, fraction(used, capacity), fraction(used + added, capacity));
  };
  const Resources& capacity = target.capacity;
  double cost = rise(target.tasks, 1, static_cast<std::int64_t>(max_tasks));
  cost += rise(cpu_used(target), cpu_added(target, request), capacity.cpu_m);
  cost += rise(memory_used(target), request.need.memory_bytes, capacity.memory_bytes);
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind)
    cost += rise(capacity.count[kind] - target.room.free.count[kind], request.need.count[kind],
                 capacity.count[kind]);
  return cost;
}

namespace cube {

/// What a task pays for CPU, taken as fraction / 2^0.8, and memory; the base is (4/3)^(3/2) = 8 / 3^(3/2).
struct Rises {
  double memory = 0;
  double cpu = 0;
};
inline double log_base() {
  static const double value = math::log(1.53960071783900203869);
  return value;
}
inline Rises rises(double cpu, double cpu_after, double memory, double memory_after) {
  static const double cpu_scale = math::exp2(0.8);
  return {price_rise(log_base(), memory, memory_after),
          price_rise(log_base(), cpu / cpu_scale, cpu_after / cpu_scale)};
}
inline Rises rises(const Target& target, const Request& request) {
  const auto cpu = [&](std::int64_t added) {
    return fraction(cpu_used(target) + added, target.capacity.cpu_m);
  };
  const auto memory = [&](std::int64_t added) {
    return fraction(memory_used(target) + added, target.capacity.memory_bytes);
  };
  return rises(cpu(0), cpu(cpu_added(target, request)), memory(0), memory(request.need.memory_bytes));
}
/// The number of tasks has a fixed maximum of 4, and is paid for twice, beside the memory and beside the CPU.
inline double cost(const Rises& rises, std::uint32_t tasks) {
  constexpr double kMaxTasks = 4.0;
  const double jobs = price_rise(log_base(), tasks / kMaxTasks, (tasks + 1.0) / kMaxTasks);
  return (rises.memory + jobs) + (rises.cpu + jobs);
}

/// With more tasks on a node a price is beyond 2^30, where math::quantised() ends (and with 6,573 beyond what
/// a double holds).
inline constexpr std::uint32_t kMostPricedTasks = 206;

/// The price in units of 2^-32, rounded: what is cheaper is less. Beyond kMostPricedTasks it is no price any
/// more but says the same: one task more raises the price by a hundred millions, CPU and memory together by
/// less than 2, so fewer tasks are cheaper, and of equally many what CPU and memory cost less, in steps of
/// 2^-22. All values are exact as doubles; node counts of tasks beyond 2^28 are alike.
inline std::int64_t units(const Rises& rises, std::uint32_t tasks) {
  if (tasks <= kMostPricedTasks) return math::quantised(cost(rises, tasks));
  constexpr std::int64_t kFirst = std::int64_t{1} << 62;  // where math::quantised() ends
  constexpr std::int64_t kOneTask = std::int64_t{1} << 34;
  constexpr std::int64_t kStep = 1 << 10;
  constexpr std::uint32_t kMost = (1U << 28) - 1;
  const std::int64_t rest = (math::quantised(rises.memory + rises.cpu) + kStep / 2) / kStep * kStep;
  return kFirst + std::int64_t{std::min(tasks - kMostPricedTasks - 1, kMost)} * kOneTask + rest;
}
inline std::int64_t units(const Target& target, const Request& request) {
  return units(rises(target, request), target.tasks);
}

}  // namespace cube

/// By how much a price that should not be below another may be, in units of math::quantised(): the rounding
/// of powers of the number of machines, and one unit.
inline std::int64_t slack_of_prices(const TargetIndex& targets) {
  return 2 + static_cast<std::int64_t>(targets.size() / 4096);
}

/// A price as a score: lower is better, and what ties when compared has the same.
inline double score_of_units(std::int64_t units) { return 0.0 - static_cast<double>(units) * 0x1.0p-32; }
inline double score_of_price(double price) { return score_of_units(math::quantised(price)); }

}  // namespace duet
