// One scenario in both worlds, task by task.
#pragma once

#include <string>

#include "sim/results.h"
#include "sim/scenario.h"

namespace duet::live_run {

/// A table: where and when the last attempt of each task began and ended, as simulated and as measured, and
/// how far apart the ends are; then what that comes to. Both are of `scenario`.
std::string side_by_side(const sim::Scenario& scenario, const sim::Results& predicted,
                         const sim::Results& measured);

}  // namespace duet::live_run
