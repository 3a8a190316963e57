// Where what attempts wrote is kept: FOLDER/logs/17.0-1/stdout, and the parts that follow it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"

namespace duet::live {

enum class LogStream : std::uint8_t { kStdout, kStderr };

/// "17.0-1" of the attempt 17.0#1: the name of its folder, here and elsewhere.
std::string attempt_folder_name(AttemptId attempt);

/// "stdout" or "stderr" for the part that begins with the attempt's first byte; "stdout.10485760" for the one
/// that begins so many bytes later. No part is ever renamed, so readers follow one without a race.
std::string log_part_name(LogStream stream, std::uint64_t begin);

struct LogSlice {
  std::uint64_t offset =
      0;  ///< Of the first byte of `text`; beyond what was asked for if that is no longer kept.
  std::uint64_t begin = 0;  ///< Of the first byte that is kept.
  std::uint64_t end = 0;    ///< Behind the last byte that there is, so far.
  std::string text;
};

/// At most `max` bytes of what the attempt wrote, from `offset`, which counts from its first byte. A stream
/// that nothing was written to is empty. Follows no link and leaves no folder: what stands in the way is a
/// Problem.
Result<LogSlice> read_log(const std::string& folder, AttemptId attempt, LogStream stream,
                          std::uint64_t offset, std::size_t max);

/// The attempts of which something is kept, the oldest first, with the bytes they take.
struct KeptLog {
  std::string name;
  std::uint64_t bytes = 0;
};
std::vector<KeptLog> kept_logs(const std::string& folder);

}  // namespace duet::live
