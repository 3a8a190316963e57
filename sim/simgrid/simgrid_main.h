// The whole of `duet-sim` as a function, so that a program with policies of its own is one as well.
#pragma once

#include "core/policy.h"

namespace duet::sim {

/// One run on the SimGrid engine, told by duet what to do: a process can hold one SimGrid run only. Returns
/// the exit code. `own`: as in duet::front::main(), and the same ones.
int simgrid_main(int argc, char** argv, const OwnPolicies& own = {});

}  // namespace duet::sim
