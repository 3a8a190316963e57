// The lowest node that has room.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"

namespace duet {
namespace {

class FirstFit final : public Scheduler {
 public:
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    return compare_fitting("minus its number", request, targets,
                           [](NodeId id, const Target&) { return 0.0 - static_cast<double>(id.value); });
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.first_fit(request);
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_first_fit(const Params& params) {
  return make_plain<Scheduler, FirstFit>(params);
}

}  // namespace duet
