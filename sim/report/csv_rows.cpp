#include "sim/report/csv_rows.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "sim/diagnostics.h"

namespace duet::sim::report {
namespace {

/// A quoted field may go on over lines, but not for ever.
constexpr std::size_t kMostRecord = 1 << 20;

/// True if the text ends within quotes, which it began outside of.
bool opens(std::string_view text) { return std::count(text.begin(), text.end(), '"') % 2 == 1; }

}  // namespace

std::optional<std::int64_t> nanoseconds(std::string_view seconds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::size_t dot = std::min(seconds.find('.'), seconds.size());
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(seconds.data(), seconds.data() + dot, whole);
  if (error != std::errc{} || end != seconds.data() + dot || whole < 0) return std::nullopt;
  if (whole > std::numeric_limits<std::int64_t>::max() / kSecond - 1) return std::nullopt;
  std::string_view decimals = seconds.substr(std::min(dot + 1, seconds.size()));
  if (dot < seconds.size() && (decimals.empty() || decimals.size() > 9)) return std::nullopt;
  std::int64_t rest = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    const char digit = i < decimals.size() ? decimals[i] : '0';
    if (digit < '0' || digit > '9') return std::nullopt;
    rest = rest * 10 + (digit - '0');
  }
  return whole * kSecond + rest;
}

Result<CsvRows> CsvRows::open(const std::string& path, const std::vector<std::string_view>& columns) {
  auto lines = LineReader::open(path);
  if (!lines) return lines.problems();
  CsvRows rows(std::move(*lines));
  if (!rows.read_record()) {
    if (rows.failure_) return *rows.failure_;
    return Problem{path, "is empty", "as duet sim --out writes it"};
  }
  rows.split();
  rows.width_ = rows.fields_.size();
  std::string missing;
  for (const std::string_view column : columns) {
    const auto found = std::find(rows.fields_.begin(), rows.fields_.end(), column);
    if (found == rows.fields_.end()) missing += (missing.empty() ? "" : ", ") + std::string(column);
    rows.places_.push_back(static_cast<std::size_t>(found - rows.fields_.begin()));
    rows.names_.emplace_back(column);
  }
  if (!missing.empty())
    return Problem{path, "has no column " + missing, "a file that this version's duet sim --out wrote"};
  return rows;
}

bool CsvRows::read_record() {
  std::string_view line;
  if (!lines_.next(line)) {
    failure_ = lines_.failure();
    return false;
  }
  where_ = lines_.where();
  record_ = line;
  for (bool open = opens(record_); open; open ^= opens(line)) {
    if (!lines_.next(line)) {
      failure_ = lines_.failure() ? *lines_.failure() : Problem{where_, "the quotes are not closed", ""};
      return false;
    }
    record_ += '\n';
    record_ += line;
    if (record_.size() > kMostRecord) {
      failure_ = Problem{where_, "this row is longer than 1 MiB", "quotes that are closed"};
      return false;
    }
  }
  return true;
}

/// Fills fields_ from record_. False if there is something behind a closing quote.
bool CsvRows::split() {
  std::size_t count = 0;
  const auto field = [&]() -> std::string& {
    if (count == fields_.size()) fields_.emplace_back();
    fields_[count].clear();
    return fields_[count++];
  };
  for (std::size_t i = 0;; ++i) {
    std::string& text = field();
    if (i < record_.size() && record_[i] == '"') {
      for (++i; i < record_.size(); ++i) {
        if (record_[i] == '"' && (i + 1 == record_.size() || record_[i + 1] != '"')) break;
        if (record_[i] == '"') ++i;  // Two of them stand for one.
        text += record_[i];
      }
      ++i;
    } else {
      const std::size_t end = std::min(record_.find(',', i), record_.size());
      text.assign(record_, i, end - i);
      i = end;
    }
    if (i >= record_.size()) break;
    if (record_[i] != ',') return false;
  }
  fields_.resize(count);
  return true;
}

bool CsvRows::next() {
  if (failure_) return false;
  if (!read_record()) return false;
  if (split() && fields_.size() == width_) return true;
  failure_ =
      Problem{where_, "this row has not the fields of the heading", std::to_string(width_) + " fields"};
  return false;
}

void CsvRows::reject(std::size_t column, const std::string& right) {
  if (failure_) return;
  failure_ = Problem{where_, names_[column] + " is " + backquoted(text(column)), right};
}

std::optional<std::int64_t> CsvRows::instant(std::size_t column) {
  if (text(column).empty()) return std::nullopt;
  const auto ns = nanoseconds(text(column));
  if (!ns) reject(column, "seconds, as 12.345000");
  return ns;
}

std::string CsvRows::name(std::size_t column) {
  constexpr std::size_t kLongest = 256;  // those of a scenario: 200, and a number
  if (text(column).size() > kLongest)
    reject(column, "a name of at most " + std::to_string(kLongest) + " bytes");
  return std::string(text(column).substr(0, kLongest));
}

std::uint64_t CsvRows::number(std::size_t column) {
  const std::string_view digits = text(column);
  if (digits.empty()) return 0;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) reject(column, "a whole number");
  return value;
}

}  // namespace duet::sim::report
