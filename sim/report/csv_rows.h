// Reading the CSV files of a run: rows by the names of their columns, values as they were meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sim/text_file.h"

namespace duet::sim::report {

/// A file of comma-separated values (RFC 4180) with a heading. Remembers its first failure.
class CsvRows {
 public:
  /// Opens `path`, whose heading must have all of `columns`; fields are then told by their index in it.
  static Result<CsvRows> open(const std::string& path, const std::vector<std::string_view>& columns);

  /// Goes to the next row. False at the end and after a failure.
  bool next();
  std::string_view text(std::size_t column) const { return fields_[places_[column]]; }
  /// A name; at most 256 bytes.
  std::string name(std::size_t column);
  /// Seconds with up to nine decimals, in nanoseconds; nothing if the field is empty.
  std::optional<std::int64_t> instant(std::size_t column);
  /// A whole number; 0 if the field is empty.
  std::uint64_t number(std::size_t column);
  /// Says that a field is not what it must be.
  void reject(std::size_t column, const std::string& right);
  const std::optional<Problem>& failure() const { return failure_; }

 private:
  explicit CsvRows(LineReader lines) : lines_(std::move(lines)) {}
  bool read_record();
  bool split();

  LineReader lines_;
  std::string record_;
  std::vector<std::string> fields_;
  std::vector<std::size_t> places_;
  std::vector<std::string> names_;
  std::size_t width_ = 0;
  std::string where_;
  std::optional<Problem> failure_;
};

/// "12.345" as nanoseconds; nothing if it is no such number or too large.
std::optional<std::int64_t> nanoseconds(std::string_view seconds);

}  // namespace duet::sim::report
