// Where an engine's seconds and the core's nanoseconds meet.
#include "sim/engine.h"

#include <cmath>
#include <cstdint>

namespace duet::sim {

namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

// The range of instants, in whole seconds.
constexpr double last_second = 9'223'372'036.0;

}  // namespace

// The whole seconds apart, so that the product's rounding error is far below a nanosecond however late it is.
Instant instant_of_seconds(double seconds) {
  if (!(seconds < last_second)) return kNever;
  const auto whole = static_cast<std::int64_t>(seconds);
  const double rest = seconds - static_cast<double>(whole);
  return instant_ns(whole * ns_per_second + std::llround(rest * static_cast<double>(ns_per_second)));
}

// A division, not a product with 1e-9: it is correctly rounded, so whole seconds stay whole. Below 2^23 s (97
// days) doubles are less than a nanosecond apart and the way back gives the same instant.
double seconds_of(Instant instant) {
  return static_cast<double>(to_ns(instant)) / static_cast<double>(ns_per_second);
}

}  // namespace duet::sim
