// What the submitter declared. Nothing is learned, nothing is guessed.
#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class Declared final : public CpuEstimator {
 public:
  std::optional<Duration> predict(const TaskSpec& spec) const override {
    if (spec.estimate == Duration{0}) return std::nullopt;
    return spec.estimate;
  }
  void observe(const TaskSpec&, Duration, Duration) override {}
};

}  // namespace

Result<std::unique_ptr<CpuEstimator>> make_declared(const Params& params) {
  return make_plain<CpuEstimator, Declared>(params);
}

}  // namespace duet
