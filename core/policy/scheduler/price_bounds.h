// What a target costs at least, without an exponential: most targets are too dear by far, and need no exact
// price.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/policy/scheduler/opportunity_cost.h"

namespace duet {

/// base^x of fractions x rounded down to a grid, times (base^added - 1) once for each capacity: at most the
/// rise that price_rise() says, but for rounding.
class PriceBounds {
 public:
  /// The next bounds are of this request.
  void ask(double log_base, const Request& request, std::uint64_t max_tasks) {
    if (power_.empty() || log_base != log_base_) make_powers(log_base);
    request_ = &request;
    tasks_ = Factor{};
    cpu_ = Factor{};
    memory_ = Factor{};
    max_tasks_ = static_cast<std::int64_t>(max_tasks);
  }
  /// marginal_cost() is not below this, countable things left out.
  double least_price(const Target& target) {
    const Resources& capacity = target.capacity;
    return rise(tasks_, target.tasks, 1, max_tasks_) +
           rise(cpu_, cpu_used(target), cpu_added(target, *request_), capacity.cpu_m) +
           rise(memory_, memory_used(target), request_->need.memory_bytes, capacity.memory_bytes);
  }

 private:
  static constexpr std::int64_t kSteps = 2048;

  /// base^(added / capacity) - 1 of the capacity asked for last.
  struct Factor {
    std::int64_t added = 0, capacity = 0;
    double rise = 0, steps = 0;
  };

  double rise(Factor& factor, std::int64_t used, std::int64_t added, std::int64_t capacity) {
    if (added == 0 || capacity == 0) return 0.0;
    if (factor.added != added || factor.capacity != capacity)
      factor = {added, capacity, math::exp(log_base_ * fraction(added, capacity)) - 1.0,
                static_cast<double>(kSteps) / static_cast<double>(capacity)};
    const auto step = static_cast<std::int64_t>(static_cast<double>(used) * factor.steps);
    return power_[static_cast<std::size_t>(std::clamp<std::int64_t>(step - 1, 0, kSteps))] * factor.rise;
  }

  void make_powers(double log_base) {
    log_base_ = log_base;
    power_.clear();
    for (std::int64_t i = 0; i <= kSteps; ++i) power_.push_back(math::exp(log_base * fraction(i, kSteps)));
  }

  double log_base_ = 0;
  std::vector<double> power_;  ///< base^(i / kSteps).
  const Request* request_ = nullptr;
  std::int64_t max_tasks_ = 1;
  Factor tasks_, cpu_, memory_;
};

}  // namespace duet
