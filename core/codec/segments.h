// Runs that are kept in several files: folders of segments, as a flight recorder leaves them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/codec/trace_file.h"
#include "core/result.h"

namespace duet::codec {

/// Behind the name of a segment while it is written; what a run that was killed leaves has it for ever.
inline constexpr std::string_view kPartSuffix = ".part";

/// "000017.duet"
std::string segment_name(std::uint64_t file);
/// "000017.stopped": beside a segment that lacks its end because it could not be written on; says why.
std::string stopped_name(std::uint64_t file);

/// A file of a folder of segments.
struct SegmentFile {
  std::uint64_t file = 0;  ///< The number in its name: counts the files of the folder, over all runs.
  std::string path;
  bool part = false;  ///< Its name says that it may lack its end.
};
/// Ascending by number; other files are passed over. Of one that is there twice, the whole one.
std::vector<SegmentFile> segment_files(const std::string& folder);

/// One life of a controller or an agent.
struct RecordedRun {
  std::string run;
  std::vector<std::string> paths;  ///< In their order.
  bool part = false;               ///< The last of them may lack its end.
};
/// The runs of a folder, in their order. A file that lacks even its header is passed over: its writer was
/// killed when it had just made it. Problems: a header that cannot be read, or no segment at all.
Result<std::vector<RecordedRun>> runs_in(const std::string& folder);

/// Its segments as one trace.
Result<TraceReader> open_run(const RecordedRun& run, ReadOptions options = {});

/// The trace at `path`: a file; or of a folder of segments the last run; or, if the file is a segment, its
/// run from there on.
Result<TraceReader> open_trace(const std::string& path, ReadOptions options = {});

}  // namespace duet::codec
