// A run whose controller dies after any one of its steps comes to the same ends.
#pragma once

#include <functional>

#include "tests/harness/harness.h"

namespace duet::test {

/// Plays `script` on `nodes` once undisturbed, and then once for each step of the controller, after which
/// another one starts from the store. Every time the verdicts must be the same, no attempt may start twice,
/// no two attempts may hold the same threads, and nothing may be left in the store. `and_then` checks more;
/// it is called after each of the latter runs.
void expect_same_after_restarts(const ClusterBuilder& nodes, const std::function<void(Harness&)>& script,
                                const std::function<void(const Harness&)>& and_then = {});

}  // namespace duet::test
