#include "core/energy.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace duet {

EnergyMeter::EnergyMeter(PowerModel model, const NodeOffer& offer, std::uint32_t reserved_cores,
                         Instant since)
    : model_(std::move(model)),
      running_(offer.threads()),
      busy_threads_(offer.cores),
      cores_(offer.threads_per_core + 1),
      since_(since) {
  DUET_CHECK(!model_.core_w.empty());
  cores_[0] = offer.cores + reserved_cores;
}

void EnergyMeter::begin(Instant now, std::uint32_t thread) {
  advance(now);
  if (running_[thread]++ == 0) move(thread, +1);
}

void EnergyMeter::end(Instant now, std::uint32_t thread) {
  advance(now);
  DUET_CHECK(running_[thread] > 0);
  if (--running_[thread] == 0) move(thread, -1);
}

void EnergyMeter::turn(Instant now, bool on) {
  advance(now);
  on_ = on;
}

/// The thread's core has one busy thread more, or less.
void EnergyMeter::move(std::uint32_t thread, int by) {
  std::uint32_t& busy = busy_threads_[thread % busy_threads_.size()];
  --cores_[busy];
  busy += static_cast<std::uint32_t>(by);
  ++cores_[busy];
}

double EnergyMeter::watts() const {
  if (!on_) return model_.off_w;
  double sum = model_.uncore_w;
  for (std::size_t busy = 0; busy < cores_.size(); ++busy)
    sum += cores_[busy] * model_.core_w[std::min(busy, model_.core_w.size() - 1)];
  return sum;
}

double EnergyMeter::joules(Instant now) const {
  DUET_CHECK(now >= since_);
  return joules_ + watts() * (static_cast<double>(to_ns(now - since_)) / 1e9);
}

void EnergyMeter::advance(Instant now) {
  joules_ = joules(now);
  since_ = now;
}

}  // namespace duet
