// Bytes to values: the inverse of encode.h, for bytes that may come from anywhere.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/codec/bytes.h"
#include "core/codec/encode.h"
#include "core/codec/reflect.h"
#include "core/model.h"

namespace duet::codec {

/// What a value inside a step may refer back to; owns what it remembers.
struct DecodeContext {
  Instant base{};
  LastIds ids{};
  std::shared_ptr<const JobSpec> spec;
  std::shared_ptr<const std::string> text;

  /// The same state for an encoder that goes on here. Valid as long as this.
  EncodeContext for_encoding() const { return {base, ids, spec.get(), text.get()}; }
};

/// Reads values from bytes. A get that fails returns false and leaves its target in a valid but unspecified
/// state; all later ones fail too. Memory taken is at most a constant times the bytes given.
class Decoder {
 public:
  Decoder(std::span<const std::uint8_t> bytes, DecodeContext& context)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), context_(context) {}

  template <class T>
  bool get(T& value) {
    any(value);
    return ok_;
  }
  /// A bare unsigned number, as Encoder::put_number wrote it.
  bool get_number(std::uint64_t& value) {
    value = varint();
    return ok_;
  }
  bool ok() const { return ok_; }
  std::span<const std::uint8_t> rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

 private:
  struct Fields {
    Decoder& from;
    template <class T>
    void operator()(const char*, T& member) const {
      from.any(member);
    }
  };

  void fail() {
    ok_ = false;
    at_ = end_;
  }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    const std::uint8_t* next = get_varint(at_, end_, v);
    if (next == nullptr) {
      fail();
      return 0;
    }
    at_ = next;
    return v;
  }
  std::uint8_t byte() {
    if (at_ == end_) {
      fail();
      return 0;
    }
    return *at_++;
  }
  /// A byte below `bound`, else failure and 0.
  std::uint8_t byte_below(std::size_t bound) {
    const std::uint8_t b = byte();
    if (b < bound) return b;
    fail();
    return 0;
  }
  std::uint64_t word() {
    if (left() < 8) {
      fail();
      return 0;
    }
    at_ += 8;
    return load_u64(at_ - 8);
  }
  /// A number of things that can still follow, each of at least one byte.
  std::size_t count() {
    const std::uint64_t n = varint();
    if (n <= left()) return static_cast<std::size_t>(n);
    fail();
    return 0;
  }

  /// Undoes Encoder::difference().
  std::uint64_t sum(std::uint64_t from) { return from + static_cast<std::uint64_t>(unzigzag(varint())); }

  template <class T>
  void any(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = byte_below(2) != 0;
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(byte_below(enum_count<T>));
    } else if constexpr (std::is_same_v<T, double>) {
      value = std::bit_cast<double>(word());
    } else if constexpr (std::is_integral_v<T>) {
      integer(value);
    } else if constexpr (std::is_same_v<T, Duration>) {
      value = Duration(unzigzag(varint()));
    } else if constexpr (std::is_same_v<T, Instant>) {
      value = instant_ns(static_cast<std::int64_t>(sum(static_cast<std::uint64_t>(to_ns(context_.base)))));
    } else if constexpr (std::is_same_v<T, ThreadSet>) {
      threads(value);
    } else if constexpr (is_id<T>) {
      std::uint64_t& last_id = context_.ids.of(value);
      value.value = last_id = sum(last_id);
    } else if constexpr (std::is_same_v<T, std::string>) {
      const std::size_t n = count();
      value.assign(reinterpret_cast<const char*>(at_), n);
      at_ += n;
    } else if constexpr (is_array<T>) {
      array(value);
    } else if constexpr (is_vector<T>) {
      vector(value);
    } else if constexpr (is_shared<T>) {
      shared(value);
    } else if constexpr (is_optional<T>) {
      value.reset();
      if (byte_below(2) != 0) any(value.emplace());
    } else if constexpr (is_variant<T>) {
      constexpr std::size_t kCount = std::variant_size_v<T>;
      with_index<kCount>(byte_below(kCount),
                         [&](auto i) { any(value.template emplace<decltype(i)::value>()); });
    } else {
      static_assert(RecordType<T>);
      T::fields(value, Fields{*this});
    }
  }

  template <class T>
  void integer(T& value) {
    const std::uint64_t raw = varint();
    if constexpr (std::is_signed_v<T>) {
      const std::int64_t wide = unzigzag(raw);
      value = static_cast<T>(wide);
      if (wide != value) fail();
    } else {
      value = static_cast<T>(raw);
      if (raw != value) fail();
    }
  }

  template <class E>
  void vector(std::vector<E>& value) {
    value.clear();
    // Grows with what was really read: a count alone, however big, reserves nothing.
    for (std::size_t n = count(); n > 0 && ok_; --n) any(value.emplace_back());
  }

  template <class E, std::size_t N>
  void array(std::array<E, N>& value) {
    const std::uint64_t present = varint();
    if (present >> N != 0) return fail();
    for (std::size_t i = 0; i < N; ++i) {
      value[i] = E{};
      if ((present >> i) & 1) any(value[i]);
    }
  }

  std::shared_ptr<const JobSpec>& last(const JobSpec*) { return context_.spec; }
  std::shared_ptr<const std::string>& last(const std::string*) { return context_.text; }

  template <class E>
  void shared(std::shared_ptr<const E>& value) {
    value = nullptr;
    const std::uint8_t how = byte_below(3);
    if (how == 0) return;
    auto& known = last(static_cast<const E*>(nullptr));
    if (how == 1) {
      auto made = std::make_shared<E>();
      any(*made);
      if (!ok_) return;
      known = std::move(made);
    } else if (known == nullptr) {
      return fail();
    }
    value = known;
  }

  void threads(ThreadSet& set) {
    set = ThreadSet{};
    const std::uint64_t head = varint();
    if (head == 0) return;
    const std::uint64_t kind = (head - 1) % 4;
    const std::uint64_t value = (head - 1) / 4;
    if (kind == 3) {
      if (value >= 16) return fail();
      for (std::uint32_t i = 0; i < 4; ++i)
        for (std::uint64_t w = (value >> i) & 1 ? word() : 0; w != 0; w &= w - 1)
          set.insert(i * 64 + static_cast<std::uint32_t>(std::countr_zero(w)));
      return;
    }
    const std::uint64_t more = kind == 0 ? 1 : varint();
    const std::uint64_t last_thread = kind == 1 ? value + more - 1 : value + (kind == 2 ? more : 0);
    constexpr std::uint64_t kMax = ThreadSet::kMaxThreads;
    if (value >= kMax || more == 0 || more > kMax || last_thread >= kMax) return fail();
    for (std::uint64_t t = value; t <= last_thread; ++t)
      if (kind == 1 || t == value || t == last_thread) set.insert(static_cast<std::uint32_t>(t));
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  DecodeContext& context_;
  bool ok_ = true;
};

/// Decodes one value that fills `bytes` exactly. False if it does not.
template <class T>
bool decode_exactly(std::span<const std::uint8_t> bytes, T& value, DecodeContext context = {}) {
  Decoder decoder(bytes, context);
  return decoder.get(value) && decoder.left() == 0;
}

}  // namespace duet::codec
