// The whole of `duet` as a function, so that a program with policies of its own is one as well.
#pragma once

#include "core/policy.h"

namespace duet::front {

/// Parses the command line, carries the command out and returns the exit code. `own` policies stand behind
/// Duet's wherever a policy can be named; if one of them is impossible, says so and returns 2. Runs on
/// SimGrid need a program ../libexec/duet-sim beside this one, with the same policies:
/// sim/simgrid/simgrid_main.h.
int main(int argc, char** argv, const OwnPolicies& own = {});

}  // namespace duet::front
