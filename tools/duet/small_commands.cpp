// The commands that only print: overview, version, policies, internal.
#include <sys/utsname.h>

#include "core/policy.h"
#include "sim/compare/experiment.h"
#include "sim/diagnostics.h"
#include "sim/scenario_fields.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/programs.h"

namespace duet::front {
namespace {

int print_table(const sim::Table& table, Format format) {
  return sim::print(to_text(table, format)) ? sim::kExitOk : sim::kExitUsage;
}

template <class P>
void add_policies(sim::Table& table, const char* kind, std::span<const PolicyEntry<P>> entries) {
  for (const auto& entry : entries) table.rows.push_back({kind, entry.name, entry.summary, entry.parameters});
}

}  // namespace

int run(const Overview&) {
  constexpr std::string_view kText =
      "Duet runs a cluster: simulated from a scenario file, or live; with one core for both.\n"
      "\n"
      "  duet sim, check SCENARIO     run a scenario; say what is wrong with it\n"
      "  duet compare                 which policy is better, and how surely\n"
      "  duet import swf|batsim       turn a job log into a scenario\n"
      "  duet policies                what can be put after --queue and --scheduler\n"
      "  duet explain, trace, replay  why a task is where it is; look into a run, and prove it\n"
      "  duet record, verify, swarm   keep scenarios from changing unnoticed; check every step\n"
      "  duet up, down                a live cluster on this machine\n"
      "  duet run, deploy, stop       processes on it; replicas that are kept running\n"
      "  duet status, node, job       what runs, where; logs, events, services\n"
      "\n"
      "next: duet sim scenarios/demo.json    (duet COMMAND --help begins with examples)\n";
  return sim::print(kText) ? sim::kExitOk : sim::kExitUsage;
}

int run(const VersionCommand& command) {
  sim::Table table{{"name", "value"}, {}};
  table.rows.push_back({"duet", DUET_VERSION});
  table.rows.push_back({"compiler", __VERSION__});
  table.rows.push_back({"engines", helper_path("duet-sim").empty() ? "loop" : "loop simgrid"});
  table.rows.push_back({"trace_format", std::uint64_t{1}});
  return print_table(table, command.format);
}

int run(const PoliciesCommand& command) {
  sim::Table table{{"kind", "name", "summary", "parameters"}, {}};
  add_policies(table, "queue", queue_policies());
  add_policies(table, "scheduler", scheduler_policies());
  add_policies(table, "autoscaler", autoscaler_policies());
  add_policies(table, "detector", detector_policies());
  add_policies(table, "estimator", estimator_policies());
  if (command.name.empty()) return print_table(table, command.format);

  std::vector<std::string_view> names;
  std::vector<std::vector<sim::Cell>> wanted;
  for (const auto& row : table.rows) {
    names.push_back(row[1].text);
    if (row[1].text == command.name) wanted.push_back(row);
  }
  if (wanted.empty()) {
    const std::string hint = sim::did_you_mean(command.name, names, "duet policies lists them");
    sim::say("duet policies: there is no policy " + sim::backquoted(command.name) + "; " + hint + '\n');
    return sim::kExitUsage;
  }
  table.rows = std::move(wanted);
  return print_table(table, command.format);
}

int run(const InternalCommand& command) {
  const std::string text = command.what == "schema"              ? sim::scenario_schema()
                           : command.what == "experiment-schema" ? sim::experiment_schema()
                                                                 : sim::scenario_field_table();
  return sim::print(text) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace duet::front
