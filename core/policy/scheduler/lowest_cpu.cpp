// The target with the least CPU allocated, in millicores, whatever its size: meant for targets of one size.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"
#include "core/policy/scheduler/utilisation.h"

namespace duet {
namespace {

class LowestCpu final : public Scheduler {
 public:
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    return compare_fitting(
        "minus its millicores in use", request, targets,
        [&](NodeId, const Target& target) { return -static_cast<double>(cpu_used(target)); });
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.emptiest(request, [](const Target& target) { return -cpu_used(target); });
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_lowest_cpu(const Params& params) {
  return make_plain<Scheduler, LowestCpu>(params);
}

}  // namespace duet
