#include "tools/duet/run_folder.h"

#include <filesystem>
#include <system_error>

namespace duet::front {

std::string trace_of(const std::string& run) {
  std::error_code ignored;
  return std::filesystem::is_directory(run, ignored) ? run + "/trace.duet" : run;
}

}  // namespace duet::front
