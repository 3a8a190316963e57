// A trace as Chrome trace JSON, for ui.perfetto.dev: who ran where and when.
#pragma once

#include <cstdint>

#include "core/codec/atomic_file.h"
#include "core/codec/trace_file.h"
#include "core/result.h"

namespace duet::codec {

/// Beyond this many bytes the viewer may not open the file.
inline constexpr std::uint64_t kPerfettoComfort = 200'000'000;

/// Streams the trace: one process per node, one track per hardware thread. An attempt is a slice on the
/// tracks of the threads it holds, once per core if it holds all of a core, for as long as nobody else
/// holds one of them: slices of one track may not overlap. The others are asynchronous slices of their
/// node. Flow arrows lead from an attempt to the next of its task; counters tell how many tasks wait and
/// how many run. Times are microseconds since the start of the run. Returns the number of events written.
Result<std::uint64_t> perfetto(TraceReader& reader, TextSink& to);

}  // namespace duet::codec
