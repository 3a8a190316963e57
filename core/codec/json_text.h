// JSON text written piece by piece: no document in memory, the same bytes for the same values everywhere.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace duet::codec {

template <std::integral T>
void append_number(std::string& out, T value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

/// Shortest form that reads back as the same double; null for what JSON has no number for.
inline void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

/// Nanoseconds as microseconds with three decimals: 1500 ns is 1.500.
void append_us(std::string& out, std::int64_t ns);

/// 16 hexadecimal digits.
void append_hex(std::string& out, std::uint64_t value);

/// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

/// Appends "name": (with a comma before it unless it is the first member of its object).
inline void append_key(std::string& out, bool& first, std::string_view name) {
  if (!first) out += ',';
  first = false;
  out += '"';
  out += name;
  out += "\":";
}

}  // namespace duet::codec
