// Time as the core knows it: instants and durations in whole nanoseconds, handed in by the driver.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace duet {

/// A clock without `now()`, on purpose: the core is told the time, it never asks.
struct CoreClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<CoreClock>;
  static constexpr bool is_steady = true;
};

using Duration = CoreClock::duration;
using Instant = CoreClock::time_point;

/// Later than every instant a run can reach.
inline constexpr Instant kNever = Instant::max();

constexpr Instant instant_ns(std::int64_t ns) { return Instant(Duration(ns)); }
constexpr std::int64_t to_ns(Instant t) { return t.time_since_epoch().count(); }
constexpr std::int64_t to_ns(Duration d) { return d.count(); }

/// t + d, kNever when that lies beyond the representable range. d must not be negative.
constexpr Instant saturating_add(Instant t, Duration d) {
  return to_ns(t) > std::numeric_limits<std::int64_t>::max() - d.count() ? kNever : t + d;
}

}  // namespace duet
