// Exponentials, logarithms and roots of our own: the same bits from every compiler, flag and machine.
//
// A C library's exp() may differ between versions and machines in its last bit, and one bit is enough to
// change a decision. These functions use only + - * / of IEEE 754 doubles and integer arithmetic, in a fixed
// order, so they are as reproducible as the additions are (-ffp-contract=off, no -ffast-math, as everywhere
// in Duet). Accuracy is stated in ulp (units in the last place) of the exact result; tests measure it against
// the C library in extended precision. For random draws and scores; whoever draws a time rounds it to whole
// nanoseconds at once.
#pragma once

#include <cstdint>

namespace duet::math {

/// e^x, within 1 ulp; results below 2^-1022 within 1 unit of 2^-1074. Overflow gives infinity, exp(NaN) is
/// NaN.
double exp(double x);

/// Natural logarithm, within 1 ulp. log(0) is -infinity, of a negative number NaN.
double log(double x);

/// 2^x, within 2 ulp, and exact if x is an integer.
double exp2(double x);

/// Logarithm to base 2, within 3 ulp, and exact if x is a power of two.
double log2(double x);

/// base^x for base > 0, computed as exp(x log base): within (4 + 2 |x log base|) ulp. Else NaN.
double pow(double base, double x);

/// Square root, correctly rounded, so equal to every IEEE 754 square root.
double sqrt(double x);

/// x to the nearest multiple of 2^-32, counted in those: what scores from the functions above are compared
/// by, so that equal cases tie although rounding took different ways. Beyond 2^30 the largest, NaN the
/// lowest.
std::int64_t quantised(double x);

}  // namespace duet::math
