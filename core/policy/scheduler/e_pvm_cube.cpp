// The variant of e_pvm that the orchestrator "cube" uses: see opportunity_cost.h.
//
// After Boring, "Build an Orchestrator in Go (From Scratch)", Manning 2024, chapter 10, with one correction:
// there the terms of the CPU cancel, and a machine's CPU makes no difference; here a task raises them. What
// is measured there, the load of the last seconds, is here what is allocated.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"
#include "core/policy/scheduler/opportunity_cost.h"

namespace duet {
namespace {

class EPvmCube final : public Scheduler {
 public:
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    return compare_fitting(
        "minus the rise of its price", request, targets,
        [&](NodeId, const Target& target) { return score_of_units(cube::units(target, request)); });
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    const auto score = [&](const Target& target) { return -cube::units(target, request); };
    const std::int64_t slack = slack_of_prices(targets);
    return targets.emptiest(request, score, [&](const Target& target) { return score(target) + slack; });
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_e_pvm_cube(const Params& params) {
  return make_plain<Scheduler, EPvmCube>(params);
}

}  // namespace duet
