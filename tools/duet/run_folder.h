// A run by its trace or by the folder that `duet sim --out` wrote.
#pragma once

#include <string>

namespace duet::front {

/// The trace of a run: the path itself, or trace.duet in it if it is a folder.
std::string trace_of(const std::string& run);

}  // namespace duet::front
