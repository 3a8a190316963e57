// The workload as a task: it takes a while, or so much of its processors, and may fail.
#pragma once

#include <optional>

namespace duet::workload {

/// With --sleep=SECONDS (of a clock) or --burn=SECONDS (of processor time, on each processor that it may
/// use): takes so long, and returns its exit code: that of --exit-code=N in the attempts of its task up to
/// number --fail-attempts=N, else 0; a negative one is a signal that it ends itself by. 2 if a word is
/// mistaken. Nothing without either: it is not meant as a task.
std::optional<int> run_as_task(int argc, const char* const* argv);

}  // namespace duet::workload
