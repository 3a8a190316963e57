// The bytes of the binary encoding: a buffer that grows without clearing, and integers of one to nine bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace duet::codec {

/// Room that an encoder keeps free beyond its position, so that fixed-size fields are written without a
/// check.
inline constexpr std::size_t kSlack = 2048;

/// A reusable byte buffer. clear() keeps the memory.
class ByteBuffer {
 public:
  const std::uint8_t* data() const { return data_.get(); }
  std::uint8_t* data() { return data_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::uint8_t> span() const { return {data_.get(), size_}; }
  void clear() { size_ = 0; }

  /// Makes room for `extra` bytes and the slack beyond the end.
  void reserve_more(std::size_t extra) {
    const std::size_t needed = size_ + extra + kSlack;
    if (needed > capacity_) grow(needed);
  }
  /// One past the last byte that may be written.
  std::uint8_t* limit() { return data_.get() + capacity_; }
  std::uint8_t* end() { return data_.get() + size_; }
  /// Declares everything before `end`, a position in this buffer, as written.
  void set_end(const std::uint8_t* end) { size_ = static_cast<std::size_t>(end - data_.get()); }

 private:
  void grow(std::size_t needed) {
    const std::size_t bigger = std::max(needed, capacity_ * 2);
    auto moved = std::make_unique_for_overwrite<std::uint8_t[]>(bigger);
    if (size_ != 0) std::memcpy(moved.get(), data_.get(), size_);
    data_ = std::move(moved);
    capacity_ = bigger;
  }

  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

[[gnu::always_inline]] inline std::uint64_t little_endian(std::uint64_t v) {
  if constexpr (std::endian::native == std::endian::little) {
    return v;
  } else {
    return __builtin_bswap64(v);
  }
}
[[gnu::always_inline]] inline void store_u64(std::uint8_t* p, std::uint64_t v) {
  v = little_endian(v);
  std::memcpy(p, &v, sizeof v);
}
inline std::uint64_t load_u64(const std::uint8_t* p) {
  std::uint64_t v = 0;
  std::memcpy(&v, p, sizeof v);
  return little_endian(v);
}

inline void store_u32(std::uint8_t* p, std::uint32_t v) {
  for (unsigned i = 0; i < 4; ++i) p[i] = static_cast<std::uint8_t>(v >> (8 * i));
}
inline std::uint32_t load_u32(const std::uint8_t* p) {
  std::uint32_t v = 0;
  for (unsigned i = 0; i < 4; ++i) v |= std::uint32_t{p[i]} << (8 * i);
  return v;
}

inline constexpr std::size_t kMaxVarint = 9;

/// Bytes of a value: 7 bits each up to 8 bytes, 9 beyond.
[[gnu::always_inline]] inline unsigned varint_size(std::uint64_t v) {
  const auto bits = static_cast<unsigned>(64 - std::countl_zero(v | 1));
  return bits > 56 ? 9 : (bits + 6) / 7;
}

/// Writes v and returns the position behind it; may scribble on the 8 bytes behind that. The number of zero
/// bits below the lowest one of the first byte is the number of bytes that follow (all eight zero: eight
/// follow), so that both directions are one 64-bit access instead of a loop over bytes.
[[gnu::always_inline]] inline std::uint8_t* put_varint(std::uint8_t* p, std::uint64_t v) {
  if (v < 0x80) {
    *p = static_cast<std::uint8_t>((v << 1) | 1);
    return p + 1;
  }
  const unsigned n = varint_size(v);
  if (n == 9) {
    *p = 0;
    store_u64(p + 1, v);
  } else {
    store_u64(p, (v << n) | (std::uint64_t{1} << (n - 1)));
  }
  return p + n;
}

/// Reads a varint before `end` into `v` and returns the position behind it; null if there is no whole one.
inline const std::uint8_t* get_varint(const std::uint8_t* p, const std::uint8_t* end, std::uint64_t& v) {
  if (p == end) return nullptr;
  const auto left = static_cast<std::size_t>(end - p);
  const auto n = static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(*p) | 0x100U)) + 1;
  if (n > left) return nullptr;
  if (n == 9) {
    v = load_u64(p + 1);
    return p + 9;
  }
  std::uint8_t word[8] = {};
  std::memcpy(word, p, left >= 8 ? 8 : n);
  const std::uint64_t bits = load_u64(word);
  v = (n == 8 ? bits : bits & ((std::uint64_t{1} << (8 * n)) - 1)) >> n;
  return p + n;
}

/// Small negative numbers stay small: 0, -1, 1, -2 become 0, 1, 2, 3.
constexpr std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

}  // namespace duet::codec
