// The next node with room after the one chosen last, around and around.
#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class RoundRobin final : public Scheduler {
 public:
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
