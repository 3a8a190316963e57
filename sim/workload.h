// The jobs of a scenario, one after the other: listed, imported, or drawn from its seed.
#pragma once

#include <memory>

#include "core/rng.h"
#include "sim/scenario.h"

namespace duet::sim {

/// The stream all generators of a scenario draw from.
inline Rng workload_stream(const Scenario& scenario) { return Rng(scenario.seed).fork("workload"); }

/// One job of a table as the core takes it. Its key is the job's id in the log.
JobSpecPtr make_spec(const TableJob& job);

// open_workload() is declared in sim/scenario.h. Generated jobs are keyed 1, 2, ... in the order of their
// submission; a run time is at least 1 ns, an operation count at least 1. Estimates of operations assume the
// speed of a lone thread of the first node type.

}  // namespace duet::sim
