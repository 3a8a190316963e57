// The lowest node that has room.
#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class FirstFit final : public Scheduler {
 public:
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    return targets.first_fit(request);
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_first_fit(const Params& params) {
  return make_plain<Scheduler, FirstFit>(params);
}

}  // namespace duet
