// The numbers of one run: what assertions speak of and summary.json carries.
#pragma once

#include "sim/assertions.h"
#include "sim/results.h"
#include "sim/scenario.h"

namespace duet::sim {

/// Fills every one of known_metrics() that the run has; a mean over no jobs is absent. Seconds and counts.
Metrics measure(const Scenario& scenario, const Results& results);

/// Hardware threads of all nodes together.
std::uint64_t hardware_threads(const Scenario& scenario);

/// True if no more will become of the job.
bool has_ended(const JobRow& job);

}  // namespace duet::sim
