// First come, first served.
#include "core/params.h"
#include "core/plan.h"
#include "core/policy.h"

namespace duet {
namespace {

class Fcfs final : public Queue {
 public:
  std::int64_t rank(const Waiting&) const override { return 0; }
  void pass(Plan& plan) override {
    for (auto at = plan.begin(); at != plan.end();)
      if (!plan.start(at)) return;
  }
};

}  // namespace

Result<std::unique_ptr<Queue>> make_fcfs(const Params& params) { return make_plain<Queue, Fcfs>(params); }

}  // namespace duet
