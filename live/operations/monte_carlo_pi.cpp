// Pi by the Monte Carlo method: of random points in the unit square, a quarter of pi lie in the quarter of
// the unit circle. In whole numbers, and a stream of random numbers for each chunk, so that every machine
// with any number of threads finds the same.
#include <atomic>

#include <nlohmann/json.hpp>

#include "core/codec/json_text.h"
#include "core/rng.h"
#include "live/operations/operation.h"

namespace duet::live::operations {
namespace {

constexpr std::int64_t kPointsOfChunk = std::int64_t{1} << 20;

class MonteCarloPi final : public Operation {
 public:
  MonteCarloPi(std::int64_t iterations, std::uint64_t seed) : iterations_(iterations), seed_(seed) {}

  Cost cost() const override { return {iterations_, Duration{0}}; }
  std::uint64_t chunks() const override {
    return static_cast<std::uint64_t>((iterations_ + kPointsOfChunk - 1) / kPointsOfChunk);
  }
  void run(std::uint64_t chunk) override {
    Rng rng(keyed_draw(seed_, chunk, 0));
    const std::int64_t begin = static_cast<std::int64_t>(chunk) * kPointsOfChunk;
    const std::int64_t count = std::min(kPointsOfChunk, iterations_ - begin);
    std::int64_t inside = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint64_t draw = rng.next();
      const std::uint64_t x = draw >> 33;  // 31 bits each: the squares' sum fits.
      const std::uint64_t y = (draw & 0xffff'ffffU) >> 1;
      inside += x * x + y * y < (std::uint64_t{1} << 62) ? 1 : 0;
    }
    inside_ += inside;
  }
  std::string result() const override {
    std::string out;
    codec::append_number(out, 4.0 * static_cast<double>(inside_) / static_cast<double>(iterations_));
    return out;
  }

 private:
  const std::int64_t iterations_;
  const std::uint64_t seed_;
  std::atomic<std::int64_t> inside_{0};
};

}  // namespace

Result<std::unique_ptr<Operation>> make_monte_carlo_pi(const nlohmann::json& data) {
  DataReader reader(data);
  const std::int64_t iterations = reader.integer("iterations", 1, kMostIterations);
  const std::int64_t seed = reader.integer_or("seed", 1, 0);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<Operation>(
      std::make_unique<MonteCarloPi>(iterations, static_cast<std::uint64_t>(seed)));
}

}  // namespace duet::live::operations
