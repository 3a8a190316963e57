// Hashes: XXH3 to chain frames, SHA-256 for digests that people compare.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// Compiled in, not linked: most frames are so short that the call would cost as much as the hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace duet::codec {

inline std::uint64_t xxh3(std::span<const std::uint8_t> bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

using Sha256Digest = std::array<std::uint8_t, 32>;

/// A running SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::uint8_t> bytes);
  /// The digest of everything so far; afterwards this starts anew.
  Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Lower-case hexadecimal.
std::string hex(std::span<const std::uint8_t> bytes);

/// SHA-256 of a text, in hexadecimal.
std::string sha256_hex(std::string_view text);

}  // namespace duet::codec
