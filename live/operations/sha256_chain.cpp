// SHA-256 of a text, of the 32 bytes that came out, of those again, ...: work that cannot be shared out.
#include <array>

#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include "live/operations/operation.h"

namespace duet::live::operations {
namespace {

constexpr std::int64_t kHashesOfChunk = 16'384;
constexpr std::int64_t kMostHashes = 1'000'000'000;

class Sha256Chain final : public Operation {
 public:
  Sha256Chain(std::int64_t iterations, std::string text) : iterations_(iterations), text_(std::move(text)) {}

  /// A hash costs about as much as thirty random points.
  Cost cost() const override { return {iterations_ * 30, Duration{0}}; }
  bool in_order() const override { return true; }
  std::uint64_t chunks() const override {
    return static_cast<std::uint64_t>((iterations_ + kHashesOfChunk - 1) / kHashesOfChunk);
  }
  void run(std::uint64_t chunk) override {
    const std::int64_t begin = static_cast<std::int64_t>(chunk) * kHashesOfChunk;
    const std::int64_t end = std::min(begin + kHashesOfChunk, iterations_);
    for (std::int64_t i = begin; i < end; ++i) {
      const auto before = hash_;
      if (i == 0)
        SHA256(reinterpret_cast<const unsigned char*>(text_.data()), text_.size(), hash_.data());
      else
        SHA256(before.data(), before.size(), hash_.data());
    }
  }
  std::string result() const override {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out = "\"";
    for (const unsigned char byte : hash_) {
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
    return out + "\"";
  }

 private:
  const std::int64_t iterations_;
  const std::string text_;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash_{};
};

}  // namespace

Result<std::unique_ptr<Operation>> make_sha256_chain(const nlohmann::json& data) {
  DataReader reader(data);
  const std::int64_t iterations = reader.integer("iterations", 1, kMostHashes);
  std::string text = reader.text_or("text", "", 65536);
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<Operation>(std::make_unique<Sha256Chain>(iterations, std::move(text)));
}

}  // namespace duet::live::operations
