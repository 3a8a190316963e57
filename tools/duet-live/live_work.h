// A scenario's jobs as real processes can run them.
#pragma once

#include <string>

#include "core/result.h"
#include "sim/scenario.h"

namespace duet::live_run {

struct Translation {
  double speedup = 1;
  std::string workload;  ///< Path of duet-workload.
};

/// Durations become sleeping processes, operations become processes that burn as much processor time as a
/// lone thread of the first node type would take; those that are to fail do. Times are divided by the
/// speed-up.
JobSpecPtr live_spec(const JobSpec& spec, const sim::Scenario& scenario, const Translation& how);

/// What of the scenario only a simulation can do, all of it; empty if it can be run live.
Problems only_simulated(const sim::Scenario& scenario);
/// What of it has no effect live, in words; empty if nothing.
std::string without_effect(const sim::Scenario& scenario);

}  // namespace duet::live_run
