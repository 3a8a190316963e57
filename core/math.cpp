#include "core/math.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace duet::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInverseLn2 = 0x1.71547652b82fep+0;  // 1 / ln 2
constexpr double kLn2 = 0x1.62e42fefa39efp-1;
// ln 2 in two parts: the first has 32 significant bits, so that its product with an exponent is exact.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;

/// 2^k for a normal result: -1022 <= k <= 1023.
double power_of_two(int k) { return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52); }

/// y * 2^k for 0.5 <= y < 4, rounded once, whatever k is.
double scaled(double y, int k) {
  if (k > 1100) return kInfinity;
  if (k < -1200) return 0.0;
  if (k > 1023) return y * power_of_two(1023) * power_of_two(k - 1023);
  if (k < -1021) return y * power_of_two(k + 300) * power_of_two(-300);  // the first product is exact
  return y * power_of_two(k);
}

/// The nearest integer; |x| must be below 2^31.
int nearest(double x) { return static_cast<int>(x + (x < 0.0 ? -0.5 : 0.5)); }

/// e^(high - low) for |high| <= 0.36 and a tiny `low`: the Taylor series, whose first left-out term is below
/// 2^-60.
double exp_reduced(double high, double low) {
  const double r = high - low;
  double p = 1.0 / 87178291200.0;
  p = p * r + 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  return 1.0 + (high + (r * r * p - low));
}

/// x = m * 2^e with sqrt(1/2) < m <= sqrt(2); x positive and finite.
struct Split {
  double m;
  int e;
};
Split split(double x) {
  int e = 0;
  if (x < 0x1.0p-1022) {
    x *= 0x1.0p54;
    e = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  e += static_cast<int>(bits >> 52) - 1023;
  const double m = std::bit_cast<double>((bits & 0x000fffffffffffffU) | 0x3ff0000000000000U);
  if (m > kSqrt2) return {m * 0.5, e + 1};
  return {m, e};
}

/// log(m) + low for the m of a split. With f = m - 1 and s = f / (2 + f), log(1 + f) = 2 atanh(s), and
/// written as f - (f^2/2 - s (f^2/2 + R)) the first term is exact and the rest small. R = 2s^2/3 + 2s^4/5 +
/// ...
double log_reduced(double m, double high, double low) {
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double r = 2.0 / 23.0;
  r = r * z + 2.0 / 21.0;
  r = r * z + 2.0 / 19.0;
  r = r * z + 2.0 / 17.0;
  r = r * z + 2.0 / 15.0;
  r = r * z + 2.0 / 13.0;
  r = r * z + 2.0 / 11.0;
  r = r * z + 2.0 / 9.0;
  r = r * z + 2.0 / 7.0;
  r = r * z + 2.0 / 5.0;
  r = r * z + 2.0 / 3.0;
  r = r * z;
  const double half_square = 0.5 * f * f;
  return high - ((half_square - (s * (half_square + r) + low)) - f);
}

/// What log and log2 say of numbers that have no finite logarithm.
bool special_log(double x, double& result) {
  if (x > 0.0 && x < kInfinity) return false;
  result = x == 0.0 ? -kInfinity : (x > 0.0 ? x : kNaN);
  return true;
}

}  // namespace

double exp(double x) {
  if (x != x) return kNaN;
  if (x > 709.8) return kInfinity;
  if (x < -745.2) return 0.0;
  const int k = nearest(x * kInverseLn2);
  return scaled(exp_reduced(x - k * kLn2High, k * kLn2Low), k);
}

double exp2(double x) {
  if (x != x) return kNaN;
  if (x >= 1024.0) return kInfinity;
  if (x < -1075.0) return 0.0;
  const int k = nearest(x);
  return scaled(exp_reduced((x - k) * kLn2, 0.0), k);
}

double log(double x) {
  double result = 0.0;
  if (special_log(x, result)) return result;
  const Split parts = split(x);
  return log_reduced(parts.m, parts.e * kLn2High, parts.e * kLn2Low);
}

double log2(double x) {
  double result = 0.0;
  if (special_log(x, result)) return result;
  const Split parts = split(x);
  return parts.e + log_reduced(parts.m, 0.0, 0.0) * kInverseLn2;
}

double pow(double base, double x) {
  if (!(base > 0.0) || x != x) return kNaN;
  if (x == 0.0 || base == 1.0) return 1.0;
  return exp(x * log(base));
}

double sqrt(double x) {
  if (x == 0.0 || !(x < kInfinity)) return x != x ? kNaN : x;
  if (x < 0.0) return kNaN;
  Split parts = split(x);
  if (parts.m < 1.0) parts = {parts.m * 2.0, parts.e - 1};
  const bool odd = (parts.e % 2) != 0;
  const double m = odd ? parts.m * 2.0 : parts.m;  // 1 <= m < 4, even exponent
  const int half = (parts.e - (odd ? 1 : 0)) / 2;

  // Newton's iteration comes close; whole numbers decide the last bit. Both factors hold m * 2^104 exactly.
  double guess = 0.5 * (1.0 + m);
  for (int i = 0; i < 6; ++i) guess = 0.5 * (guess + m / guess);
  __extension__ using Wide = unsigned __int128;
  const Wide square = static_cast<Wide>(static_cast<std::uint64_t>(m * 0x1.0p52)) << 52;
  auto root = static_cast<std::uint64_t>(guess * 0x1.0p52);
  while (static_cast<Wide>(root) * root > square) --root;
  while (static_cast<Wide>(root + 1) * (root + 1) <= square) ++root;
  const Wide rest = square - static_cast<Wide>(root) * root;
  if (rest > root) ++root;  // beyond the middle between two doubles; exactly the middle cannot be
  return scaled(static_cast<double>(root) * 0x1.0p-52, half);
}

std::int64_t quantised(double x) {
  constexpr double kLimit = 0x1.0p62;
  const double units = x * 0x1.0p32;
  if (!(units > -kLimit)) return -(std::int64_t{1} << 62);
  if (units > kLimit) return std::int64_t{1} << 62;
  return static_cast<std::int64_t>(units + (units < 0.0 ? -0.5 : 0.5));
}

}  // namespace duet::math
