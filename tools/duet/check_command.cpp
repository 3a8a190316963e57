// duet check: every mistake of every file, before anything runs.
#include "sim/progress.h"
#include "sim/scenario_parse.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"

namespace duet::front {

namespace {

/// The table is for people, who have read all of it by then: it counts.
std::string shown(const Problems& problems, Format format) {
  if (format == Format::kTable) return problems.empty() ? "" : std::to_string(problems.size());
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += (problem.where.empty() ? "" : problem.where + ": ") + problem.what;
  }
  return text;
}

}  // namespace

int run(const CheckCommand& command) {
  sim::Table table{{"file", "valid", "name", "nodes", "jobs", "mistakes", "warnings"}, {}};
  bool all_valid = true;
  for (const std::string& file : command.scenarios) {
    const sim::ParsedScenario parsed = sim::load_scenario(file);
    all_valid &= static_cast<bool>(parsed);
    sim::say(parsed.rendered + parsed.rendered_warnings);
    if (!parsed) {
      table.rows.push_back({file, sim::Cell::flag(false), sim::Cell(), sim::Cell(), sim::Cell(),
                            shown(parsed.problems, command.format), ""});
      continue;
    }
    const sim::Scenario& scenario = *parsed.scenario;
    const std::string name = command.format == Format::kTable ? title_of(scenario, file) : scenario.name;
    table.rows.push_back({file, sim::Cell::flag(true), name, std::uint64_t{scenario.nodes.size()},
                          sim::count_jobs(scenario), "", shown(parsed.warnings, command.format)});
  }
  if (!sim::print(to_text(table, command.format))) return sim::kExitUsage;
  return all_valid ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace duet::front
