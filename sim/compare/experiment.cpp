// Axes, seeds and their product.
#include "sim/compare/experiment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>

#include "sim/compare/experiment_values.h"
#include "sim/diagnostics.h"
#include "sim/json_doc.h"

namespace duet::sim {
namespace {

constexpr std::array kPolicyKinds = {"queue", "scheduler", "autoscaler", "detector", "estimator"};
constexpr std::string_view kSeedsRight = "seeds such as 1..30 or 1,2,5";

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string last_step(std::string_view pointer) {
  return std::string(pointer.substr(pointer.rfind('/') + 1));
}

}  // namespace

std::vector<std::string> split_values(std::string_view text) {
  std::vector<std::string> values(1);
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ',' && depth == 0 && !quoted) {
      values.emplace_back();
      continue;
    }
    values.back() += c;
    if (quoted && c == '\\' && i + 1 < text.size())
      values.back() += text[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '['))
      ++depth;
    else if (!quoted && (c == '}' || c == ']'))
      --depth;
  }
  return values;
}

std::string pointer_of(std::string_view word) {
  const bool kind = std::find(kPolicyKinds.begin(), kPolicyKinds.end(), word) != kPolicyKinds.end();
  return (kind ? "/policies/" : "") + std::string(word);
}

std::string pointer_hint(std::string_view word) {
  return did_you_mean(word, {kPolicyKinds.begin(), kPolicyKinds.end()},
                      "right: a JSON pointer such as /policies/queue, or a kind of policy such as queue");
}

std::string value_name(std::string_view pointer, const std::string& value) {
  Mistakes none;
  const JsonDoc doc("", value, none);
  const JsonValue root = doc.root();
  const bool policy = pointer.starts_with("/policies/") && pointer.find('/', 10) == std::string_view::npos;
  if (none.empty() && root.is(JsonType::kObject)) {
    std::string name = policy ? "" : last_step(pointer);
    for (JsonValue member = root.first_child(); member; member = member.next_sibling()) {
      if (!name.empty()) name += ' ';
      const std::string text = member.is(JsonType::kString) ? member.string() : std::string(member.raw());
      name += policy && member.key() == "name" ? text : member.key() + '=' + text;
    }
    return name;
  }
  const std::string text = none.empty() && root.is(JsonType::kString) ? root.string() : value;
  return policy ? text : last_step(pointer) + '=' + text;
}

std::string short_value(std::string_view value) {
  Mistakes none;
  const JsonDoc doc("", std::string(value), none);
  const JsonValue root = doc.root();
  if (!none.empty() || !root) return std::string(value);
  if (root.is(JsonType::kString)) {
    const std::string text = root.string();
    Mistakes misread;
    const bool json = static_cast<bool>(JsonDoc("", text, misread).root());
    const bool meant_as_json =
        text.empty() || std::string_view("{[\"").find(text.front()) != std::string_view::npos;
    return json || meant_as_json ? std::string(root.raw()) : text;
  }
  std::string out;
  bool quoted = false;
  const std::string_view raw = root.raw();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (quoted && c == '\\') {
      out += c;
      out += raw[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (quoted || std::string_view(" \t\r\n").find(c) == std::string_view::npos) out += c;
  }
  return out;
}

void add_value(Axis& axis, AxisValue value, std::vector<std::string>& notices) {
  value.value = short_value(value.value);
  if (std::find(axis.values.begin(), axis.values.end(), value) == axis.values.end())
    axis.values.push_back(std::move(value));
  else
    notices.push_back(axis.pointer + ": " + backquoted(value.name) + " is given twice, and compared once");
}

Result<std::vector<std::uint64_t>> parse_seeds(std::string_view text) {
  std::set<std::uint64_t> seeds;
  const auto wrong = [&](std::string_view part, std::string what) {
    return Problem{"--seeds " + std::string(text), backquoted(part) + std::move(what),
                   std::string(kSeedsRight)};
  };
  for (const std::string& part : split_values(text)) {
    const std::size_t dots = part.find("..");
    const auto first = whole_number(std::string_view(part).substr(0, dots));
    const auto last =
        dots == std::string::npos ? first : whole_number(std::string_view(part).substr(dots + 2));
    if (!first || !last) return wrong(part, " is no seed");
    if (*last < *first) return wrong(part, " ends before it begins");
    if (*last - *first >= kMostRuns) return wrong(part, " are too many");
    for (std::uint64_t seed = *first;; ++seed) {
      seeds.insert(seed);
      if (seed == *last) break;
    }
  }
  return std::vector<std::uint64_t>(seeds.begin(), seeds.end());
}

Result<Axis> parse_axis(std::string_view text, std::vector<std::string>& notices) {
  const std::size_t equals = text.find('=');
  const std::string where = "--axis " + std::string(text);
  if (equals == std::string_view::npos || equals + 1 == text.size())
    return Problem{where, "this does not say which values to compare", "--axis /policies/queue=fcfs,easy"};
  Axis axis{pointer_of(text.substr(0, equals)), {}};
  if (is_seed(axis.pointer)) return Problem{where, std::string(kSeedIsNoAxis), "--seeds 1..30"};
  if (!axis.pointer.starts_with('/'))
    return Problem{where, backquoted(axis.pointer) + " is no place in a scenario",
                   pointer_hint(text.substr(0, equals))};
  for (const std::string& value : split_values(text.substr(equals + 1))) {
    if (value.empty()) return Problem{where, "a value is empty", "--axis /policies/queue=fcfs,easy"};
    add_value(axis, {value_name(axis.pointer, value), value}, notices);
  }
  return axis;
}

Result<std::vector<Variant>> variants_of(const std::vector<Axis>& axes) {
  std::vector<Variant> variants(1);
  // What all have in common names none of them.
  const bool varied =
      std::any_of(axes.begin(), axes.end(), [](const Axis& a) { return a.values.size() > 1; });
  for (const Axis& axis : axes) {
    if (variants.size() * axis.values.size() > kMostRuns)
      return Problem{"", "the axes make more than a million variants", "fewer values"};
    std::vector<Variant> next;
    for (const Variant& variant : variants)
      for (const AxisValue& value : axis.values) {
        Variant& made = next.emplace_back(variant);
        made.settings.push_back({axis.pointer, value.value});
        if (varied && axis.values.size() == 1) continue;
        made.name += (made.name.empty() ? "" : " ") + value.name;
      }
    variants = std::move(next);
  }
  if (axes.empty()) variants.front().name = "as written";
  std::set<std::string_view> names;
  Problems problems;
  for (const Variant& variant : variants)
    if (!names.insert(variant.name).second)
      problems.push_back({"", "two variants are called " + backquoted(variant.name),
                          R"(names of their own, in an experiment: {"name": "...", "value": ...})"});
  if (!problems.empty()) return problems;
  return variants;
}

}  // namespace duet::sim
