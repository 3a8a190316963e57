#include "core/params.h"

#include <algorithm>

namespace duet {

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
  double s = 0;
  if (const auto* d = std::get_if<double>(value))
    s = *d;
  else if (const auto* i = std::get_if<std::int64_t>(value))
    s = static_cast<double>(*i);
  else {
    refuse(name, "must be a number of seconds", {});
    return fallback;
  }
  if (!(s >= low_s && s <= high_s)) {
    refuse(name, "is out of range",
           "from " + std::to_string(low_s) + " to " + std::to_string(high_s) + " seconds");
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
  refuse(name, "must be a whole number", "from " + std::to_string(low) + " to " + std::to_string(high));
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
  refuse(name, "is none of its values", std::move(all));
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
