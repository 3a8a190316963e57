// The task's iterations at a given rate. For operations whose cost is proportional to their size, on nodes of
// one speed.
#include "core/policy/estimator/iterations.h"

#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class Iterations final : public CpuEstimator {
 public:
  explicit Iterations(std::int64_t rate) : rate_(rate) {}
  std::optional<Duration> predict(const TaskSpec& spec) const override {
    return predict_by_rate(spec, rate_);
  }
  void observe(const TaskSpec&, Duration, Duration) override {}

 private:
  std::int64_t rate_;
};

}  // namespace

Result<std::unique_ptr<CpuEstimator>> make_iterations(const Params& params) {
  ParamReader reader(params);
  const std::int64_t rate = reader.integer("rate", kDefaultRate, 1, kMaxRate);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<CpuEstimator>(std::make_unique<Iterations>(rate));
}

}  // namespace duet
