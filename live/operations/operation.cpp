#include "live/operations/operation.h"

#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

namespace duet::live::operations {
namespace {

using nlohmann::json;

std::string pointer(std::string_view name) { return "/" + std::string(name); }

std::string range_text(std::int64_t least, std::int64_t most) {
  return "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
}

/// 1e6 is written as a fraction and is a whole number.
std::optional<std::int64_t> whole(const json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (std::trunc(number) != number || std::abs(number) > 0x1p53) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::string shown(const json& value) {
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= 40 ? text : text.substr(0, 37) + "...";
}

}  // namespace

DataReader::DataReader(const json& data) : data_(data) {
  if (!data.is_object()) problems_.push_back({"", "is no object", R"(such as {"iterations": 1000000})"});
}

const json* DataReader::take(std::string_view name) {
  known_.emplace(name);
  if (!data_.is_object()) return nullptr;
  const auto at = data_.find(name);
  return at == data_.end() ? nullptr : &*at;
}

std::int64_t DataReader::checked(std::string_view name, const json& value, std::int64_t least,
                                 std::int64_t most) {
  const auto number = whole(value);
  if (number && *number >= least && *number <= most) return *number;
  problems_.push_back({pointer(name), "is " + shown(value), range_text(least, most)});
  return least;
}

std::int64_t DataReader::integer(std::string_view name, std::int64_t least, std::int64_t most) {
  if (const json* value = take(name)) return checked(name, *value, least, most);
  if (data_.is_object()) problems_.push_back({pointer(name), "is missing", range_text(least, most)});
  return least;
}

std::int64_t DataReader::integer_or(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                    std::int64_t most) {
  const json* value = take(name);
  return value == nullptr ? otherwise : checked(name, *value, least, most);
}

double DataReader::number(std::string_view name, double least, double most) {
  const json* value = take(name);
  if (value != nullptr && value->is_number())
    if (const double number = value->get<double>(); number >= least && number <= most) return number;
  if (!data_.is_object()) return least;
  problems_.push_back({pointer(name), value == nullptr ? "is missing" : "is " + shown(*value),
                       "a number from " + json(least).dump() + " to " + json(most).dump()});
  return least;
}

std::string DataReader::text_or(std::string_view name, std::string otherwise, std::size_t longest) {
  const json* value = take(name);
  if (value == nullptr) return otherwise;
  if (value->is_string() && value->get_ref<const std::string&>().size() <= longest)
    return value->get<std::string>();
  problems_.push_back(
      {pointer(name), "is " + shown(*value), "text of at most " + std::to_string(longest) + " bytes"});
  return otherwise;
}

Problems DataReader::finish() {
  if (data_.is_object()) {
    std::string list;
    for (const std::string& name : known_) list += (list.empty() ? "" : ", ") + name;
    for (const auto& [name, value] : data_.items())
      if (!known_.contains(name)) problems_.push_back({pointer(name), "is not known", list});
  }
  return std::move(problems_);
}

const Entry* find(std::string_view name) {
  for (const Entry& entry : all())
    if (entry.name == name) return &entry;
  return nullptr;
}

Result<std::unique_ptr<Operation>> make(std::string_view name, const json& data) {
  const Entry* entry = find(name);
  if (entry == nullptr) {
    std::string list;
    for (const Entry& one : all()) list += (list.empty() ? "one of " : ", ") + std::string(one.name);
    return Problem{"/operation", "there is no operation '" + std::string(name) + "'", list};
  }
  auto made = entry->make(data);
  if (made) return made;
  Problems problems = made.problems();
  for (Problem& problem : problems) problem.where.insert(0, "/data");
  return problems;
}

}  // namespace duet::live::operations
