// Makes a failing scenario small: fewer faults, jobs and nodes, plainer knobs, as long as it fails in the
// same way.
#pragma once

#include <cstdint>
#include <functional>

#include "sim/scenario.h"

namespace duet::sim {

/// True if the scenario still fails in the way that is being looked into.
using StillFails = std::function<bool(const Scenario&)>;

struct ShrinkStats {
  std::uint64_t runs = 0;
};

/// Removes what is not needed for the failure, by halves first, then one by one (ddmin: Zeller, Hildebrandt,
/// "Simplifying and isolating failure-inducing input", IEEE TSE 28(2), 2002), again until nothing more can go
/// or `most_runs` are used up. `scenario` must fail and list its jobs. The fate of a message depends on its
/// link and number alone, so removing one fault leaves the others in place.
Scenario shrink(const Scenario& scenario, const StillFails& still_fails, std::uint64_t most_runs = 3000,
                ShrinkStats* stats = nullptr);

}  // namespace duet::sim
