// One seed, one scenario: a small cluster, its jobs, its knobs and its misfortunes, followed by peace in
// which everything must come to an end.
#pragma once

#include <cstdint>

#include "sim/scenario.h"

namespace duet::sim {

/// Draws the scenario of a seed. Each purpose has a stream of its own, so that a change in how one thing is
/// drawn leaves the others as they were. Half of the seeds switch each kind of trouble on or off by a coin
/// (swarm testing: Groce et al., ISSTA 2012), the other half have all of them on.
///
/// The result can be written as a scenario file. All faults end at some instant; the nodes that are then left
/// can hold every job, and the horizon lies where even the slowest correct run is done.
Scenario draw_scenario(std::uint64_t seed);

/// Sets the horizon to where a correct run must be done; none if the scenario owes no end.
void set_horizon(Scenario& scenario);

}  // namespace duet::sim
