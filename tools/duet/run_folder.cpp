#include "tools/duet/run_folder.h"

#include <filesystem>
#include <system_error>

#include "core/codec/segments.h"

namespace duet::front {

namespace fs = std::filesystem;

std::string trace_of(const std::string& run) {
  std::error_code ignored;
  if (!fs::is_directory(run, ignored)) return run;
  const std::string trace = run + "/trace.duet";
  if (fs::exists(trace, ignored)) return trace;
  for (const std::string& folder : {run + "/flight", run})
    if (!codec::segment_files(folder).empty()) return folder;
  return trace;
}

}  // namespace duet::front
