// duet sim: the loop engine runs here, SimGrid in a program of its own, so that nothing else has to load it.
#include "sim/engine.h"
#include "sim/run_command.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/programs.h"

namespace duet::front {

int run(const SimCommand& command) {
  if (command.run.engine == "loop") return sim::run_command(command.run, sim::make_loop_engine);
  const std::string program = engine_program(command.run.engine);
  if (program.empty()) return refuse_engine("duet sim");
  const std::string why = become(program, {sim::to_json(command.run)});
  sim::say("duet sim: " + program + " cannot be started: " + why + '\n');
  return sim::kExitUsage;
}

}  // namespace duet::front
