// How `duet` hands the options of a run to the program that has the engine.
#include "sim/diagnostics.h"
#include "sim/json_doc.h"
#include "sim/json_write.h"
#include "sim/run_command.h"

namespace duet::sim {
namespace {

constexpr std::string_view kNoOptions = "these are no options of a run";

std::vector<std::string> strings(const JsonValue& array) {
  std::vector<std::string> out;
  for (JsonValue item = array.first_child(); item; item = item.next_sibling()) out.push_back(item.string());
  return out;
}

void write_strings(JsonWriter& json, std::string_view key, const std::vector<std::string>& values) {
  json.key(key);
  json.array();
  for (const std::string& value : values) json.string(value);
  json.close();
}

}  // namespace

std::string to_json(const RunOptions& options) {
  std::string out;
  JsonWriter json([&](std::string_view text) { out += text; });
  const auto text = [&](std::string_view key, std::string_view value) {
    json.key(key);
    json.string(value);
  };
  const auto flag = [&](std::string_view key, bool value) {
    json.key(key);
    json.raw(value ? "true" : "false");
  };
  json.object(true);
  text("scenario", options.scenario);
  text("engine", options.engine);
  text("executor", options.executor);
  write_strings(json, "overrides", options.overrides);
  flag("trace_jsonl", options.trace_jsonl);
  flag("trace_digest", options.trace_digest);
  flag("no_trace", options.no_trace);
  text("export_raw", options.export_raw);
  text("out", options.out);
  text("format", name_of(options.format));
  write_strings(json, "command_line", options.command_line);
  json.close();
  json.finish();
  return out;
}

Result<RunOptions> run_options_from_json(std::string_view text) {
  Mistakes mistakes;
  const JsonDoc doc("options", std::string(text), mistakes);
  const JsonValue root = doc.root();
  if (!root.is(JsonType::kObject) || !mistakes.empty()) return Problem{"", std::string(kNoOptions), ""};
  for (const char* key : {"scenario", "engine", "executor", "overrides", "trace_jsonl", "trace_digest",
                          "no_trace", "export_raw", "out", "format", "command_line"})
    if (!root.member(key)) return Problem{key, std::string(kNoOptions), "every member"};
  RunOptions options;
  options.scenario = root.member("scenario").string();
  options.engine = root.member("engine").string();
  options.executor = root.member("executor").string();
  options.overrides = strings(root.member("overrides"));
  options.trace_jsonl = root.member("trace_jsonl").boolean();
  options.trace_digest = root.member("trace_digest").boolean();
  options.no_trace = root.member("no_trace").boolean();
  options.export_raw = root.member("export_raw").string();
  options.out = root.member("out").string();
  options.format = format_of(root.member("format").string()).value_or(Format::kTable);
  options.command_line = strings(root.member("command_line"));
  return options;
}

}  // namespace duet::sim
