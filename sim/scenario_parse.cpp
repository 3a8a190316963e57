#include "sim/scenario_parse.h"

#include <filesystem>
#include <new>

#include "sim/scenario_parse_context.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

using namespace parsing;

void interpret(Context& context, const JsonValue& root) {
  Scenario& out = context.out;
  const Reader reader(context, root, Section::kScenario);
  out.name = reader.text("name");
  out.description = reader.text("description");
  out.seed = reader.seed("seed");
  out.controller.seed = out.seed;
  if (reader.valid("horizon_s")) out.horizon = reader.instant("horizon_s");
  context.horizon_place = reader.place("horizon_s");
  if (reader.valid("cluster")) read_cluster(context, reader.value("cluster"));
  if (!reader.given("policies") || reader.valid("policies")) read_policies(context, reader.value("policies"));
  if (reader.valid("workload")) read_workload(context, reader.value("workload"));
  if (reader.valid("events")) read_events(context, reader.value("events"));
  if (reader.valid("faults")) read_faults(context, reader.value("faults"));
  if (reader.valid("network")) read_network(context, reader.value("network"));
  if (reader.valid("assertions")) read_assertions(context, reader.value("assertions"));
}

ParsedScenario failure(const std::string& source, std::string what) {
  ParsedScenario result;
  result.rendered = printable(source) + ": " + printable(what) + '\n';
  result.problems.push_back({printable(source), printable(what), {}});
  return result;
}

}  // namespace

ParsedScenario parse_scenario(std::string text, std::string source,
                              const std::vector<std::string>& overrides) try {
  ParsedScenario result;
  Mistakes mistakes;
  JsonDoc doc(source, std::move(text), mistakes);
  for (const std::string& option : overrides)
    if (doc.root()) doc.set(option, mistakes);
  Mistakes warnings;
  Scenario scenario;
  if (doc.root()) {
    Context context{.doc = doc, .mistakes = mistakes, .out = scenario, .nodes = {}, .used = {}};
    interpret(context, doc.root());
    if (mistakes.empty()) warn(context);
    warnings = std::move(context.warnings);
  }
  if (mistakes.empty()) {
    result.scenario = std::move(scenario);
    result.warnings = to_problems(doc, warnings);
    result.rendered_warnings = render(doc, warnings, Severity::kWarning);
  } else {
    result.problems = to_problems(doc, mistakes);
    result.rendered = render(doc, mistakes);
  }
  return result;
} catch (const std::bad_alloc&) {
  return failure(source, "there is not enough memory for this scenario");
}

ParsedScenario load_scenario(const std::string& path, const std::vector<std::string>& overrides) {
  auto text = read_text(path, JsonDoc::kMaxBytes);
  if (!text) return failure(path, text.problems().front().what);
  return parse_scenario(std::move(*text), path, overrides);
}

std::string title_of(const Scenario& scenario, const std::string& path) {
  if (!scenario.name.empty()) return scenario.name;
  std::filesystem::path file(path);
  if (file.extension() == ".gz") file = file.stem();
  return file.stem().string();
}

}  // namespace duet::sim
