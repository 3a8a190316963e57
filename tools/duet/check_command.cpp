// duet check: every mistake of every file, before anything runs.
#include "sim/progress.h"
#include "sim/scenario_parse.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"

namespace duet::front {

int run(const CheckCommand& command) {
  sim::Table table{{"file", "valid", "name", "nodes", "jobs", "mistakes"}, {}};
  bool all_valid = true;
  for (const std::string& file : command.scenarios) {
    const sim::ParsedScenario parsed = sim::load_scenario(file);
    all_valid &= static_cast<bool>(parsed);
    if (parsed) {
      const sim::Scenario& scenario = *parsed.scenario;
      const std::string name = command.format == Format::kTable ? title_of(scenario, file) : scenario.name;
      table.rows.push_back({file, sim::Cell::flag(true), name, std::uint64_t{scenario.nodes.size()},
                            sim::count_jobs(scenario), ""});
      continue;
    }
    sim::say(parsed.rendered);
    std::string mistakes;
    for (const Problem& problem : parsed.problems) {
      if (!mistakes.empty()) mistakes += '\n';
      mistakes += (problem.where.empty() ? "" : problem.where + ": ") + problem.what;
    }
    // The table is for people, who have just read all of it.
    const std::string shown =
        command.format == Format::kTable ? std::to_string(parsed.problems.size()) : mistakes;
    table.rows.push_back({file, sim::Cell::flag(false), sim::Cell(), sim::Cell(), sim::Cell(), shown});
  }
  if (!sim::print(to_text(table, command.format))) return sim::kExitUsage;
  return all_valid ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace duet::front
