// Seeds in processes of their own, a few hundred at a time: what kills a process costs one seed, not the
// campaign.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/checkers.h"

namespace duet::sim {

struct SeedResult {
  std::uint64_t seed = 0;
  std::vector<Violation> violations;
};

/// Calls `check(seed)` for `seeds` seeds from `first` on, in `workers` processes at a time. In this process,
/// `report(ran, result)` is called for each seed with violations at once, and with an empty result now and
/// then; `ran` counts finished seeds. A seed whose process dies, or that takes a minute, has the violation
/// "CHECK" with the last line the process wrote to stderr. Stops early, without finishing what is under way,
/// when `report` returns false.
void run_workers(std::uint64_t first, std::uint64_t seeds, unsigned workers,
                 const std::function<std::vector<Violation>(std::uint64_t)>& check,
                 const std::function<bool(std::uint64_t, SeedResult)>& report);

}  // namespace duet::sim
