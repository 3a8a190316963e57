// /policies of a scenario: names and parameters, which the policies themselves check.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/check.h"
#include "sim/decimal.h"
#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

/// A number without point and exponent is an integer if it fits one. What no double holds is infinite, which
/// no policy takes.
ParamValue number_param(std::string_view raw) {
  std::int64_t integer = 0;
  const char* const end = raw.data() + raw.size();
  if (const auto read = std::from_chars(raw.data(), end, integer); read.ec == std::errc{} && read.ptr == end)
    return integer;
  double number = 0;
  const bool fits = std::from_chars(raw.data(), end, number).ec == std::errc{};
  if (!fits && read_decimal(raw, 0).too_large) number = raw.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
  return number;
}

void read_choice(Context& context, const JsonValue& value, PolicyChoice& choice) {
  choice = {};
  if (value.is(JsonType::kString)) {
    choice.name = value.string();
    return;
  }
  const JsonValue name = value.member("name");
  if (!name.is(JsonType::kString)) {
    context.mistakes.add(name ? opening(name) : opening(value), "this policy has no name",
                         R"(right: {"name": ..., parameters ...})");
    return;
  }
  choice.name = name.string();
  for (JsonValue v = value.first_child(); v; v = v.next_sibling()) {
    const std::string key = v.key();
    if (key == "name") continue;
    switch (v.type()) {
      case JsonType::kBoolean:
        choice.params.items.emplace_back(key, v.boolean());
        break;
      case JsonType::kNumber:
        choice.params.items.emplace_back(key, number_param(v.raw()));
        break;
      case JsonType::kString:
        choice.params.items.emplace_back(key, v.string());
        break;
      default:
        context.mistakes.add(opening(v), "a parameter cannot be " + std::string(name_of(v.type())),
                             "right: a number, a string, true or false");
    }
  }
  const auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(choice.params.items.begin(), choice.params.items.end(), by_name);
  const auto same = [](const auto& a, const auto& b) {
    return a.first == b.first;
  };  // reported with the syntax
  choice.params.items.erase(std::unique(choice.params.items.begin(), choice.params.items.end(), same),
                            choice.params.items.end());
}

template <class P>
std::vector<std::string_view> names_in(std::span<const PolicyEntry<P>> table) {
  std::vector<std::string_view> names;
  for (const auto& entry : table) names.push_back(entry.name);
  return names;
}

std::vector<std::string_view> names_of(std::string_view kind) {
  if (kind == "queue") return names_in(queue_policies());
  if (kind == "scheduler") return names_in(scheduler_policies());
  if (kind == "autoscaler") return names_in(autoscaler_policies());
  if (kind == "detector") return names_in(detector_policies());
  DUET_CHECK(kind == "estimator");
  return names_in(estimator_policies());
}

struct Slot {
  std::string_view kind;
  PolicyChoice ControllerConfig::*choice;
};
constexpr Slot kSlots[] = {{"queue", &ControllerConfig::queue},
                           {"scheduler", &ControllerConfig::scheduler},
                           {"autoscaler", &ControllerConfig::autoscaler},
                           {"detector", &ControllerConfig::detector},
                           {"estimator", &ControllerConfig::estimator}};

/// What a policy's factory said, put where the user wrote it.
void report(Context& context, const JsonValue& given, const PolicyChoice& choice, std::string_view kind,
            std::string_view parameter, const Problem& problem) {
  const JsonValue name = given.is(JsonType::kObject) ? given.member("name") : given;
  const std::vector<std::string_view> names = names_of(kind);
  if (std::find(names.begin(), names.end(), choice.name) == names.end()) {
    std::string all = "right: one of";
    for (const std::string_view n : names) all += ' ' + std::string(n);
    context.mistakes.add(name.place(),
                         "there is no " + std::string(kind) + " policy " + backquoted(choice.name),
                         did_you_mean(choice.name, names, all));
    return;
  }
  const JsonValue member = given.member(parameter);
  const bool beyond = member.is(JsonType::kNumber) && read_decimal(member.raw(), 0).too_large;
  const std::string what =
      beyond ? backquoted(member.raw()) + " is out of range"
             : (parameter.empty() ? "" : backquoted(parameter) + ' ') + printable(problem.what);
  context.mistakes.add(member ? member.place() : name.place(), what,
                       problem.right.empty() ? "" : "right: " + printable(problem.right));
}

}  // namespace

void read_policies(Context& context, const JsonValue& policies) {
  ControllerConfig& config = context.out.controller;
  const std::size_t before = context.mistakes.count();
  if (policies) {
    const Reader reader(context, policies, Section::kPolicies);
    for (const Slot& slot : kSlots)
      if (reader.valid(slot.kind)) read_choice(context, reader.value(slot.kind), config.*slot.choice);
  }
  if (context.mistakes.count() != before) return;
  for (const Problem& problem : check_policies(config)) {
    const std::size_t slash = std::min(problem.where.find('/'), problem.where.size());
    const std::string_view kind = std::string_view(problem.where).substr(0, slash);
    const std::string_view rest = std::string_view(problem.where).substr(slash);
    const JsonValue given = policies.member(kind);
    DUET_CHECK(static_cast<bool>(given));  // the defaults are in order
    for (const Slot& slot : kSlots)
      if (slot.kind == kind)
        report(context, given, config.*slot.choice, kind, rest.substr(!rest.empty()), problem);
  }
  if (auto queue = make_policy(queue_policies(), config.queue)) context.queue = std::move(*queue);
}

}  // namespace duet::sim::parsing
