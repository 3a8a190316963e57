// Random numbers that are the same on every machine and compiler: one named stream per purpose.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace duet {

/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014): the finaliser of
/// SplitMix64.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// A keyed draw without state: the fate of thing (a, b) under a seed. Removing another thing does not change
/// it.
constexpr std::uint64_t keyed_draw(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  return mix64(mix64(mix64(seed) ^ a) ^ b);
}

/// xoshiro256** (Blackman, Vigna, ACM TOMS 47(4), 2021). One draw per statement: the order of evaluation of
/// arguments differs between compilers.
class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15U;
      word = mix64(seed);
    }
  }

  /// A stream of its own for one purpose; adding a purpose moves no other.
  constexpr Rng fork(std::string_view purpose) const {
    std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
    for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return Rng(mix64(state_[0] ^ std::rotl(state_[2], 21)) ^ hash);
  }

  constexpr std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  __extension__ using Wide = unsigned __int128;

  /// Uniform in [0, bound), bound > 0. Lemire's multiply-shift; the bias is below 2^-32 for bounds below
  /// 2^32.
  constexpr std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }

  /// Uniform in [low, high], both included; low <= high.
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
    const std::uint64_t offset = span == 0 ? next() : below(span);
    // Added without a sign: over the whole range the sum wraps to the right value.
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
  }

  /// Uniform in [0, 1), 53 bits.
  constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// True with probability numerator/denominator.
  constexpr bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }

 private:
  std::uint64_t state_[4] = {};
};

}  // namespace duet
