// A run by its trace, or by the folder that `duet sim --out` or a live cluster wrote.
#pragma once

#include <string>

#include "core/codec/trace_file.h"

namespace duet::front {

/// What holds the trace of a run, for codec::open_trace(): the path itself; or, if it is a folder, trace.duet
/// in it, or its folder `flight` with the segments of live runs, or itself if those lie in it.
std::string trace_of(const std::string& run);

/// Says on standard error what a trace that was read to its end, or as far as it goes, lacks.
void note_what_lacks(const codec::TraceReader& reader);

}  // namespace duet::front
