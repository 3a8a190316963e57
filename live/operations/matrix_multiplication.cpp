// The product of two square matrices of whole random numbers from 0 to 255. Its trace and the sum of all its
// elements tell whether it is right; in whole numbers, so that they do not depend on the order of additions.
#include <atomic>
#include <mutex>

#include <nlohmann/json.hpp>

#include "core/rng.h"
#include "live/operations/operation.h"

namespace duet::live::operations {
namespace {

constexpr std::int64_t kLargestMatrix = 4096;

class MatrixMultiplication final : public Operation {
 public:
  MatrixMultiplication(std::size_t size, std::uint64_t seed) : size_(size), seed_(seed) {}

  /// Eight multiplications and additions cost about as much as a random point.
  Cost cost() const override {
    const auto size = static_cast<std::int64_t>(size_);
    return {size * size * size / 8 + 1, Duration{0}};
  }
  /// A row of the product each.
  std::uint64_t chunks() const override { return size_; }
  void run(std::uint64_t chunk) override {
    std::call_once(drawn_, [this] { draw(); });
    const std::size_t row = chunk;
    std::vector<std::uint32_t> product(size_);
    for (std::size_t k = 0; k < size_; ++k) {
      const std::uint32_t factor = left_[row * size_ + k];
      const std::uint8_t* const other = &right_[k * size_];
      for (std::size_t column = 0; column < size_; ++column) product[column] += factor * other[column];
    }
    std::uint64_t sum = 0;
    for (const std::uint32_t element : product) sum += element;
    sum_ += sum;
    trace_ += product[row];
  }
  std::string result() const override {
    return "{\"trace\":" + std::to_string(trace_) + ",\"sum\":" + std::to_string(sum_) + "}";
  }

 private:
  void draw() {
    Rng rng(seed_);
    for (auto* matrix : {&left_, &right_}) {
      matrix->resize(size_ * size_);
      for (std::uint8_t& element : *matrix) element = static_cast<std::uint8_t>(rng.next() >> 56);
    }
  }

  const std::size_t size_;
  const std::uint64_t seed_;
  std::once_flag drawn_;
  std::vector<std::uint8_t> left_;  ///< By rows, as the next.
  std::vector<std::uint8_t> right_;
  std::atomic<std::uint64_t> trace_{0};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace

Result<std::unique_ptr<Operation>> make_matrix_multiplication(const nlohmann::json& data) {
  DataReader reader(data);
  const std::int64_t size = reader.integer("size", 1, kLargestMatrix);
  const std::int64_t seed = reader.integer_or("seed", 1, 0);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<Operation>(std::make_unique<MatrixMultiplication>(static_cast<std::size_t>(size),
                                                                           static_cast<std::uint64_t>(seed)));
}

}  // namespace duet::live::operations
