// Importing a job log: what every log format shares. A log becomes a whole scenario: a cluster without delays
// or failures, and a table of rigid jobs. Rules, with their reasons: docs/importing.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sim/scenario.h"

namespace duet::sim {

struct ImportOptions {
  enum class Shape : std::uint8_t {
    kPool,   ///< One node of `size` cores; a job of n processors is one task of n cores.
    kHosts,  ///< `size` nodes of one core; a job of n processors is a gang of n one-core tasks.
  };
  enum class Overrun : std::uint8_t {
    kExtend,  ///< No job is killed; estimate = max(estimate, run time), as backfilling simulators have it.
    kKill,    ///< Batsim's rule: a job that would run longer than its walltime is killed at its walltime.
  };
  Shape shape = Shape::kPool;
  std::uint32_t size = 0;  ///< Cores, 1 .. kMaxCores or kMaxHosts.
  bool as_work = false;    ///< Run times as operations at kWorkSpeed instead of durations.
  Overrun overrun = Overrun::kExtend;

  static constexpr std::uint32_t kMaxCores = 100'000'000;
  static constexpr std::uint32_t kMaxHosts = 1'000'000;
};

/// Longest id of a job, in bytes: what a scenario file allows for a name.
inline constexpr std::size_t kMaxIdBytes = 200;

/// Operations per second of an imported core: one nanosecond of run time is one operation.
inline constexpr double kWorkSpeed = 1e9;

/// Longest time a log may speak of, 4e9 s (127 years), as in scenarios: submission plus run time is always a
/// valid instant.
inline constexpr std::int64_t kMaxLogTime_ns = std::int64_t{4'000'000'000} * 1'000'000'000;

struct ImportReport {
  struct Dropped {
    std::string reason;
    std::uint64_t count = 0;
    std::string first;  ///< Where the first of them stands: line or JSON pointer.
  };
  std::uint64_t records = 0;  ///< Jobs in the log: kept + dropped.
  std::uint64_t kept = 0;
  std::uint64_t overruns = 0;  ///< Kept jobs that ran longer than their estimate: extended, or to be killed.
  std::vector<Dropped> dropped;  ///< In the order of their first occurrence.

  std::uint64_t total_dropped() const { return records - kept; }
  /// For the terminal: "3145 of 3170 jobs kept", then a line per reason. Ends with a newline.
  std::string text() const;
};

struct Imported {
  Scenario scenario;
  ImportReport report;
};

/// One job as a log tells it, before any rule.
struct LogJob {
  std::string id;
  std::int64_t submit_ns = 0;
  std::int64_t run_ns = 0;
  std::optional<std::int64_t> walltime_ns;  ///< The user's estimate, > 0; nothing if not given.
  std::int64_t processors = 0;
  std::uint32_t user = 0;  ///< 0 = unknown.
};

/// Applies the rules to one job after the other and ends with the scenario.
class LogImport {
 public:
  /// `path` gives the scenario its name. `options` must be valid: see check().
  LogImport(std::string_view path, const ImportOptions& options);

  /// What is wrong with the options; empty if nothing.
  static Problems check(const ImportOptions& options);

  /// Keeps the job, or counts why not. `where` is its line or JSON pointer.
  void add(LogJob job, std::string_view where);
  /// Counts a job that cannot be simulated.
  void drop(std::string_view reason, std::string_view where);

  /// The scenario, jobs by submission time, equal times as in the log. A problem if no job is left.
  Result<Imported> finish();

 private:
  std::string path_;
  ImportOptions options_;
  ImportReport report_;
  std::vector<TableJob> jobs_;
  std::string too_big_;  ///< The reason, made once.
};

/// A decimal number in a log.
struct LogNumber {
  enum class State : std::uint8_t { kOk, kNotANumber, kTooLarge };
  State state = State::kOk;
  std::int64_t value = 0;  ///< In units of 10^-decimals, rounded to the nearest, halves away from zero.
  bool exact = true;       ///< Nothing was rounded.
};

/// Reads [+-]digits[.digits][e[+-]digits] exactly; at least one digit before or after the point. kTooLarge:
/// beyond `limit` units in either direction.
LogNumber read_log_number(std::string_view text, int decimals, std::int64_t limit);

/// True for what read_log_number() reads, however large.
bool is_log_number(std::string_view text);

/// "logs/hpc2n.swf.gz" -> "hpc2n": the file's name without folders and endings, printable.
std::string log_name(std::string_view path);

}  // namespace duet::sim
