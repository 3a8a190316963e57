// Values to bytes: the compact binary form of every record, derived from its `fields`.
//
//   bool, enum      one byte
//   unsigned        varint
//   signed          zigzag varint; so is a Duration
//   double          8 bytes, IEEE bits
//   string, vector  length, then the bytes or elements
//   Instant         zigzag varint of its difference to the instant of the step
//   optional        0 = nothing, 1 = the value follows
//   array           varint with a bit for each element that is not zero, then those
//   ThreadSet       varint h: 0 = empty; else h - 1 = value * 4 + kind: 0 one thread; 1 a range, its length
//                   follows; 2 two threads, their distance follows; 3 value is a mask of words, which follow
//                   (8 bytes each)
//   variant         index in one byte, then the alternative
//   Id              zigzag varint of its difference to the last id of its kind in the step (first: to 0)
//   shared_ptr      0 = null, 1 = the value follows, 2 = equal to the last value of its type in the step
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <variant>

#include "core/codec/bytes.h"
#include "core/codec/reflect.h"
#include "core/model.h"

namespace duet::codec {

/// The last id of each kind. A step speaks of few jobs, nodes and agents, again and again.
struct LastIds {
  JobId job;
  NodeId node;
  LinkId link;
  RequestId request;
  BootNonce boot;
  Epoch epoch;

  std::uint64_t& of(const JobId&) { return job.value; }
  std::uint64_t& of(const NodeId&) { return node.value; }
  std::uint64_t& of(const LinkId&) { return link.value; }
  std::uint64_t& of(const RequestId&) { return request.value; }
  std::uint64_t& of(const BootNonce&) { return boot.value; }
  std::uint64_t& of(const Epoch&) { return epoch.value; }
};

/// What a value inside a step may refer back to. Equality is by content, so it is the same however values
/// are shared.
struct EncodeContext {
  Instant base{};  ///< Instants are written relative to this.
  LastIds ids{};
  const JobSpec* spec = nullptr;
  const std::string* text = nullptr;
};

/// Appends values to a buffer. Between construction and finish() the buffer must not be touched by others.
/// Allocates only when the buffer has to grow.
class Encoder {
 public:
  explicit Encoder(ByteBuffer& buffer, const EncodeContext& context = {})
      : buffer_(buffer), context_(context) {
    buffer_.reserve_more(0);
    at_ = buffer_.end();
    limit_ = buffer_.limit();
  }

  /// Appends one value of any type that the list at the head of this file names.
  template <class T>
  DUET_FLATTEN void put(const T& value) {
    // A scalar of n bytes takes at most 2n; what a record owns elsewhere makes room for itself. So four
    // levels of records fit in the slack, with what the widest single store writes beyond its end.
    static_assert(sizeof(T) <= 248 && 4 * 2 * 248 + 2 * kMaxVarint < kSlack);
    room(0);
    any(value);
  }
  /// A bare unsigned number.
  DUET_FLATTEN void put_number(std::uint64_t value) {
    room(0);
    at_ = put_varint(at_, value);
  }
  /// What `fields` calls for each member. The encoder is the visitor itself: one that refers to an encoder
  /// would hide from the compiler that its position can live in a register.
  template <class T>
  DUET_FLATTEN void operator()(const char*, const T& member) {
    any(member);
  }
  /// Ends the encoding: what was put belongs to the buffer.
  void finish() { buffer_.set_end(at_); }
  const EncodeContext& context() const { return context_; }

 private:
  DUET_FLATTEN void room(std::size_t extra) {
    if (static_cast<std::size_t>(limit_ - at_) >= extra + kSlack) [[likely]]
      return;
    at_ = more(buffer_, at_, extra);
    limit_ = buffer_.limit();
  }
  // Slow paths are static: an encoder whose address is never taken lives in registers.
  [[gnu::noinline]] static std::uint8_t* more(ByteBuffer& buffer, std::uint8_t* at, std::size_t extra) {
    buffer.set_end(at);
    buffer.reserve_more(extra);
    return buffer.end();
  }
  static std::uint8_t* wide_threads(std::uint8_t* at, const ThreadSet& set);
  DUET_FLATTEN void byte(std::uint8_t b) { *at_++ = b; }

  template <class T>
  DUET_FLATTEN void any(const T& value) {
    if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
      static_assert(sizeof(T) == 1);
      byte(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_same_v<T, double>) {
      store_u64(at_, std::bit_cast<std::uint64_t>(value));
      at_ += 8;
    } else if constexpr (std::is_integral_v<T>) {
      at_ = put_varint(at_, std::is_signed_v<T> ? zigzag(static_cast<std::int64_t>(value))
                                                : static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_same_v<T, Duration>) {
      at_ = put_varint(at_, zigzag(value.count()));
    } else if constexpr (std::is_same_v<T, Instant>) {
      // Unsigned: the difference to kNever may wrap around, and comes back the same way.
      difference(static_cast<std::uint64_t>(to_ns(value)), static_cast<std::uint64_t>(to_ns(context_.base)));
    } else if constexpr (std::is_same_v<T, ThreadSet>) {
      threads(value);
    } else if constexpr (is_id<T>) {
      std::uint64_t& last_id = context_.ids.of(value);
      difference(value.value, last_id);
      last_id = value.value;
    } else if constexpr (std::is_same_v<T, std::string>) {
      text(value);
    } else if constexpr (is_array<T>) {
      array(value);
    } else if constexpr (is_vector<T>) {
      at_ = put_varint(at_, value.size());
      for (const auto& element : value) put(element);
    } else if constexpr (is_shared<T>) {
      shared(value);
    } else if constexpr (is_optional<T>) {
      byte(static_cast<std::uint8_t>(value.has_value()));
      if (value) [[unlikely]]
        any(*value);
    } else if constexpr (is_variant<T>) {
      static_assert(std::variant_size_v<T> < 256);
      byte(static_cast<std::uint8_t>(value.index()));
      with_index<std::variant_size_v<T>>(
          value.index(), [&](auto i) DUET_FLATTEN_LAMBDA { any(*std::get_if<decltype(i)::value>(&value)); });
    } else {
      static_assert(RecordType<const T>);
      T::fields(value, *this);
    }
  }

  DUET_FLATTEN void difference(std::uint64_t value, std::uint64_t from) {
    at_ = put_varint(at_, zigzag(static_cast<std::int64_t>(value - from)));
  }

  DUET_FLATTEN void text(const std::string& value) {
    room(value.size());
    at_ = put_varint(at_, value.size());
    std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
    room(0);
  }

  template <class E, std::size_t N>
  DUET_FLATTEN void array(const std::array<E, N>& value) {
    static_assert(N <= 56);
    std::uint64_t present = 0;
    for (std::size_t i = 0; i < N; ++i) present |= std::uint64_t{value[i] != E{}} << i;
    at_ = put_varint(at_, present);
    if (present == 0) [[likely]]
      return;
    for (const auto& element : value)
      if (element != E{}) any(element);
  }

  /// The slot in the context that remembers values of this type.
  const JobSpec*& last(const JobSpec*) { return context_.spec; }
  const std::string*& last(const std::string*) { return context_.text; }

  template <class E>
  DUET_FLATTEN void shared(const std::shared_ptr<const E>& value) {
    if (value == nullptr) return byte(0);
    const E*& known = last(value.get());
    if (known != nullptr && (known == value.get() || *known == *value)) return byte(2);
    byte(1);
    put(*value);
    known = value.get();
    room(0);
  }

  DUET_FLATTEN void threads(const ThreadSet& set) {
    const auto& w = set.words();
    if ((w[1] | w[2] | w[3]) == 0) [[likely]] {
      if (w[0] == 0) return byte(std::uint8_t{1});  // the varint 0
      if ((w[0] & (w[0] - 1)) == 0) {
        at_ = put_varint(at_, 1 + 4 * static_cast<std::uint64_t>(std::countr_zero(w[0])));
        return;
      }
    }
    at_ = wide_threads(at_, set);
  }

  ByteBuffer& buffer_;
  std::uint8_t* at_ = nullptr;
  std::uint8_t* limit_ = nullptr;
  EncodeContext context_;
};

[[gnu::noinline]] inline std::uint8_t* Encoder::wide_threads(std::uint8_t* at, const ThreadSet& set) {
  const auto& words = set.words();
  const std::uint64_t size = set.size();
  const std::uint64_t low = set.lowest();
  std::uint64_t high = 0;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] != 0) high = i * 64 + 63 - static_cast<std::uint64_t>(std::countl_zero(words[i]));
  const auto head = [&](std::uint64_t value, std::uint64_t kind) {
    at = put_varint(at, 1 + value * 4 + kind);
  };
  if (size == 1) {
    head(low, 0);
  } else if (high - low + 1 == size) {
    head(low, 1);
    at = put_varint(at, size);
  } else if (size == 2) {
    head(low, 2);
    at = put_varint(at, high - low);
  } else {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < words.size(); ++i) mask |= std::uint64_t{words[i] != 0} << i;
    head(mask, 3);
    for (const std::uint64_t word : words) {
      if (word == 0) continue;
      store_u64(at, word);
      at += 8;
    }
  }
  return at;
}

}  // namespace duet::codec
