// The highest priority first, and of equal ones the first submitted. Strict: while the first does not fit,
// nothing behind it starts, however small, and nothing that runs is pushed aside for it.
#include "core/params.h"
#include "core/plan.h"
#include "core/policy.h"

namespace duet {
namespace {

class Priority final : public Queue {
 public:
  std::int64_t rank(const Waiting& waiting) const override { return -std::int64_t{waiting.priority}; }
  void pass(Plan& plan) override {
    for (auto at = plan.begin(); at != plan.end();)
      if (!plan.start(at)) return;
  }
};

}  // namespace

Result<std::unique_ptr<Queue>> make_priority(const Params& params) {
  return make_plain<Queue, Priority>(params);
}

}  // namespace duet
