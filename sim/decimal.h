// Decimal numbers as users write them, read and written exactly: never through a double.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace duet::sim {

/// An ASCII digit, whatever the locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What a decimal number comes to in units of 10^-decimals.
struct Decimal {
  bool negative = false;
  bool exact = true;       ///< No digit was lost.
  bool too_large = false;  ///< More than 2^64 - 1 units; `units` means nothing then.
  std::uint64_t units = 0;
};

/// Reads a number as JSON writes them (digits, point, exponent), rounded half up to `decimals` (0 .. 9)
/// places.
Decimal read_decimal(std::string_view number, int decimals);

/// Appends `units` of 10^-decimals in the shortest way: no exponent, no trailing zeros.
void append_decimal(std::string& out, std::int64_t units, int decimals);

/// Appends nanoseconds as seconds: 4709164000 -> 4.709164.
inline void append_seconds(std::string& out, std::int64_t ns) { append_decimal(out, ns, 9); }

}  // namespace duet::sim
