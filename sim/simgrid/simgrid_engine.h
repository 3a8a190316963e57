// The SimGrid engine: executes operations on modelled hosts, with SMT and turbo, and passes time.
#pragma once

#include <cstdint>
#include <memory>

#include "core/result.h"
#include "sim/engine.h"
#include "sim/scenario.h"

namespace duet::sim {

/// How the engine has SimGrid execute: results are equal to the last bit.
enum class Executor : std::uint8_t {
  kShell,  ///< Reused executions without actors; the default.
  kActor,  ///< An actor for each execution in progress: slow, and what the shells are checked against.
};

/// The engine of this process: a second one is refused. Threads of nodes that are not plain() share cores and
/// turbo; those of plain nodes are undisturbed as long as no more of them are asked for than the node has. If
/// `needs_cpu_model` is false no host is built and start() must not be called.
///
/// An execution takes at least 1.5 ns, so that it never ends in the nanosecond that started it.
Result<std::unique_ptr<Engine>> make_simgrid_engine(const Scenario& scenario, bool needs_cpu_model,
                                                    Executor executor = Executor::kShell);

/// How many ends were reported late because their own nanosecond had been played. Zero as long as the
/// simulated time stays below 2^23 s (97 days): then SimGrid's doubles become coarser than instants.
std::uint64_t late_ends(const Engine& simgrid_engine);

}  // namespace duet::sim
