// The emptiest node that has room: load is spread, and a lost node takes little with it.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/utilisation.h"

namespace duet {
namespace {

class Spread final : public Scheduler {
 public:
  std::optional<double> score(const Request& request, const Target& target) const override {
    return -utilisation_with(target, request);
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.best(request, [&](const Target& target) { return *score(request, target); });
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_spread(const Params& params) {
  return make_plain<Scheduler, Spread>(params);
}

}  // namespace duet
