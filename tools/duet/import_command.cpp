// duet import: a job log becomes a scenario.
#include "core/policy.h"
#include "sim/import_batsim.h"
#include "sim/import_swf.h"
#include "sim/scenario_write.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"

namespace duet::front {

int run(const ImportCommand& command) {
  auto imported = command.swf ? sim::import_swf(command.log, command.import)
                              : sim::import_batsim(command.log, command.import);
  if (!imported) return refuse(imported.problems());
  sim::Scenario& scenario = imported->scenario;
  if (!command.queue.empty()) scenario.controller.queue = {command.queue, {}};
  if (!command.scheduler.empty()) scenario.controller.scheduler = {command.scheduler, {}};
  if (const Problems problems = check_policies(scenario.controller); !problems.empty())
    return refuse(problems);
  sim::say(imported->report.text());
  const int code = write_to(command.scenario, [&](codec::TextSink& to) {
    sim::canonical_json(scenario, [&](std::string_view text) { to.write(text); });
    return Failure{};
  });
  if (code == sim::kExitOk) sim::say("next: " + sim::shell_words({"duet", "sim", command.scenario}) + '\n');
  return code;
}

}  // namespace duet::front
