// The next node with room after the one chosen last, around and around.
#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/comparison.h"

namespace duet {
namespace {

class RoundRobin final : public Scheduler {
 public:
  Comparison compare(const Request& request, const TargetIndex& targets, Rng) const override {
    const auto steps = [&](NodeId id) {
      return id.value >= next_ ? id.value - next_ : id.value + targets.size() - next_;
    };
    return compare_fitting("minus the steps from the one after the node chosen last", request, targets,
                           [&](NodeId id, const Target&) { return 0.0 - static_cast<double>(steps(id)); });
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng&) override {
    auto found = targets.first_fit(request, NodeId{next_});
    if (!found) found = targets.first_fit(request);
    if (found) next_ = found->value + 1;
    return found;
  }
  std::uint64_t mark() const override { return next_; }
  void rewind(std::uint64_t mark) override { next_ = mark; }

 private:
  std::uint64_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_round_robin(const Params& params) {
  return make_plain<Scheduler, RoundRobin>(params);
}

}  // namespace duet
