#include "core/params.h"

#include <algorithm>
#include <charconv>

namespace duet {
namespace {

/// As one writes it: 5, 0.25, 1e+300.
std::string shown(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

std::string shown(const ParamValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&value)) return shown(*number);
  return '"' + std::get<std::string>(value) + '"';
}

}  // namespace

const ParamValue* ParamReader::find(std::string_view name) {
  asked_.emplace_back(name);
  for (const auto& [key, value] : params_.items)
    if (key == name) return &value;
  return nullptr;
}

void ParamReader::refuse(std::string_view name, std::string what, std::string right) {
  problems_.push_back({std::string(name), std::move(what), std::move(right)});
}

Duration ParamReader::seconds(std::string_view name, Duration fallback, double low_s, double high_s) {
  const ParamValue* value = find(name);
  if (value == nullptr) return fallback;
  // Bounds are whole seconds.
  const auto bound = [](double bound_s) { return std::to_string(static_cast<std::int64_t>(bound_s)); };
  const std::string right = "seconds, from " + bound(low_s) + " to " + bound(high_s);
  double s = 0;
  if (const auto* d = std::get_if<double>(value))
    s = *d;
  else if (const auto* i = std::get_if<std::int64_t>(value))
    s = static_cast<double>(*i);
  else {
    refuse(name, "must be a number of seconds, and is " + shown(*value), right);
    return fallback;
  }
  if (!(s >= low_s && s <= high_s)) {
    refuse(name, "is out of range: " + shown(*value), right);
    return fallback;
  }
  return Duration(static_cast<std::int64_t>(s * 1e9 + 0.5));
}

std::int64_t ParamReader::integer(std::string_view name, std::int64_t fallback, std::int64_t low,
                                  std::int64_t high) {
  const ParamValue* value = find(name);
  if (value == nullptr) return fallback;
  const auto* i = std::get_if<std::int64_t>(value);
  if (i != nullptr && *i >= low && *i <= high) return *i;
  // A number beyond 64 bits has come as a double; what is wrong with it is its size.
  const auto* number = std::get_if<double>(value);
  const bool whole = i != nullptr || (number != nullptr && (*number >= 9e18 || *number <= -9e18));
  refuse(name, (whole ? "is out of range: " : "must be a whole number, and is ") + shown(*value),
         "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return fallback;
}

std::string_view ParamReader::text(std::string_view name, std::span<const std::string_view> choices) {
  const ParamValue* value = find(name);
  if (value == nullptr) return choices.front();
  std::string all;
  for (const std::string_view choice : choices) {
    const auto* given = std::get_if<std::string>(value);
    if (given != nullptr && *given == choice) return choice;
    all += (all.empty() ? "one of " : ", ") + std::string(choice);
  }
  refuse(name, "cannot be " + shown(*value), std::move(all));
  return choices.front();
}

Problems ParamReader::finish() {
  for (const auto& [key, value] : params_.items) {
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
    std::string known;
    for (const std::string& name : asked_) known += (known.empty() ? "" : ", ") + name;
    refuse(key, "is not a parameter of this policy", known.empty() ? "it has none" : "it has " + known);
  }
  return std::move(problems_);
}

}  // namespace duet
