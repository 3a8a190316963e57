// SimGrid as a process sees it: one engine, once; it is silent and leaves our signals alone.
#pragma once

namespace duet::sim {

/// Starts SimGrid in this process. False if that was done before, by whomever: its clock and its platform are
/// global and survive their engine, so a second run would start with the time of the first.
bool start_simgrid();

}  // namespace duet::sim
