// Reads job logs in the Standard Workload Format: one line per job, 18 columns.
#pragma once

#include <string>

#include "core/result.h"
#include "sim/import_common.h"

namespace duet::sim {

/// Imports a log in the Standard Workload Format, version 2 (Chapin et al., "Benchmarks and standards for the
/// evaluation of parallel job schedulers", JSSPP 1999), plain or gzip-compressed.
///
/// Columns used: 1 job, 2 submission, 4 run time, 8 requested processors (5, allocated, if not > 0), 9
/// requested time (the run time if not > 0). Times are seconds, read exactly into nanoseconds. Lines that
/// begin with ; or #, empty lines, and rows of words before the first job are skipped; more than 18 columns
/// are allowed. Any other line is refused, the first ten with `file:line` each.
Result<Imported> import_swf(const std::string& path, const ImportOptions& options);

}  // namespace duet::sim
