// What a node offers and a task asks for: a short fixed vector of integers, and sets of hardware threads.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "core/check.h"

namespace duet {

/// One whole hardware thread, in millicores.
inline constexpr std::int64_t kThread = 1000;

/// Hardware threads that something with so many millicores may keep busy, at least 1.
constexpr std::uint32_t threads_for(std::int64_t cpu_m) {
  return cpu_m <= kThread ? 1 : static_cast<std::uint32_t>((cpu_m + kThread - 1) / kThread);
}

/// Bytes of a mebibyte.
inline constexpr std::int64_t kMiB = std::int64_t{1} << 20;

/// Countable kinds beside CPU and memory (ports, gpus, licences, ...); the cluster names them.
inline constexpr std::size_t kCountableKinds = 6;

struct Resources {
  std::int64_t cpu_m = 0;         ///< millicores; 1000 = one hardware thread
  std::int64_t memory_bytes = 0;  ///< bytes
  std::array<std::int32_t, kCountableKinds> count{};

  auto operator<=>(const Resources&) const = default;

  /// True if `need` is within this in every dimension.
  bool covers(const Resources& need) const {
    bool all = cpu_m >= need.cpu_m && memory_bytes >= need.memory_bytes;
    for (std::size_t i = 0; i < kCountableKinds; ++i) all &= count[i] >= need.count[i];
    return all;
  }
  Resources& operator+=(const Resources& other) {
    cpu_m += other.cpu_m;
    memory_bytes += other.memory_bytes;
    for (std::size_t i = 0; i < kCountableKinds; ++i) count[i] += other.count[i];
    return *this;
  }
  Resources& operator-=(const Resources& other) {
    cpu_m -= other.cpu_m;
    memory_bytes -= other.memory_bytes;
    for (std::size_t i = 0; i < kCountableKinds; ++i) count[i] -= other.count[i];
    return *this;
  }
  /// The larger of both in each dimension.
  Resources& raise_to(const Resources& other) {
    if (other.cpu_m > cpu_m) cpu_m = other.cpu_m;
    if (other.memory_bytes > memory_bytes) memory_bytes = other.memory_bytes;
    for (std::size_t i = 0; i < kCountableKinds; ++i)
      if (other.count[i] > count[i]) count[i] = other.count[i];
    return *this;
  }

  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("cpu_m", s.cpu_m);
    v("memory_bytes", s.memory_bytes);
    v("count", s.count);
  }
};

/// A set of hardware threads of one node, by their index in the node (0 .. kMaxThreads - 1).
class ThreadSet {
 public:
  static constexpr std::uint32_t kMaxThreads = 256;

  constexpr bool contains(std::uint32_t thread) const { return (word_[thread / 64] >> (thread % 64)) & 1U; }
  constexpr void insert(std::uint32_t thread) { word_[thread / 64] |= std::uint64_t{1} << (thread % 64); }
  constexpr void erase(std::uint32_t thread) { word_[thread / 64] &= ~(std::uint64_t{1} << (thread % 64)); }
  constexpr bool empty() const { return (word_[0] | word_[1] | word_[2] | word_[3]) == 0; }
  constexpr std::uint32_t size() const {
    std::uint32_t n = 0;
    for (const auto w : word_) n += static_cast<std::uint32_t>(std::popcount(w));
    return n;
  }
  constexpr bool intersects(const ThreadSet& other) const {
    std::uint64_t common = 0;
    for (std::size_t i = 0; i < word_.size(); ++i) common |= word_[i] & other.word_[i];
    return common != 0;
  }
  /// Calls f(thread) from the lowest to the highest.
  template <class F>
  constexpr void for_each(F&& f) const {
    for (std::uint32_t i = 0; i < word_.size(); ++i)
      for (std::uint64_t w = word_[i]; w != 0; w &= w - 1)
        f(i * 64 + static_cast<std::uint32_t>(std::countr_zero(w)));
  }
  /// The lowest member; the set must not be empty.
  constexpr std::uint32_t lowest() const {
    for (std::uint32_t i = 0; i < word_.size(); ++i)
      if (word_[i] != 0) return i * 64 + static_cast<std::uint32_t>(std::countr_zero(word_[i]));
    check_failed("ThreadSet::lowest of an empty set", __FILE__, __LINE__);
  }

  auto operator<=>(const ThreadSet&) const = default;

  constexpr const std::array<std::uint64_t, 4>& words() const { return word_; }
  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("word", s.word_);
  }

 private:
  std::array<std::uint64_t, 4> word_{};
};

}  // namespace duet
