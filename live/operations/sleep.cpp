// Lets time pass without a processor: for trying out queues, timeouts and cancellation.
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/codec/json_text.h"
#include "live/operations/operation.h"

namespace duet::live::operations {
namespace {

class Sleep final : public Operation {
 public:
  explicit Sleep(double seconds) : seconds_(seconds) {}

  Cost cost() const override { return {0, std::max(pause(), Duration{1})}; }
  std::uint64_t chunks() const override { return 1; }
  Duration pause() const override { return Duration(std::llround(seconds_ * 1e9)); }
  void run(std::uint64_t) override {}
  /// What was asked for: how long it really took is not the same each time.
  std::string result() const override {
    std::string out;
    codec::append_number(out, seconds_);
    return out;
  }

 private:
  const double seconds_;
};

}  // namespace

Result<std::unique_ptr<Operation>> make_sleep(const nlohmann::json& data) {
  DataReader reader(data);
  const double seconds = reader.number("seconds", 0, 1e6);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<Operation>(std::make_unique<Sleep>(seconds));
}

}  // namespace duet::live::operations
