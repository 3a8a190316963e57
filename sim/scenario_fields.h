// The fields of a scenario file: one table that the parser, the JSON Schema and the documentation are made
// from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace duet::sim {

/// The kinds of object in a scenario file.
enum class Section : std::uint8_t {
  kScenario,
  kCluster,
  kMassLoss,
  kNodeType,
  kPower,
  kNodes,
  kPolicies,
  kWorkload,
  kJob,
  kHealth,
  kWorkers,
  kGroup,
  kRepeat,
  kPoisson,
  kLublin,
  kTable,
  kColumn,  ///< Not an object: the columns that /workload/table may have.
  kEvent,
  kFault,
  kSlowNode,
  kPartition,
  kNetworkFault,
  kClockSkew,
  kControllerRestart,
  kStoreDelay,
  kStoreFailure,
  kAgentRestart,
  kStuckNode,
  kUnhealthy,
  kNetwork,
  kNone,
};

enum class FieldType : std::uint8_t {
  kText,       ///< Any string.
  kName,       ///< 1 to 200 bytes without control characters.
  kInteger,    ///< min .. max; may be written 4.2e9.
  kSeed,       ///< 0 .. 2^64 - 1
  kNumber,     ///< A double, min .. max.
  kSeconds,    ///< Read exactly, to the nanosecond; min .. max.
  kRatio,      ///< min .. max, read exactly, to the millionth.
  kFlag,       ///< true or false
  kChoice,     ///< One of `choices`, separated by '|'.
  kNames,      ///< An array of names.
  kTexts,      ///< An array of strings.
  kNumbers,    ///< An array of numbers, at least one, each min .. max.
  kCounts,     ///< {"gpus": 2}: integers by countable kind.
  kPolicy,     ///< A name, or {"name": ..., parameters ...}.
  kObject,     ///< An object of section `child`.
  kObjects,    ///< An array of them.
  kMap,        ///< An object of them, by name.
  kGenerator,  ///< An object of section kPoisson or kLublin, as its `model` says.
  kRows,       ///< An array of arrays of plain values.
};

struct Field {
  Section section = Section::kNone;
  std::string_view name = {};
  FieldType type = FieldType::kText;
  std::string_view unit = {};  ///< "hardware threads", "MiB"; empty for seconds, flags, text.
  double min = 0;
  bool above_min = false;  ///< min itself is refused.
  double max = 0;
  std::string_view fallback = {};  ///< The default as JSON; empty if there is none or `doc` says it.
  bool required = false;
  std::string_view choices = {};
  Section child = Section::kNone;
  std::string_view doc = {};  ///< One sentence, Markdown.
};

/// All fields, section by section, in the order of the canonical form.
std::span<const Field> scenario_fields();
/// Those of one section.
std::span<const Field> fields_of(Section section);
/// The field of that name, or null.
const Field* find_field(Section section, std::string_view name);

/// What a value of this field may be: "an integer from 1 to 1000000", "one of `rigid`, `bag`".
std::string describe(const Field& field);

/// JSON Schema (draft 2020-12) of a scenario file, for editors: scenarios/scenario.schema.json.
std::string scenario_schema();
/// The tables of fields in docs/scenario-format.md, in Markdown.
std::string scenario_field_table();

}  // namespace duet::sim
