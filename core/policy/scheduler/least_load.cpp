// The target that is busiest least, relative to what it can hold: the big ones get more.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"
#include "core/policy/scheduler/utilisation.h"

namespace duet {
namespace {

class LeastLoad final : public Scheduler {
 public:
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    return compare_fitting("minus the share of its CPU in use", request, targets,
                           [&](NodeId, const Target& target) { return -cpu_load(target); });
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.emptiest(request, [](const Target& target) { return -cpu_load(target); });
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_least_load(const Params& params) {
  return make_plain<Scheduler, LeastLoad>(params);
}

}  // namespace duet
