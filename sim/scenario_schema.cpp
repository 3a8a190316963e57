// What is made from the table of fields for people and editors: descriptions, JSON Schema, Markdown tables.
#include <algorithm>

#include "sim/json_write.h"
#include "sim/scenario_fields.h"

namespace duet::sim {
namespace {

struct SectionText {
  Section section;
  std::string_view id;
  std::string_view path;
  std::string_view doc;
};

constexpr SectionText kSections[] = {
    {Section::kScenario, "scenario", "/", "The whole file."},
    {Section::kCluster, "cluster", "/cluster", ""},
    {Section::kMassLoss, "mass_loss", "/cluster/mass_loss", ""},
    {Section::kNodeType, "node_type", "/cluster/node_types/NAME", ""},
    {Section::kPower, "power", "/cluster/node_types/NAME/power",
     "Only for nodes of at most 256 hardware threads. A thread is busy while a task runs on it."},
    {Section::kNodes, "nodes", "/cluster/nodes/N", ""},
    {Section::kPolicies, "policies", "/policies",
     "Each a name, or `{\"name\": ..., parameters ...}`. `duet policies` lists them, `duet policies NAME` "
     "says what one "
     "takes."},
    {Section::kWorkload, "workload", "/workload", "Exactly one of these."},
    {Section::kJob, "job", "/workload/jobs/N", ""},
    {Section::kHealth, "health", "/workload/jobs/N/health", ""},
    {Section::kWorkers, "workers", "/workload/jobs/N/workers", ""},
    {Section::kGroup, "group", "/workload/jobs/N/groups/N", ""},
    {Section::kRepeat, "repeat", "/workload/jobs/N/repeat", ""},
    {Section::kPoisson, "poisson", "/workload/generate (model poisson)", ""},
    {Section::kLublin, "lublin", "/workload/generate (model lublin)", ""},
    {Section::kTable, "table", "/workload/table", ""},
    {Section::kColumn, "column", "/workload/table/columns", "Names that may stand here."},
    {Section::kEvent, "event", "/events/N", "A time, and exactly one of the others."},
    {Section::kFault, "fault", "/faults/N", "A time, and exactly one of the others."},
    {Section::kSlowNode, "slow_node", "/faults/N/slow_node",
     "Without an end it lasts as long as the run. What has a duration takes that long on any node."},
    {Section::kPartition, "partition", "/faults/N/partition",
     "Without an end it lasts as long as the run. A message is lost if it is sent while it lasts."},
    {Section::kNetworkFault, "network_fault", "/faults/N/network",
     "Without an end it lasts as long as the run. Where several say something of a message, the worst "
     "holds."},
    {Section::kClockSkew, "clock_skew", "/faults/N/clock_skew",
     "Without an end it lasts as long as the run; afterwards the clock goes right from where it then is."},
    {Section::kControllerRestart, "controller_restart", "/faults/N/controller_restart",
     "When it ends must be said."},
    {Section::kStoreDelay, "store_delay", "/faults/N/store_delay",
     "Without an end it lasts as long as the run."},
    {Section::kStoreFailure, "store_failure", "/faults/N/store_failure", "When it ends must be said."},
    {Section::kAgentRestart, "agent_restart", "/faults/N/agent_restart", "When it ends must be said."},
    {Section::kStuckNode, "stuck_node", "/faults/N/stuck_node",
     "Without an end it lasts as long as the run."},
    {Section::kUnhealthy, "unhealthy", "/faults/N/unhealthy", "Without an end it lasts as long as the run."},
    {Section::kNetwork, "network", "/network",
     "The fate of a message depends on the seed, its link and its number."},
};

std::string reference(Section section) {
  for (const SectionText& text : kSections)
    if (text.section == section) return "#/$defs/" + std::string(text.id);
  return {};
}

std::vector<std::string_view> choices_of(const Field& field) {
  std::vector<std::string_view> choices;
  std::string_view rest = field.choices;
  while (!rest.empty()) {
    const std::size_t bar = std::min(rest.find('|'), rest.size());
    choices.push_back(rest.substr(0, bar));
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return choices;
}

std::string range_of(const Field& field) {
  if (field.above_min) return "above " + number_text(field.min) + ", at most " + number_text(field.max);
  return "from " + number_text(field.min) + " to " + number_text(field.max);
}

/// The keywords of one field's schema.
class SchemaWriter {
 public:
  explicit SchemaWriter(JsonWriter& out) : out_(out) {}

  void section(Section section) {
    pair("type", "object");
    out_.key("properties");
    out_.object();
    std::vector<std::string_view> required;
    for (const Field& field : fields_of(section)) {
      out_.key(field.name);
      out_.object(true);
      keywords(field);
      pair("description", field.doc);
      if (!field.fallback.empty()) {
        out_.key("default");
        out_.raw(field.fallback);
      }
      out_.close();
      if (field.required) required.push_back(field.name);
    }
    out_.close();
    list("required", required);
    flag("additionalProperties", false);
  }

 private:
  void pair(std::string_view key, std::string_view value) {
    out_.key(key);
    out_.string(value);
  }
  void flag(std::string_view key, bool value) {
    out_.key(key);
    out_.raw(value ? "true" : "false");
  }
  void list(std::string_view key, const std::vector<std::string_view>& values) {
    if (values.empty()) return;
    out_.key(key);
    out_.array(true);
    for (const std::string_view value : values) out_.string(value);
    out_.close();
  }
  void range(const Field& field) {
    out_.key(field.above_min ? "exclusiveMinimum" : "minimum");
    out_.number(field.min);
    out_.key("maximum");
    out_.number(field.max);
  }
  void refer(Section section) { pair("$ref", reference(section)); }
  /// `key`: a schema of its own, written by `f`.
  template <class F>
  void inner(std::string_view key, F&& f) {
    out_.key(key);
    out_.object(true);
    f();
    out_.close();
  }
  void array_of(std::string_view type) {
    pair("type", "array");
    inner("items", [&] { pair("type", type); });
  }
  void one_of(Section first, Section second) {
    out_.key("oneOf");
    out_.array(true);
    for (const Section section : {first, second}) {
      out_.object(true);
      refer(section);
      out_.close();
    }
    out_.close();
  }
  void policy() {
    out_.key("oneOf");
    out_.array(true);
    out_.object(true);
    pair("type", "string");
    out_.close();
    out_.object(true);
    pair("type", "object");
    inner("properties", [&] { inner("name", [&] { pair("type", "string"); }); });
    list("required", {"name"});
    inner("additionalProperties", [&] { list("type", {"string", "number", "boolean"}); });
    out_.close();
    out_.close();
  }
  void keywords(const Field& field) {
    switch (field.type) {
      case FieldType::kText:
        return pair("type", "string");
      case FieldType::kName:
        pair("type", "string");
        out_.key("minLength");
        return out_.integer(1);
      case FieldType::kInteger:
        pair("type", "integer");
        return range(field);
      case FieldType::kSeed:
        pair("type", "integer");
        out_.key("minimum");
        return out_.integer(0);
      case FieldType::kNumber:
      case FieldType::kRatio:
      case FieldType::kSeconds:
        pair("type", "number");
        return range(field);
      case FieldType::kFlag:
        return pair("type", "boolean");
      case FieldType::kChoice:
        return list("enum", choices_of(field));
      case FieldType::kNames:
      case FieldType::kTexts:
        return array_of("string");
      case FieldType::kNumbers:
        return array_of("number");
      case FieldType::kCounts:
        pair("type", "object");
        return inner("additionalProperties", [&] { pair("type", "integer"); });
      case FieldType::kPolicy:
        return policy();
      case FieldType::kObject:
        return refer(field.child);
      case FieldType::kObjects:
        pair("type", "array");
        return inner("items", [&] { refer(field.child); });
      case FieldType::kMap:
        pair("type", "object");
        return inner("additionalProperties", [&] { refer(field.child); });
      case FieldType::kGenerator:
        return one_of(Section::kPoisson, Section::kLublin);
      case FieldType::kRows:
        return array_of("array");
    }
  }

  JsonWriter& out_;
};

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

}  // namespace

std::string describe(const Field& field) {
  const std::string unit = field.unit.empty() ? "" : " (" + std::string(field.unit) + ")";
  switch (field.type) {
    case FieldType::kText:
      return "a string";
    case FieldType::kName:
      return "a name: 1 to 200 bytes without control characters";
    case FieldType::kInteger:
      return "an integer " + range_of(field) + unit;
    case FieldType::kSeed:
      return "an integer from 0 to 18446744073709551615";
    case FieldType::kNumber:
      return "a number " + range_of(field) + unit;
    case FieldType::kSeconds:
      return "seconds, " + range_of(field);
    case FieldType::kRatio:
      return "a ratio " + range_of(field);
    case FieldType::kFlag:
      return "true or false";
    case FieldType::kChoice: {
      std::string text;
      for (const std::string_view choice : choices_of(field))
        text += (text.empty() ? "`" : " or `") + std::string(choice) + '`';
      return text;
    }
    case FieldType::kNames:
      return "an array of names";
    case FieldType::kTexts:
      return "an array of strings";
    case FieldType::kNumbers:
      return "an array of numbers " + range_of(field) + unit;
    case FieldType::kCounts:
      return "an object such as {\"gpus\": 2}";
    case FieldType::kPolicy:
      return "a name, or {\"name\": ..., parameters ...}";
    case FieldType::kMap:
      return "an object of objects, by name";
    case FieldType::kObjects:
      return "an array of objects";
    case FieldType::kRows:
      return "an array of arrays";
    case FieldType::kObject:
    case FieldType::kGenerator:
      return "an object";
  }
  return {};
}

std::string scenario_schema() {
  std::string text;
  JsonWriter out([&](std::string_view piece) { text += piece; });
  SchemaWriter schema(out);
  out.object();
  out.key("$schema");
  out.string("https://json-schema.org/draft/2020-12/schema");
  out.key("title");
  out.string("Duet scenario");
  schema.section(Section::kScenario);
  out.key("$defs");
  out.object();
  for (const SectionText& section : kSections) {
    if (section.section == Section::kScenario || section.section == Section::kColumn) continue;
    out.key(section.id);
    out.object();
    schema.section(section.section);
    out.close();
  }
  out.close();
  out.close();
  out.finish();
  return text;
}

std::string scenario_field_table() {
  std::string text;
  for (const SectionText& section : kSections) {
    text += "### " + std::string(section.path) + "\n\n";
    if (!section.doc.empty()) text += std::string(section.doc) + "\n\n";
    text += "| field | value | default | meaning |\n|---|---|---|---|\n";
    for (const Field& field : fields_of(section.section)) {
      const std::string fallback = field.required           ? "required"
                                   : field.fallback.empty() ? ""
                                                            : '`' + std::string(field.fallback) + '`';
      text += "| `" + std::string(field.name) + "` | " + cell(describe(field)) + " | " + fallback + " | " +
              cell(field.doc) + " |\n";
    }
    text += '\n';
  }
  text.pop_back();
  return text;
}

}  // namespace duet::sim
