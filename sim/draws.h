// Random variates for workloads: the same on every machine and compiler, because they use core/math.h only.
#pragma once

#include <cstdint>

#include "core/rng.h"
#include "core/time.h"

namespace duet::sim {

/// Exponential with mean 1, by inversion; at most 37.
double exponential_draw(Rng& rng);

/// Normal with mean 0 and variance 1. Marsaglia's polar method: a random point of the unit disc gives it
/// (Marsaglia, Bray, SIAM Review 6(3), 1964). The method's second value is not kept, so that a draw depends
/// on its stream alone.
double normal_draw(Rng& rng);

/// Gamma with the given shape (>= 1) and scale 1; its mean is the shape. A cubed normal nearly is one, and
/// few draws need correction (Marsaglia, Tsang, "A simple method for generating gamma variables", ACM TOMS
/// 26(3), 2000).
double gamma_draw(Rng& rng, double shape);

/// Seconds to the nearest nanosecond, held within 0 .. kLongestDraw_ns. Every drawn time goes through this at
/// once.
Duration drawn_time(double seconds);

/// 4e9 s, 127 years, as in scenarios: no draw is longer, and generated jobs do not arrive later.
inline constexpr std::int64_t kLongestDraw_ns = std::int64_t{4'000'000'000} * 1'000'000'000;

}  // namespace duet::sim
