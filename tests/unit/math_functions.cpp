// Our own exponentials and roots: accuracy against the C library in extended precision, and the very bits.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "core/math.h"
#include "core/rng.h"

namespace duet {
namespace math_functions_test {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kSamples = 200'000;

/// Distance from the exact result in units of the last place of its double.
double ulps(double got, long double exact) {
  const double rounded = std::fabs(static_cast<double>(exact));
  const double unit = std::max(std::nextafter(rounded, kInfinity) - rounded, 0x1.0p-1074);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - exact) / unit);
}

/// Any positive double, every exponent equally likely.
double any_positive(Rng& rng) {
  const std::uint64_t bits = rng.below(0x7ff0000000000000U);
  return std::bit_cast<double>(bits);
}

TEST(Math, ExpIsWithinOneUlp) {
  Rng rng(1);
  double worst = 0.0;
  for (int i = 0; i < kSamples; ++i) {
    const double wide = -745.0 + rng.unit() * 1454.0;
    const double narrow = rng.unit() * 2.0 - 1.0;
    worst = std::max({worst, ulps(math::exp(wide), std::exp(static_cast<long double>(wide))),
                      ulps(math::exp(narrow), std::exp(static_cast<long double>(narrow)))});
  }
  EXPECT_LE(worst, 1.0);
}

TEST(Math, LogIsWithinOneUlp) {
  Rng rng(2);
  double worst = 0.0;
  for (int i = 0; i < kSamples; ++i) {
    const double wide = any_positive(rng);
    const double near_one = 0.5 + rng.unit() * 1.5;
    worst = std::max({worst, ulps(math::log(wide), std::log(static_cast<long double>(wide))),
                      ulps(math::log(near_one), std::log(static_cast<long double>(near_one)))});
  }
  EXPECT_LE(worst, 1.0);
}

TEST(Math, PowersAndLogarithmsToBaseTwo) {
  Rng rng(3);
  double worst_exp2 = 0.0;
  double worst_log2 = 0.0;
  for (int i = 0; i < kSamples; ++i) {
    const double x = -1074.0 + rng.unit() * 2097.0;
    worst_exp2 = std::max(worst_exp2, ulps(math::exp2(x), std::exp2(static_cast<long double>(x))));
    const double near_one = 0.5 + rng.unit() * 1.5;
    worst_log2 =
        std::max(worst_log2, ulps(math::log2(near_one), std::log2(static_cast<long double>(near_one))));
  }
  EXPECT_LE(worst_exp2, 2.0);
  EXPECT_LE(worst_log2, 3.0);
  for (int k = -1074; k <= 1023; ++k) {
    EXPECT_EQ(math::exp2(k), std::ldexp(1.0, k)) << k;
    EXPECT_EQ(math::log2(std::ldexp(1.0, k)), k) << k;
  }
}

TEST(Math, PowKeepsItsBound) {
  Rng rng(4);
  double worst = 0.0;
  for (int i = 0; i < kSamples; ++i) {
    const double base = rng.unit() * 20.0 + 0.01;
    const double x = rng.unit() * 20.0 - 10.0;
    const long double exact = std::pow(static_cast<long double>(base), static_cast<long double>(x));
    worst = std::max(worst, ulps(math::pow(base, x), exact) / (4.0 + 2.0 * std::fabs(x * std::log(base))));
  }
  EXPECT_LE(worst, 1.0);
  EXPECT_EQ(math::pow(10.0, 0.0), 1.0);
  EXPECT_EQ(math::pow(1.0, 1e300), 1.0);
  EXPECT_TRUE(std::isnan(math::pow(-1.0, 2.0)));
}

TEST(Math, SqrtIsCorrectlyRounded) {
  Rng rng(5);
  for (int i = 0; i < kSamples; ++i) {
    const double wide = any_positive(rng);
    ASSERT_EQ(math::sqrt(wide), std::sqrt(wide)) << std::hexfloat << wide;
    const double near_square = std::nextafter(static_cast<double>(i) * i, i % 2 == 0 ? 0.0 : kInfinity);
    ASSERT_EQ(math::sqrt(near_square), std::sqrt(near_square)) << std::hexfloat << near_square;
  }
  EXPECT_EQ(math::sqrt(0x1.0p-1074), 0x1.0p-537);
  EXPECT_EQ(math::sqrt(std::numeric_limits<double>::max()), std::sqrt(std::numeric_limits<double>::max()));
  EXPECT_TRUE(std::signbit(math::sqrt(-0.0)));
}

TEST(Math, SpecialValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(math::exp(0.0), 1.0);
  EXPECT_EQ(math::exp(710.0), kInfinity);
  EXPECT_EQ(math::exp(kInfinity), kInfinity);
  EXPECT_EQ(math::exp(-746.0), 0.0);
  EXPECT_EQ(math::exp(-kInfinity), 0.0);
  EXPECT_EQ(math::exp2(1024.0), kInfinity);
  EXPECT_EQ(math::exp2(-1076.0), 0.0);
  EXPECT_EQ(math::log(1.0), 0.0);
  EXPECT_EQ(math::log(0.0), -kInfinity);
  EXPECT_EQ(math::log(kInfinity), kInfinity);
  EXPECT_EQ(math::log2(kInfinity), kInfinity);
  EXPECT_EQ(math::sqrt(kInfinity), kInfinity);
  for (const double bad : {math::exp(nan), math::exp2(nan), math::log(nan), math::log(-1.0), math::log2(-1.0),
                           math::sqrt(nan), math::sqrt(-1.0), math::sqrt(-kInfinity), math::pow(2.0, nan)}) {
    EXPECT_TRUE(std::isnan(bad));
  }
}

TEST(Math, QuantisedIsTheNearestMultipleAndNeverOverflows) {
  const std::int64_t one = std::int64_t{1} << 32;
  EXPECT_EQ(math::quantised(0.0), 0);
  EXPECT_EQ(math::quantised(1.5), one + one / 2);
  EXPECT_EQ(math::quantised(-1.5), -one - one / 2);
  EXPECT_EQ(math::quantised(0x1.0p-32), 1);
  EXPECT_EQ(math::quantised(0x1.7p-33), 1);
  EXPECT_EQ(math::quantised(0x0.fp-33), 0);
  EXPECT_EQ(math::quantised(-0x1.7p-33), -1);
  EXPECT_EQ(math::quantised(1.0 / 3.0), math::quantised(1.0 - 2.0 / 3.0)) << "two ways to one number";
  const std::int64_t most = std::int64_t{1} << 62;
  EXPECT_EQ(math::quantised(1e30), most);
  EXPECT_EQ(math::quantised(kInfinity), most);
  EXPECT_EQ(math::quantised(-1e30), -most);
  EXPECT_EQ(math::quantised(std::nan("")), -most);
}

/// The same number from g++ and clang++, -O0 and -O2: a change here changes every generated workload.
TEST(Math, EveryBitIsTheSameEverywhere) {
  Rng rng(6);
  std::uint64_t hash = 0;
  const auto mix = [&](double x) { hash = mix64(hash ^ std::bit_cast<std::uint64_t>(x)); };
  for (int i = 0; i < kSamples; ++i) {
    const double x = any_positive(rng);
    const double y = rng.unit() * 100.0 - 50.0;
    mix(math::exp(y));
    mix(math::exp2(y));
    mix(math::log(x));
    mix(math::log2(x));
    mix(math::sqrt(x));
  }
  EXPECT_EQ(hash, 15096696586083472687U);
}

}  // namespace math_functions_test
}  // namespace duet
