#include "sim/draws.h"

#include "core/check.h"
#include "core/math.h"

namespace duet::sim {

double exponential_draw(Rng& rng) { return -math::log(1.0 - rng.unit()); }

double normal_draw(Rng& rng) {
  for (;;) {
    const double u = 2.0 * rng.unit() - 1.0;
    const double v = 2.0 * rng.unit() - 1.0;
    const double square = u * u + v * v;
    if (square > 0.0 && square < 1.0) return u * math::sqrt(-2.0 * math::log(square) / square);
  }
}

double gamma_draw(Rng& rng, double shape) {
  DUET_CHECK(shape >= 1.0);
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / math::sqrt(9.0 * d);
  for (;;) {
    const double x = normal_draw(rng);
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    const double u = rng.unit();
    const double square = x * x;
    if (u < 1.0 - 0.0331 * square * square) return d * v;  // settles nearly all without a logarithm
    if (math::log(u) < 0.5 * square + d * (1.0 - v + math::log(v))) return d * v;
  }
}

Duration drawn_time(double seconds) {
  const double ns = seconds * 1e9 + 0.5;
  if (!(ns >= 1.0)) return Duration(0);
  if (ns >= static_cast<double>(kLongestDraw_ns)) return Duration(kLongestDraw_ns);
  return Duration(static_cast<std::int64_t>(ns));
}

}  // namespace duet::sim
