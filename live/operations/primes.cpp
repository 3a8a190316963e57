// Prime numbers up to a limit, counted by a sieve in segments (Eratosthenes; one segment fits a core's
// cache).
#include <atomic>
#include <mutex>

#include <nlohmann/json.hpp>

#include "live/operations/operation.h"

namespace duet::live::operations {
namespace {

constexpr std::uint64_t kNumbersOfSegment = std::uint64_t{1} << 20;

class Primes final : public Operation {
 public:
  explicit Primes(std::uint64_t limit) : limit_(limit) {}

  /// A number costs about half as much as a random point.
  Cost cost() const override { return {static_cast<std::int64_t>(limit_ / 2 + 1), Duration{0}}; }
  std::uint64_t chunks() const override { return limit_ / kNumbersOfSegment + 1; }
  void run(std::uint64_t chunk) override {
    std::call_once(found_, [this] { find_small(); });
    const std::uint64_t begin = chunk * kNumbersOfSegment;
    const std::uint64_t end = std::min(begin + kNumbersOfSegment, limit_ + 1);
    std::vector<bool> composite(end - begin);
    for (const std::uint64_t prime : small_) {
      if (prime * prime >= end) break;
      for (std::uint64_t n = std::max(prime * prime, (begin + prime - 1) / prime * prime); n < end;
           n += prime)
        composite[n - begin] = true;
    }
    std::uint64_t count = 0;
    for (std::uint64_t n = std::max<std::uint64_t>(begin, 2); n < end; ++n)
      count += composite[n - begin] ? 0 : 1;
    count_ += count;
  }
  std::string result() const override { return std::to_string(count_); }

 private:
  /// Those whose squares are not beyond the limit.
  void find_small() {
    for (std::uint64_t n = 2; n * n <= limit_; ++n) {
      bool prime = true;
      for (const std::uint64_t divisor : small_) {
        if (divisor * divisor > n) break;
        if (n % divisor == 0) {
          prime = false;
          break;
        }
      }
      if (prime) small_.push_back(n);
    }
  }

  const std::uint64_t limit_;
  std::once_flag found_;
  std::vector<std::uint64_t> small_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace

Result<std::unique_ptr<Operation>> make_primes(const nlohmann::json& data) {
  DataReader reader(data);
  const std::int64_t limit = reader.integer("limit", 1, kMostIterations);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<Operation>(std::make_unique<Primes>(static_cast<std::uint64_t>(limit)));
}

}  // namespace duet::live::operations
