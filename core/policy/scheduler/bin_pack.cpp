// The fullest node that has room: few nodes carry much, the others stay free for what is big.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"
#include "core/policy/scheduler/utilisation.h"

namespace duet {
namespace {

class BinPack final : public Scheduler {
 public:
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    return compare_fitting("0.7 CPU + 0.3 memory in use with the task", request, targets,
                           [&](NodeId, const Target& target) { return utilisation_with(target, request); });
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.fullest(request, [&](const Target& target) { return utilisation_with(target, request); });
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_bin_pack(const Params& params) {
  return make_plain<Scheduler, BinPack>(params);
}

}  // namespace duet
