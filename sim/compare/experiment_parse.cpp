// Experiments as files.
#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "sim/compare/experiment.h"
#include "sim/compare/experiment_values.h"
#include "sim/diagnostics.h"
#include "sim/json_doc.h"
#include "sim/json_write.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 16 << 20;

/// A member of an experiment: its JSON Schema says what it may be.
struct ExperimentField {
  std::string_view name;
  std::string_view schema;
  std::string_view doc;
};
constexpr std::array kExperimentFields = {
    ExperimentField{"$schema", R"("type": "string")", "For editors."},
    ExperimentField{"title", R"("type": "string")", "What the report is called."},
    ExperimentField{"description", R"("type": "string")", "For people."},
    ExperimentField{"scenarios", R"("type": "array", "items": {"type": "string"}, "minItems": 1)",
                    "Files of the scenarios, relative to this one."},
    ExperimentField{"axes", R"("type": "array", "items": {"$ref": "#/$defs/axis"})",
                    "What is varied: every variant has one value of each."},
    ExperimentField{
        "seeds",
        R"("oneOf": [{"type": "string", "pattern": "^[0-9]+([.][.][0-9]+)?(,[0-9]+([.][.][0-9]+)?)*$"}, )"
        R"({"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}])",
        "\"1..30\" or a list. Default: each scenario's own."},
    ExperimentField{"engine", R"("enum": ["simgrid", "loop"])", "Default simgrid."},
    ExperimentField{"objective", R"("type": "string")", "The metric that the verdict is about."},
    ExperimentField{"baseline", R"("type": "string")",
                    "The variant the others are held against. Default: the first."},
    ExperimentField{"metrics", R"("type": "array", "items": {"type": "string"})", "Those to show."},
};
constexpr std::array<std::string_view, 3> kExperimentAxisFields = {"pointer", "values", "description"};

/// Reads one experiment; every mistake goes to `mistakes`.
class ExperimentReader {
 public:
  ExperimentReader(fs::path folder, Mistakes& mistakes, std::vector<std::string>& notices)
      : folder_(std::move(folder)), mistakes_(mistakes), notices_(notices) {}

  Experiment read(const JsonValue& root) {
    if (!root.is(JsonType::kObject)) {
      mistakes_.add(root.place(), "an experiment cannot be " + std::string(name_of(root.type())),
                    "right: an object");
      return {};
    }
    std::vector<std::string_view> names;
    for (const ExperimentField& field : kExperimentFields) names.push_back(field.name);
    known_members(root, names);
    out_.title = text(root.member("title"));
    text(root.member("description"));
    text(root.member("$schema"));
    read_scenarios(root);
    read_axes(root.member("axes"));
    read_seeds(root.member("seeds"));
    out_.engine = text(root.member("engine"));
    if (!out_.engine.empty() && out_.engine != "simgrid" && out_.engine != "loop")
      mistakes_.add(root.member("engine").place(), "there is no engine " + backquoted(out_.engine),
                    did_you_mean(out_.engine, {"simgrid", "loop"}, "right: simgrid or loop"));
    out_.objective = metric(root.member("objective"));
    out_.baseline = text(root.member("baseline"));
    for (JsonValue item = list(root.member("metrics")); item; item = item.next_sibling())
      out_.metrics.push_back(metric(item));
    check_variants(root);
    return std::move(out_);
  }

 private:
  void known_members(const JsonValue& object, const std::vector<std::string_view>& names) {
    for (JsonValue member = object.first_child(); member; member = member.next_sibling()) {
      const std::string key = member.key();
      if (std::find(names.begin(), names.end(), key) != names.end()) continue;
      std::string all = "right: one of";
      for (const std::string_view name : names) all += ' ' + std::string(name);
      mistakes_.add(member.key_place(), "there is no field " + backquoted(key),
                    did_you_mean(key, names, all));
    }
  }
  std::string text(const JsonValue& value) {
    if (value && !value.is(JsonType::kString))
      mistakes_.add(value.place(), "this cannot be " + std::string(name_of(value.type())), "right: a string");
    return value.is(JsonType::kString) ? value.string() : std::string();
  }
  /// The first element, or none.
  JsonValue list(const JsonValue& value) {
    if (value && !value.is(JsonType::kArray))
      mistakes_.add(value.place(), "this cannot be " + std::string(name_of(value.type())), "right: an array");
    return value.is(JsonType::kArray) ? value.first_child() : JsonValue();
  }
  std::string metric(const JsonValue& value) {
    const std::string name = text(value);
    if (!value.is(JsonType::kString) || find_metric(name) != nullptr) return name;
    std::vector<std::string_view> names;
    for (const Metric& known : known_metrics()) names.push_back(known.name);
    mistakes_.add(value.place(), "there is no metric " + backquoted(name),
                  did_you_mean(name, names, "right: one of docs/scenario-format.md"));
    return {};
  }

  void read_scenarios(const JsonValue& root) {
    const JsonValue value = root.member("scenarios");
    for (JsonValue item = list(value); item; item = item.next_sibling()) {
      const std::string file = text(item);
      if (!item.is(JsonType::kString)) continue;
      const std::string path = (folder_ / file).lexically_normal().string();
      std::error_code error;
      if (!fs::exists(path, error)) mistakes_.add(item.place(), "there is no file " + backquoted(path));
      if (std::find(out_.scenarios.begin(), out_.scenarios.end(), path) != out_.scenarios.end())
        notices_.push_back(path + " is given twice, and run once");
      else
        out_.scenarios.push_back(path);
    }
    if (!value || (value.is(JsonType::kArray) && !value.first_child()))
      mistakes_.add(value ? value.place() : JsonPlace{root.place().begin, root.place().begin + 1},
                    "there is nothing to run", R"(right: "scenarios": ["../demo.json"])");
  }

  void read_axes(const JsonValue& axes) {
    std::set<std::string> pointers;
    for (JsonValue item = list(axes); item; item = item.next_sibling()) {
      if (!item.is(JsonType::kObject)) {
        mistakes_.add(item.place(), "an axis cannot be " + std::string(name_of(item.type())),
                      R"(right: {"pointer": "/policies/queue", "values": ["fcfs", "easy"]})");
        continue;
      }
      known_members(item, {kExperimentAxisFields.begin(), kExperimentAxisFields.end()});
      const JsonValue pointer = item.member("pointer");
      Axis axis{pointer_of(text(pointer)), {}};
      if (is_seed(axis.pointer))
        mistakes_.add(pointer.place(), std::string(kSeedIsNoAxis),
                      R"(right: "seeds": "1..30", beside "axes")");
      else if (!axis.pointer.starts_with('/'))
        mistakes_.add(pointer ? pointer.place() : opening(item), "this is no place in a scenario",
                      pointer_hint(axis.pointer));
      else if (!pointers.insert(axis.pointer).second)
        mistakes_.add(pointer.place(), backquoted(axis.pointer) + " is varied twice",
                      "right: one axis with all values");
      read_values(item, axis);
      out_.axes.push_back(std::move(axis));
    }
  }
  void read_values(const JsonValue& item, Axis& axis) {
    const JsonValue values = item.member("values");
    for (JsonValue value = list(values); value; value = value.next_sibling())
      add_value(axis, point(axis, value), notices_);
    if (axis.values.empty() && (!values || values.is(JsonType::kArray)))
      mistakes_.add(values ? values.place() : opening(item), "this axis has no values",
                    R"(right: "values": ["fcfs", "easy"])");
  }
  /// A value, or {"name": ..., "value": ...}.
  AxisValue point(const Axis& axis, const JsonValue& value) {
    const JsonValue inner = value.member("value");
    const JsonValue name = value.member("name");
    const bool named = value.is(JsonType::kObject) && inner && name;
    const std::string raw(named ? inner.raw() : value.raw());
    std::string shown = named ? text(name) : value_name(axis.pointer, raw);
    if (named && shown.empty()) mistakes_.add(name.place(), "this name is empty", "right: a word for tables");
    return {std::move(shown), raw};
  }
  static JsonPlace opening(const JsonValue& object) {
    return {object.place().begin, object.place().begin + 1};
  }

  void read_seeds(const JsonValue& value) {
    if (!value) return;
    std::string all;
    if (value.is(JsonType::kString)) {
      all = value.string();
    } else if (value.is(JsonType::kArray) && value.first_child()) {
      for (JsonValue item = value.first_child(); item; item = item.next_sibling())
        all += (all.empty() ? "" : ",") + std::string(item.raw());
    }
    const auto seeds = parse_seeds(all);
    if (seeds)
      out_.seeds = *seeds;
    else
      mistakes_.add(value.place(), seeds.problems().front().what, R"(right: "1..30" or [1, 2, 5])");
  }

  void check_variants(const JsonValue& root) {
    if (!mistakes_.empty()) return;
    const auto variants = variants_of(out_.axes);
    if (!variants) {
      for (const Problem& problem : variants.problems())
        mistakes_.add(root.member("axes").place(), problem.what, problem.right);
      return;
    }
    if (out_.baseline.empty()) return;
    std::vector<std::string_view> names;
    for (const Variant& variant : *variants) names.push_back(variant.name);
    if (std::find(names.begin(), names.end(), out_.baseline) != names.end()) return;
    std::string all = "right: one of";
    for (const std::string_view name : names) all += " `" + std::string(name) + '`';
    mistakes_.add(root.member("baseline").place(), "there is no variant " + backquoted(out_.baseline),
                  did_you_mean(out_.baseline, names, all));
  }

  fs::path folder_;
  Mistakes& mistakes_;
  std::vector<std::string>& notices_;
  Experiment out_;
};

}  // namespace

ParsedExperiment parse_experiment(std::string text, const std::string& source) {
  ParsedExperiment result;
  Mistakes mistakes;
  const JsonDoc doc(source, std::move(text), mistakes);
  Experiment experiment;
  if (doc.root())
    experiment = ExperimentReader(fs::path(source).parent_path(), mistakes, result.notices).read(doc.root());
  if (mistakes.empty())
    result.experiment = std::move(experiment);
  else
    result.rendered = render(doc, mistakes);
  return result;
}

bool is_experiment(const std::string& path) {
  auto text = read_text(path, kMostBytes);
  if (!text) return false;
  Mistakes ignored;
  const JsonDoc doc(path, std::move(*text), ignored);
  const JsonValue root = doc.root();
  return root.is(JsonType::kObject) && (root.member("scenarios") || root.member("axes"));
}

ParsedExperiment load_experiment(const std::string& path) {
  auto text = read_text(path, kMostBytes);
  if (text) return parse_experiment(std::move(*text), path);
  ParsedExperiment result;
  result.rendered = printable(path) + ": " + text.problems().front().what + '\n';
  return result;
}

std::string experiment_schema() {
  std::string out =
      "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
      "  \"title\": \"An experiment of Duet: what duet compare runs\",\n  \"type\": \"object\",\n"
      "  \"required\": [\"scenarios\"],\n  \"additionalProperties\": false,\n  \"properties\": {\n";
  for (const ExperimentField& field : kExperimentFields) {
    out += "    " + json_string(field.name) + ": {" + std::string(field.schema) +
           ", \"description\": " + json_string(field.doc) + '}';
    out += &field == &kExperimentFields.back() ? "\n" : ",\n";
  }
  return out +
         "  },\n  \"$defs\": {\n    \"axis\": {\n      \"type\": \"object\",\n"
         "      \"required\": [\"pointer\", \"values\"],\n      \"additionalProperties\": false,\n"
         "      \"properties\": {\n"
         "        \"pointer\": {\"type\": \"string\", \"description\": \"JSON pointer into the scenarios, or "
         "a kind of "
         "policy: queue, scheduler, autoscaler, detector, estimator.\"},\n"
         "        \"values\": {\"type\": \"array\", \"minItems\": 1, \"description\": \"Any JSON; "
         "{\\\"name\\\": ..., \\\"value\\\": ...} gives one a name for tables.\"},\n"
         "        \"description\": {\"type\": \"string\", \"description\": \"For people.\"}\n"
         "      }\n    }\n  }\n}\n";
}

}  // namespace duet::sim
