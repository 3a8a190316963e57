// What this program takes of its machine.
#pragma once

#include <cstdint>

namespace duet::live {

struct ProcessFigures {
  double cpu_s = 0;
  double started_s = 0;  ///< Unix time.
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

/// What cannot be found out is 0.
ProcessFigures process_figures();

}  // namespace duet::live
