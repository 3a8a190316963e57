// The less loaded of two targets drawn at random.
//
// One random choice leaves some targets with far more than their share; a second one, and taking the better,
// makes the worst exponentially less bad, and it costs two looks however many targets there are. Azar,
// Broder, Karlin, Upfal, "Balanced allocations", SIAM J. Comput. 29(1), 1999; Mitzenmacher, IEEE TPDS 12(10),
// 2001.
#include <algorithm>

#include "core/params.h"
#include "core/policy.h"
#include "core/policy/scheduler/utilisation.h"

namespace duet {
namespace {

constexpr int kDraws = 8;

/// A target that fits, of which there is one: uniform among all of them, as long as one in a few draws hits.
NodeId draw(const Request& request, const TargetIndex& targets, Rng& rng) {
  NodeId drawn;
  for (int i = 0; i < kDraws; ++i) {
    drawn = NodeId{rng.below(targets.size())};
    if (targets.fits(drawn, request)) return drawn;
  }
  // Hardly any fits: the next one from where the last draw fell, around and around.
  const auto next = targets.first_fit(request, drawn);
  return next ? *next : *targets.first_fit(request);
}

class TwoChoices final : public Scheduler {
 public:
  /// The same two draws, from a copy of the source; all others are not looked at.
  Comparison compare(const Request& request, const TargetIndex& targets, Rng rng) const override {
    Comparison out{"minus the share of its CPU in use, of the two drawn", {}};
    out.score.resize(targets.size());
    if (!targets.first_fit(request)) return out;
    for (int i = 0; i < 2; ++i) {
      const NodeId drawn = draw(request, targets, rng);
      out.score[drawn.value] = -cpu_load(targets.target(drawn));
    }
    return out;
  }
  std::optional<NodeId> pick(const Request& request, const TargetIndex& targets, Rng& rng) override {
    if (!targets.first_fit(request)) return std::nullopt;  // And nothing is drawn.
    const NodeId one = draw(request, targets, rng);
    const NodeId other = draw(request, targets, rng);
    const double one_load = cpu_load(targets.target(one));
    const double other_load = cpu_load(targets.target(other));
    if (one_load == other_load) return std::min(one, other);
    return one_load < other_load ? one : other;
  }
};

}  // namespace

Result<std::unique_ptr<Scheduler>> make_two_choices(const Params& params) {
  return make_plain<Scheduler, TwoChoices>(params);
}

}  // namespace duet
