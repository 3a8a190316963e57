#include "sim/simgrid/simgrid_main.h"

#include <exception>
#include <new>
#include <string>

#include "sim/run_command.h"
#include "sim/simgrid/simgrid_engine.h"
#include "sim/terminal.h"

namespace duet::sim {

int simgrid_main(int argc, char** argv, const OwnPolicies& own) {
  if (argc != 2) {
    say("duet-sim is started by duet: use duet sim\n");
    return kExitUsage;
  }
  try {
    if (const Problems problems = add_policies(own); !problems.empty()) {
      say(to_text(problems));
      return kExitUsage;
    }
    const auto options = run_options_from_json(argv[1]);
    if (!options) {
      say("duet-sim is started by duet: " + to_text(options.problems()));
      return kExitUsage;
    }
    const Executor executor = options->executor == "actor" ? Executor::kActor : Executor::kShell;
    const EngineMaker make_engine = [executor](const Scenario& scenario, bool needs_cpu_model) {
      return make_simgrid_engine(scenario, needs_cpu_model, executor);
    };
    return run_command(*options, make_engine);
  } catch (const std::bad_alloc&) {
    say("duet sim: out of memory\n");
  } catch (const std::exception& failure) {
    say(std::string("duet sim: ") + failure.what() + '\n');
  }
  return kExitUsage;
}

}  // namespace duet::sim
