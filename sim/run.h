// Runs one scenario on one engine, with its trace and results.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/trace.h"
#include "sim/cluster_world.h"
#include "sim/engine.h"
#include "sim/results.h"
#include "sim/scenario.h"

namespace duet::sim {

/// Makes an engine; the second argument says whether some task needs a model of the processor.
using EngineMaker = std::function<Result<std::unique_ptr<Engine>>(const Scenario&, bool)>;

/// Plays the scenario to its end. Problems are those of making the engine. SimGrid runs need a process of
/// their own.
Result<Results> run(const Scenario& scenario, const EngineMaker& make_engine, const WorldOptions& options);

/// True if some task of the workload has operations instead of a duration.
bool needs_cpu_model(const Scenario& scenario);

}  // namespace duet::sim
