#include <algorithm>
#include <functional>
#include <set>

#include <nlohmann/json.hpp>

#include "live/http/schema.h"

namespace duet::live::http {
namespace {

using nlohmann::json;

/// Levels of brackets, without reading them: a document too deep must not reach a parser that recurses.
bool deeper_than(std::string_view text, std::size_t limit) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > limit) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// Notes the first member that an object has twice: parsers take one of the two, and not all the same.
class Twice {
 public:
  bool operator()(int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) {
      members_.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      members_.pop_back();
    } else if (event == json::parse_event_t::key && found_.empty()) {
      const auto& name = value.get_ref<const std::string&>();
      if (!members_.back().insert(name).second) found_ = name.empty() ? "(empty name)" : name;
    }
    return true;
  }
  const std::string& found() const { return found_; }

 private:
  std::vector<std::set<std::string>> members_;
  std::string found_;
};

Problem line_and_column(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte > 0 ? byte - 1 : 0, text.size()));
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char c : before) {
    ++column;
    if (c != '\n') continue;
    ++line;
    column = 1;
  }
  return {.where = "",
          .what = "this is no JSON from line " + std::to_string(line) + ", column " + std::to_string(column) +
                  " on",
          .right = ""};
}

}  // namespace

Result<std::shared_ptr<const json>> parse_json(std::string_view text, std::size_t depth) {
  if (deeper_than(text, depth))
    return Problem{.where = "",
                   .what = "brackets are nested deeper than " + std::to_string(depth) + " levels",
                   .right = ""};
  Twice twice;
  try {
    auto document = std::make_shared<const json>(json::parse(text, std::ref(twice)));
    if (!twice.found().empty())
      return Problem{
          .where = "", .what = "an object has the member `" + twice.found() + "` twice", .right = ""};
    return std::shared_ptr<const json>(std::move(document));
  } catch (const json::parse_error& error) {
    return line_and_column(text, error.byte);
  } catch (const json::exception&) {  // a number out of range
    return Problem{.where = "", .what = "a number is too large", .right = ""};
  }
}

}  // namespace duet::live::http
