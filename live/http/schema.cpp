#include "live/http/schema.h"

#include <algorithm>
#include <charconv>
#include <regex>

#include <nlohmann/json.hpp>

#include "core/check.h"

namespace duet::live::http {
namespace {

using nlohmann::json;

constexpr std::string_view reference_prefix = "#/components/schemas/";
constexpr std::size_t most_problems = 50;

std::string escape_pointer(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view type_of(const json& value) {
  if (value.is_number_integer()) return "integer";
  if (value.is_number()) return "number";
  return value.type_name();
}

bool has_type(const json& value, std::string_view wanted) {
  const std::string_view type = type_of(value);
  return type == wanted || (wanted == "number" && type == "integer");
}

std::string with_article(std::string_view type) {
  if (type == "null" || type == "anything") return std::string(type);
  return (type.starts_with('i') || type.starts_with('o') || type.starts_with('a') ? "an " : "a ") +
         std::string(type);
}

/// "an integer", "a string or null".
std::string types_text(const json& types) {
  if (types.is_string()) return with_article(types.get_ref<const std::string&>());
  std::string text;
  for (const json& type : types) {
    if (!text.empty()) text += " or ";
    text += with_article(type.get_ref<const std::string&>());
  }
  return text;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = 1 + word.size() / 3;
  if (word.size() > 64) return best;
  for (const std::string& candidate : known) {
    const std::size_t d = distance(word, candidate);
    if (d > best_distance || (d == best_distance && !best.empty())) continue;
    best = candidate;
    best_distance = d;
  }
  return best;
}

struct Schemas::State {
  std::map<std::string, std::shared_ptr<const json>, std::less<>> named;
  std::map<std::string, std::regex, std::less<>> patterns;

  void learn_patterns(const json& schema) {
    if (!schema.is_structured()) return;
    if (schema.is_object() && schema.contains("pattern") && schema["pattern"].is_string()) {
      const auto& text = schema["pattern"].get_ref<const std::string&>();
      patterns.try_emplace(text, text, std::regex::ECMAScript | std::regex::optimize);
    }
    for (const json& part : schema) learn_patterns(part);
  }
};

namespace {

class Checker {
 public:
  Checker(const std::map<std::string, std::shared_ptr<const json>, std::less<>>& named,
          const std::map<std::string, std::regex, std::less<>>& patterns)
      : named_(named), patterns_(patterns) {}

  void check(const json& schema, const json& value, const std::string& where) {
    if (schema.contains("$ref")) {
      const std::string_view name = schema["$ref"].get_ref<const std::string&>();
      const auto found = named_.find(name.substr(reference_prefix.size()));
      DUET_CHECK(found != named_.end());
      check(*found->second, value, where);
      return;
    }
    if (schema.contains("type") && !right_type(schema["type"], value)) {
      add(where, "this is " + with_article(type_of(value)), "needed is " + types_text(schema["type"]));
      return;
    }
    if (schema.contains("enum") && !std::ranges::count(schema["enum"], value)) {
      add(where, "this is not one of the choices", "they are " + choices(schema["enum"]));
      return;
    }
    if (value.is_string()) check_string(schema, value.get_ref<const std::string&>(), where);
    if (value.is_number()) check_number(schema, value, where);
    if (value.is_array()) check_array(schema, value, where);
    if (value.is_object()) check_object(schema, value, where);
  }

  Problems take() { return std::move(problems_); }

 private:
  void add(std::string where, std::string what, std::string right = {}) {
    if (problems_.size() < most_problems)
      problems_.push_back({.where = std::move(where), .what = std::move(what), .right = std::move(right)});
  }

  static bool right_type(const json& types, const json& value) {
    if (types.is_string()) return has_type(value, types.get_ref<const std::string&>());
    return std::ranges::any_of(
        types, [&](const json& type) { return has_type(value, type.get_ref<const std::string&>()); });
  }

  static std::string choices(const json& values) {
    std::string text;
    for (const json& value : values) {
      if (!text.empty()) text += ", ";
      text += value.is_string() ? value.get<std::string>() : value.dump();
    }
    return text;
  }

  void check_string(const json& schema, const std::string& text, const std::string& where) {
    const std::size_t length = code_points(text);
    const auto bound = [&](const char* name, std::size_t fallback) {
      return schema.contains(name) ? schema[name].get<std::size_t>() : fallback;
    };
    if (length < bound("minLength", 0))
      return add(where, length == 0 ? "this is empty"
                                    : "this is shorter than " + schema["minLength"].dump() + " characters");
    if (length > bound("maxLength", length))
      return add(where, "this is longer than " + schema["maxLength"].dump() + " characters");
    if (!schema.contains("pattern")) return;
    const auto& pattern = schema["pattern"].get_ref<const std::string&>();
    // A short text: std::regex recurses once per character.
    const bool fits = length <= 4096 && std::regex_search(text, patterns_.find(pattern)->second);
    if (!fits) add(where, "this has a character where it may not stand", "needed is " + pattern);
  }

  void check_number(const json& schema, const json& value, const std::string& where) {
    if (schema.contains("minimum") && value < schema["minimum"])
      add(where, value.dump() + " is below " + schema["minimum"].dump());
    if (schema.contains("maximum") && value > schema["maximum"])
      add(where, value.dump() + " is above " + schema["maximum"].dump());
  }

  void check_array(const json& schema, const json& value, const std::string& where) {
    if (schema.contains("minItems") && value.size() < schema["minItems"].get<std::size_t>())
      add(where, value.empty() ? "this is empty" : "these are fewer than " + schema["minItems"].dump());
    if (schema.contains("maxItems") && value.size() > schema["maxItems"].get<std::size_t>())
      return add(where, "these are more than " + schema["maxItems"].dump());
    if (!schema.contains("items")) return;
    for (std::size_t i = 0; i < value.size() && problems_.size() < most_problems; ++i)
      check(schema["items"], value[i], where + "/" + std::to_string(i));
  }

  void check_object(const json& schema, const json& value, const std::string& where) {
    if (schema.contains("required"))
      for (const json& name : schema["required"])
        if (!value.contains(name.get_ref<const std::string&>()))
          add(where, "`" + name.get<std::string>() + "` is missing");
    const json* known = schema.contains("properties") ? &schema["properties"] : nullptr;
    const json* others = schema.contains("additionalProperties") ? &schema["additionalProperties"] : nullptr;
    for (const auto& [name, part] : value.items()) {
      const std::string here = where + "/" + escape_pointer(name);
      if (known != nullptr && known->contains(name)) {
        check((*known)[name], part, here);
      } else if (others != nullptr && others->is_object()) {
        check(*others, part, here);
      } else if (others != nullptr && !others->get<bool>()) {
        add(here, "there is no member of this name", suggestion(name, known));
      }
    }
  }

  static std::string suggestion(const std::string& name, const json* known) {
    std::vector<std::string> names;
    if (known != nullptr)
      for (const auto& [candidate, schema] : known->items()) names.push_back(candidate);
    const std::string near = nearest(name, names);
    if (!near.empty()) return "did you mean `" + near + "`?";
    std::string list;
    for (const std::string& candidate : names) list += (list.empty() ? "" : ", ") + candidate;
    return list.empty() ? "" : "there are " + list;
  }

  const std::map<std::string, std::shared_ptr<const json>, std::less<>>& named_;
  const std::map<std::string, std::regex, std::less<>>& patterns_;
  Problems problems_;
};

void find_references(const json& schema, std::vector<std::string>& names) {
  if (!schema.is_structured()) return;
  if (schema.is_object() && schema.contains("$ref")) {
    const auto& reference = schema["$ref"].get_ref<const std::string&>();
    DUET_CHECK(reference.starts_with(reference_prefix));
    names.push_back(reference.substr(reference_prefix.size()));
  }
  for (const json& part : schema) find_references(part, names);
}

/// A parameter's text as what its schema asks for; as a string if it is not that.
json as_value(const json& schema, std::string_view text) {
  const std::string type = schema.value("type", "string");
  if (type == "boolean" && (text == "true" || text == "false")) return text == "true";
  if (type == "integer") {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) return number;
  }
  return std::string(text);
}

}  // namespace

Schemas::Schemas() : state_(std::make_unique<State>()) {}
Schemas::~Schemas() = default;
Schemas::Schemas(Schemas&&) noexcept = default;
Schemas& Schemas::operator=(Schemas&&) noexcept = default;

void Schemas::add(std::string_view name, std::string_view text) {
  json schema = json::parse(text, nullptr, false);
  DUET_CHECK(schema.is_object());
  state_->learn_patterns(schema);
  const bool is_new =
      state_->named.emplace(std::string(name), std::make_shared<const json>(std::move(schema))).second;
  DUET_CHECK(is_new);
}

bool Schemas::has(std::string_view name) const { return state_->named.contains(name); }

Problems Schemas::check(std::string_view name, const json& value) const {
  const auto found = state_->named.find(name);
  DUET_CHECK(found != state_->named.end());
  Checker checker(state_->named, state_->patterns);
  checker.check(*found->second, value, "");
  return checker.take();
}

Problems Schemas::check_text(std::string_view schema_text, std::string_view where,
                             std::string_view text) const {
  const json schema = json::parse(schema_text, nullptr, false);
  DUET_CHECK(schema.is_object() && !schema.contains("pattern"));
  Checker checker(state_->named, state_->patterns);
  checker.check(schema, as_value(schema, text), std::string(where));
  return checker.take();
}

const std::map<std::string, std::shared_ptr<const json>, std::less<>>& Schemas::all() const {
  return state_->named;
}

std::vector<std::string> Schemas::dangling() const {
  std::vector<std::string> names;
  for (const auto& [name, schema] : state_->named) find_references(*schema, names);
  std::erase_if(names, [&](const std::string& name) { return has(name); });
  return names;
}

}  // namespace duet::live::http
