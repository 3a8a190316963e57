// Reads workloads of the Batsim simulator: JSON with jobs, and the profiles that say what they do.
#pragma once

#include <string>

#include "core/result.h"
#include "sim/import_common.h"

namespace duet::sim {

/// Imports a Batsim workload, plain or gzip-compressed:
///   {"jobs": [{"id", "subtime", "res", "walltime"?, "profile"}...], "profiles": {NAME: {"type", ...}}}.
///
/// Times are seconds. They are rounded to whole microseconds, halves up, because that is what Batsim prints:
/// its published schedules then compare exactly. `walltime` -1 or missing means none. Jobs with a profile of
/// type `delay` (`DelayProfile`), or a sequence (`composed`, `SequentialCompositionProfile`) of such, have a
/// run time; jobs with any other profile are dropped and counted by its type, because how long they run
/// depends on the platform. What is not as described is refused, all mistakes at once, each with
/// file:line:col and JSON pointer.
Result<Imported> import_batsim(const std::string& path, const ImportOptions& options);

}  // namespace duet::sim
