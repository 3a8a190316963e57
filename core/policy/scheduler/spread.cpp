// The emptiest node that has room: load is spread, and a lost node takes little with it.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"
#include "core/policy/scheduler/utilisation.h"

namespace duet {
namespace {

class Spread final : public Scheduler {
 public:
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    return compare_fitting("minus (0.7 CPU + 0.3 memory in use with the task)", request, targets,
                           [&](NodeId, const Target& target) { return -utilisation_with(target, request); });
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.emptiest(request,
                            [&](const Target& target) { return -utilisation_with(target, request); });
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_spread(const Params& params) {
  return make_plain<Scheduler, Spread>(params);
}

}  // namespace duet
