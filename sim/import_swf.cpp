#include "sim/import_swf.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "sim/diagnostics.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

constexpr std::size_t kColumns = 18;
constexpr std::size_t kShownProblems = 10;

/// The columns up to here are measurements; later ones name users, queues and earlier jobs, in forms of their
/// own.
constexpr std::array<std::string_view, 11> kNumbers{
    "job number",           "submission time",  "wait time",   "run time",
    "allocated processors", "CPU time",         "memory used", "requested processors",
    "requested time",       "requested memory", "status"};
constexpr std::size_t kSubmit = 1;
constexpr std::size_t kRun = 3;
constexpr std::size_t kAllocated = 4;
constexpr std::size_t kRequested = 7;
constexpr std::size_t kEstimate = 8;
constexpr std::size_t kUser = 11;

using Row = std::array<std::string_view, kColumns>;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Splits at blanks. Returns the number of columns; those after the 18th are counted, not kept.
std::size_t split(std::string_view line, Row& row) {
  std::size_t columns = 0;
  std::size_t i = 0;
  for (;;) {
    while (i < line.size() && is_blank(line[i])) ++i;
    if (i == line.size()) return columns;
    const std::size_t begin = i;
    while (i < line.size() && !is_blank(line[i])) ++i;
    if (columns < kColumns) row[columns] = line.substr(begin, i - begin);
    ++columns;
  }
}

/// Some tools write the columns' names above them: words, no number among them.
bool is_header(const Row& row, std::size_t columns) {
  if (!is_letter(row[0].front()) && row[0].front() != '"') return false;
  for (std::size_t i = 0; i < columns && i < kColumns; ++i)
    if (is_log_number(row[i])) return false;
  return true;
}

bool has_control_characters(std::string_view line) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && !is_blank(c)) || byte == 0x7f) return true;
  }
  return false;
}

class SwfReader {
 public:
  SwfReader(LineReader lines, LogImport& log) : lines_(std::move(lines)), log_(log) {}

  Problems run() {
    std::string_view line;
    while (problems_.size() < kShownProblems && lines_.next(line)) read(line);
    if (lines_.failure()) problems_.push_back(*lines_.failure());
    return std::move(problems_);
  }

 private:
  void refuse(std::string what, std::string right = {}) {
    problems_.push_back({lines_.where(), std::move(what), std::move(right)});
  }

  void refuse_column(const Row& row, std::size_t column, std::string right) {
    refuse("column " + std::to_string(column + 1) + " (" + std::string(kNumbers[column]) + ") is " +
               backquoted(row[column]),
           std::move(right));
  }

  void read(std::string_view line) {
    Row row;
    const std::size_t columns = split(line, row);
    if (columns == 0 || row[0].front() == ';' || row[0].front() == '#') return;
    if (has_control_characters(line)) return refuse("holds control characters: not a text file?");
    if (!seen_job_ && is_header(row, columns)) return;
    if (!is_log_number(row[0])) {
      return refuse("begins with " + backquoted(row[0]), "a job number, or ; before a comment");
    }
    seen_job_ = true;
    if (columns < kColumns) {
      return refuse("has " + std::to_string(columns) + (columns == 1 ? " column" : " columns"),
                    "18 or more: the line may be cut short");
    }
    if (auto job = read_job(row)) log_.add(*std::move(job), lines_.where());
  }

  std::optional<LogJob> read_job(const Row& row) {
    for (std::size_t column = 0; column < kNumbers.size();
         ++column) {  // also those not used: a broken row is no job
      if (is_log_number(row[column])) continue;
      refuse_column(row, column, "a number, -1 if unknown");
      return std::nullopt;
    }
    if (row[0].size() > kMaxIdBytes) {
      refuse_column(row, 0, "at most " + std::to_string(kMaxIdBytes) + " digits");
      return std::nullopt;
    }
    LogJob job;
    std::int64_t estimate_ns = 0;
    if (!read_time(row, kSubmit, job.submit_ns) || !read_time(row, kRun, job.run_ns) ||
        !read_time(row, kEstimate, estimate_ns) || !read_processors(row, job.processors)) {
      return std::nullopt;
    }
    job.id = std::string(row[0]);
    job.user = read_user(row);
    if (estimate_ns > 0) job.walltime_ns = estimate_ns;
    return job;
  }

  /// Unknown if it is no positive number: who it was decides nothing.
  static std::uint32_t read_user(const Row& row) {
    if (!is_log_number(row[kUser])) return 0;
    const LogNumber number = read_log_number(row[kUser], 0, std::numeric_limits<std::uint32_t>::max());
    const bool known = number.state == LogNumber::State::kOk && number.exact && number.value > 0;
    return known ? static_cast<std::uint32_t>(number.value) : 0;
  }

  bool read_time(const Row& row, std::size_t column, std::int64_t& ns) {
    const LogNumber number = read_log_number(row[column], 9, kMaxLogTime_ns);
    ns = number.value;
    if (number.state == LogNumber::State::kOk) return true;
    refuse_column(row, column, "seconds, at most 4e9 (127 years)");
    return false;
  }

  /// Requested processors, or those allocated if none are requested.
  bool read_processors(const Row& row, std::int64_t& processors) {
    for (const std::size_t column : {kRequested, kAllocated}) {
      const LogNumber number = read_log_number(row[column], 0, std::numeric_limits<std::int64_t>::max());
      if (number.state != LogNumber::State::kOk || !number.exact) {
        refuse_column(row, column, "a whole number below 2^63");
        return false;
      }
      processors = number.value;
      if (processors > 0) return true;
    }
    return true;
  }

  LineReader lines_;
  LogImport& log_;
  Problems problems_;
  bool seen_job_ = false;
};

}  // namespace

Result<Imported> import_swf(const std::string& path, const ImportOptions& options) {
  if (auto problems = LogImport::check(options); !problems.empty()) return problems;
  auto lines = LineReader::open(path);
  if (!lines) return lines.problems();
  LogImport log(path, options);
  if (auto problems = SwfReader(std::move(*lines), log).run(); !problems.empty()) return problems;
  return log.finish();
}

}  // namespace duet::sim
