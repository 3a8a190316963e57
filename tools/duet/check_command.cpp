// duet check: every mistake of every file, before anything runs.
#include "sim/json_doc.h"
#include "sim/progress.h"
#include "sim/scenario_parse.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"

namespace duet::front {

namespace {

/// How many, for the table, whose readers have seen all of it by then; a line for each in CSV; in JSON a
/// list.
sim::Cell shown(const Problems& problems, Format format) {
  if (format == Format::kTable) return std::uint64_t{problems.size()};
  std::string lines;
  std::string list;
  for (const Problem& problem : problems) {
    if (!lines.empty()) lines += '\n';
    lines += (problem.where.empty() ? "" : problem.where + ": ") + problem.what;
    list += (list.empty() ? "" : ", ") + ("{\"where\": " + sim::json_string(problem.where)) +
            ", \"what\": " + sim::json_string(problem.what) +
            ", \"right\": " + sim::json_string(problem.right) + '}';
  }
  return format == Format::kCsv ? sim::Cell(lines) : sim::Cell::plain('[' + list + ']');
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
                            shown(parsed.problems, command.format), shown(parsed.warnings, command.format)});
      continue;
    }
    const sim::Scenario& scenario = *parsed.scenario;
    const std::string name = command.format == Format::kTable ? title_of(scenario, file) : scenario.name;
    table.rows.push_back({file, sim::Cell::flag(true), name, std::uint64_t{scenario.nodes.size()},
                          sim::count_jobs(scenario), shown({}, command.format),
                          shown(parsed.warnings, command.format)});
  }
  if (!sim::print(to_text(table, command.format))) return sim::kExitUsage;
  return all_valid ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace duet::front
