#include "sim/decimal.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace duet::sim {
namespace {

/// An exponent far beyond what any 64-bit number needs; larger ones mean the same.
constexpr std::int64_t kFar = 1'000'000'000;

std::int64_t read_exponent(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  std::int64_t value = 0;
  for (const char c : text)
    if (is_digit(c)) value = std::min<std::int64_t>(kFar, value * 10 + (c - '0'));
  return negative ? -value : value;
}

}  // namespace

Decimal read_decimal(std::string_view number, int decimals) {
  Decimal result;
  if (number.starts_with('-')) {
    result.negative = true;
    number.remove_prefix(1);
  }
  const std::size_t e = number.find_first_of("eE");
  const std::int64_t exponent = e == number.npos ? 0 : read_exponent(number.substr(e + 1));
  const std::string_view digits = number.substr(0, e);
  const std::size_t point = std::min(digits.find('.'), digits.size());

  // Digits before this place count, the one at it rounds, those after it are lost.
  const std::int64_t keep = static_cast<std::int64_t>(point) + exponent + decimals;
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  std::int64_t place = 0;
  bool round_up = false;
  for (const char c : digits) {
    if (!is_digit(c)) continue;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (place < keep) {
      if (result.units > (kMax - digit) / 10) result.too_large = true;
      result.units = result.units * 10 + digit;
    } else if (digit != 0) {
      result.exact = false;
      if (place == keep) round_up = digit >= 5;
    }
    ++place;
  }
  for (; place < keep && result.units != 0 && !result.too_large; ++place) {
    result.too_large = result.units > kMax / 10;
    result.units *= 10;
  }
  if (round_up) {
    result.too_large |= result.units == kMax;
    ++result.units;
  }
  return result;
}

void append_decimal(std::string& out, std::int64_t units, int decimals) {
  char digits[20];
  const bool negative = units < 0;
  const std::uint64_t size =
      negative ? ~static_cast<std::uint64_t>(units) + 1 : static_cast<std::uint64_t>(units);
  const auto written = std::to_chars(digits, digits + sizeof digits, size);
  std::string text(digits, written.ptr);
  const auto places = static_cast<std::size_t>(decimals);
  if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
  if (places > 0) {
    text.insert(text.size() - places, 1, '.');
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  if (negative) out += '-';
  out += text;
}

}  // namespace duet::sim
