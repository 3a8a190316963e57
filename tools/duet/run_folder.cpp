#include "tools/duet/run_folder.h"

#include <filesystem>
#include <system_error>

#include "core/codec/segments.h"
#include "sim/terminal.h"

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

void note_what_lacks(const codec::TraceReader& reader) {
  if (reader.steps_before() > 0) {
    sim::say("note: " + reader.name() + ": the first " + std::to_string(reader.steps_before()) +
             " steps of the run are in segments that are gone\n");
  }
  if (reader.unfinished()) sim::say("note: " + reader.name() + ": " + *reader.unfinished() + '\n');
}

}  // namespace duet::front
