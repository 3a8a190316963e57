// Shortest job first, by estimate. No backfilling: the shortest waiting job blocks the others until it fits.
#include <limits>

#include "core/params.h"
#include "core/plan.h"
#include "core/policy.h"

namespace duet {
namespace {

class Sjf final : public Queue {
 public:
  /// Jobs without an estimate come last.
  std::int64_t rank(const Waiting& waiting) const override {
    return waiting.estimate ? to_ns(*waiting.estimate) : std::numeric_limits<std::int64_t>::max();
  }
  void pass(Plan& plan) override {
    for (auto at = plan.begin(); at != plan.end();)
      if (!plan.start(at)) return;
  }
};

}  // namespace

Result<std::unique_ptr<Queue>> make_sjf(const Params& params) { return make_plain<Queue, Sjf>(params); }

}  // namespace duet
