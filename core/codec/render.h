// Values to JSON text for people: compact, in the order of their `fields`, derived from them.
//
//   Instant, Duration   integer nanoseconds; the name gets the suffix _ns
//   TaskId, AttemptId   "17.0", "17.0#1"         other ids   their number; BootNonce: 16 hexadecimal digits
//   enum                "launch_failed"          variant     {"launch":{...}}
//   ThreadSet           "1-3,5"                  array       {"2":7}: elements that are not zero, by index;
//   shared_ptr          the value, or null                   left out if all are
//   A record whose only member is a variant is written as that variant: {"publish":{"task_changed":{...}}}.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "core/codec/json_text.h"
#include "core/codec/reflect.h"
#include "core/machine.h"
#include "core/model.h"

namespace duet::codec {

void append_text(std::string& out, const TaskId& id);
void append_text(std::string& out, const AttemptId& id);
void append_text(std::string& out, const ThreadSet& set);

/// "17.0", "17.0#1", "1-3,5": ids and thread sets as users read and write them.
template <class T>
std::string to_text(const T& value) {
  std::string out;
  append_text(out, value);
  return out;
}

template <class T>
void render(std::string& out, const T& value);

namespace detail {

/// Sees how many members a record has, and whether the last is a variant.
struct Members {
  int& count;
  bool& variant;
  template <class T>
  void operator()(const char*, const T&) const {
    ++count;
    variant = is_variant<T>;
  }
};

struct RenderBare {
  std::string& out;
  template <class T>
  void operator()(const char*, const T& member) const {
    render(out, member);
  }
};

struct RenderFields {
  std::string& out;
  bool& first;

  template <class T>
  void operator()(const char* name, const T& member) const {
    if constexpr (is_array<T>) {
      if (member == T{}) return;
    }
    if constexpr (is_optional<T>) {
      if (!member) return;
    }
    append_key(out, first, name);
    if constexpr (std::is_same_v<T, Duration> || std::is_same_v<T, Instant>)
      out.insert(out.size() - 2, "_ns");
    render(out, member);
  }
};

template <class T>
void render_record(std::string& out, const T& value) {
  int members = 0;
  bool variant = false;
  T::fields(value, Members{members, variant});
  if (members == 1 && variant) return T::fields(value, RenderBare{out});
  out += '{';
  bool first = true;
  T::fields(value, RenderFields{out, first});
  out += '}';
}

template <class T>
void render_quoted(std::string& out, const T& value) {
  out += '"';
  append_text(out, value);
  out += '"';
}

template <class T>
void render_list(std::string& out, const T& value) {
  out += '[';
  bool first = true;
  for (const auto& element : value) {
    if (!first) out += ',';
    first = false;
    render(out, element);
  }
  out += ']';
}

template <class T>
void render_sparse(std::string& out, const T& value) {
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == typename T::value_type{}) continue;
    append_key(out, first, std::to_string(i));
    render(out, value[i]);
  }
  out += '}';
}

}  // namespace detail

/// Appends `value` as JSON.
template <class T>
void render(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    append_string(out, enum_name(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    append_number(out, value);
  } else if constexpr (std::is_same_v<T, Duration> || std::is_same_v<T, Instant>) {
    append_number(out, to_ns(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    append_string(out, value);
  } else if constexpr (std::is_same_v<T, TaskId> || std::is_same_v<T, AttemptId> ||
                       std::is_same_v<T, ThreadSet>) {
    detail::render_quoted(out, value);
  } else if constexpr (std::is_same_v<T, BootNonce>) {
    out += '"';
    append_hex(out, value.value);
    out += '"';
  } else if constexpr (is_id<T>) {
    append_number(out, value.value);
  } else if constexpr (is_vector<T>) {
    detail::render_list(out, value);
  } else if constexpr (is_array<T>) {
    detail::render_sparse(out, value);
  } else if constexpr (is_shared<T>) {
    if (value == nullptr) {
      out += "null";
    } else {
      render(out, *value);
    }
  } else if constexpr (is_optional<T>) {
    render(out, *value);  // Of a record, and there: see render_record().
  } else if constexpr (is_variant<T>) {
    out += "{\"";
    out += alternative_names<T>[value.index()];
    out += "\":";
    std::visit([&](const auto& alternative) { render(out, alternative); }, value);
    out += '}';
  } else {
    static_assert(RecordType<const T>);
    detail::render_record(out, value);
  }
}

/// `value` as JSON text.
template <class T>
std::string rendered(const T& value) {
  std::string out;
  render(out, value);
  return out;
}

// These types have the most code: it is compiled once, in render.cpp.
extern template void render(std::string&, const controller::Event&);
extern template void render(std::string&, const controller::Command&);
extern template void render(std::string&, const agent::Event&);
extern template void render(std::string&, const agent::Command&);

}  // namespace duet::codec
