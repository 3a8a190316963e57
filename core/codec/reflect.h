// What the codec knows about a type without being told: its fields, its name, the names of its enumerators.
// A record added to core/*.h is encoded, decoded, rendered and counted without another line here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/codec/flatten.h"
#include "core/ids.h"

namespace duet::codec {

// ---- Shapes

struct AnyField {
  template <class T>
  void operator()(const char*, T&&) const {}
};

/// A type that lists its members in `fields`.
template <class T>
concept RecordType = requires(T& t, AnyField v) {
  std::remove_cv_t<T>::fields(t, v);
};

template <class T>
inline constexpr bool is_variant = false;
template <class... A>
inline constexpr bool is_variant<std::variant<A...>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class E>
inline constexpr bool is_vector<std::vector<E>> = true;

template <class T>
inline constexpr bool is_array = false;
template <class E, std::size_t N>
inline constexpr bool is_array<std::array<E, N>> = true;

template <class T>
inline constexpr bool is_shared = false;
template <class E>
inline constexpr bool is_shared<std::shared_ptr<const E>> = true;

template <class T>
inline constexpr bool is_optional = false;
template <class E>
inline constexpr bool is_optional<std::optional<E>> = true;

template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;

/// Calls f(std::integral_constant<std::size_t, index>) for an index below N; nothing beyond. A chain of
/// comparisons that compilers turn into a jump table, and, unlike std::visit, inline.
template <std::size_t N, std::size_t I = 0, class F>
DUET_FLATTEN inline void with_index(std::size_t index, F&& f) {
  if constexpr (I < N) {
    if (index == I) {
      f(std::integral_constant<std::size_t, I>{});
    } else {
      with_index<N, I + 1>(index, f);
    }
  }
}

// ---- Names

namespace detail {

/// The text between `key` and the next ';' or ']' in what the compiler says of a function template's
/// arguments.
consteval std::string_view argument(std::string_view pretty, std::string_view key) {
  const std::size_t from = pretty.find(key) + key.size();
  return pretty.substr(from, pretty.find_first_of(";]", from) - from);
}
consteval std::string_view last_part(std::string_view qualified) {
  const std::size_t colon = qualified.rfind("::");
  return colon == std::string_view::npos ? qualified : qualified.substr(colon + 2);
}
template <class T>
consteval std::string_view type_text() {
  return last_part(argument(__PRETTY_FUNCTION__, "T = "));
}
/// "kLaunchFailed"; of a value that names no enumerator, something that does not start with 'k'.
template <auto V>
consteval std::string_view value_text() {
  return last_part(argument(__PRETTY_FUNCTION__, "V = "));
}

constexpr bool upper(char c) { return c >= 'A' && c <= 'Z'; }

consteval std::size_t snake_length(std::string_view camel) {
  std::size_t n = camel.size();
  for (std::size_t i = 1; i < camel.size(); ++i) n += upper(camel[i]) ? 1 : 0;
  return n;
}
template <std::size_t N>
consteval std::array<char, N> snake(std::string_view camel) {
  std::array<char, N> out{};
  std::size_t n = 0;
  for (std::size_t i = 0; i < camel.size(); ++i) {
    if (i > 0 && upper(camel[i])) out[n++] = '_';
    out[n++] = upper(camel[i]) ? static_cast<char>(camel[i] - 'A' + 'a') : camel[i];
  }
  return out;
}

template <class T>
struct TypeName {
  static constexpr std::string_view camel = type_text<T>();
  static constexpr auto chars = snake<snake_length(camel)>(camel);
};
template <auto V>
struct ValueName {
  static constexpr std::string_view camel = value_text<V>().substr(1);
  static constexpr auto chars = snake<snake_length(camel)>(camel);
};

template <class E, std::size_t I = 0>
consteval std::size_t count_enumerators() {
  if constexpr (value_text<static_cast<E>(I)>().front() == 'k') {
    return count_enumerators<E, I + 1>();
  } else {
    return I;
  }
}
template <class E, std::size_t... I>
consteval auto enumerator_names(std::index_sequence<I...>) {
  return std::array<std::string_view, sizeof...(I)>{std::string_view(
      ValueName<static_cast<E>(I)>::chars.data(), ValueName<static_cast<E>(I)>::chars.size())...};
}
template <class... A>
consteval auto alternative_names(const std::variant<A...>*) {
  return std::array<std::string_view, sizeof...(A)>{
      std::string_view(TypeName<A>::chars.data(), TypeName<A>::chars.size())...};
}

}  // namespace detail

/// Number of enumerators of E, whose values must run from 0 without gaps and whose names start with 'k'.
template <class E>
inline constexpr std::size_t enum_count = detail::count_enumerators<E>();

/// The enumerators of E in snake_case without the 'k', by value: `launch_failed`.
template <class E>
inline constexpr auto enum_names = detail::enumerator_names<E>(std::make_index_sequence<enum_count<E>>{});

/// `launch_failed`, or "?" for a value outside the enumeration.
template <class E>
constexpr std::string_view enum_name(E value) {
  const auto i = static_cast<std::size_t>(value);
  return i < enum_count<E> ? enum_names<E>[i] : std::string_view("?");
}

/// The alternatives of a variant of records in snake_case, by index: `received`, `task_changed`.
template <class Variant>
inline constexpr auto alternative_names = detail::alternative_names(static_cast<const Variant*>(nullptr));

}  // namespace duet::codec
