// Columns of integers as short text: what the page's script reads its charts from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sim/report/run_view.h"

namespace duet::sim::report {

/// Integers as bytes of seven bits, lowest first; the eighth says that more follow (LEB128).
class Packer {
 public:
  void number(std::uint64_t value);
  /// Signed: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
  void difference(std::int64_t value);
  void text(std::string_view bytes);
  std::span<const std::uint8_t> bytes() const;
  std::string base64() const;

 private:
  std::string bytes_;
};

std::string base64_of(std::span<const std::uint8_t> bytes);

/// Names one after the other. The usual case, a number one above that of the name before, costs one byte.
std::string packed_names(const std::vector<std::string>& names);

/// Instants as differences in units, values as differences in tenths.
std::string packed_steps(const Steps& steps, std::int64_t until_ns, std::int64_t unit_ns, bool largest);

/// The bars of a run: at most about `most`, else what cannot be told apart is merged.
struct PackedBars {
  std::size_t count = 0;
  bool merged = false;
  std::string text;
};
PackedBars packed_bars(const RunView& view, std::int64_t unit_ns, std::size_t most);

/// The unit of time in which so many bars are told: a power of ten nanoseconds.
std::int64_t packing_unit(std::int64_t until_ns, std::size_t bars);

}  // namespace duet::sim::report
