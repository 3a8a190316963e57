// duet live: a scenario with real processes, in a program of its own.
#include "sim/json_write.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/programs.h"

namespace duet::front {

int run(const LiveCommand& command) {
  const std::string program = helper_path("duet-live");
  if (program.empty()) {
    sim::say("this build has no duet-live: libexec/duet-live is not there\n");
    return sim::kExitUsage;
  }
  const std::string why = become(program, {sim::to_json(command.run), sim::number_text(command.speedup),
                                           command.data, command.predict ? "predict" : ""});
  sim::say("duet live: " + program + " cannot be started: " + why + '\n');
  return sim::kExitUsage;
}

}  // namespace duet::front
