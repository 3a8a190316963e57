#include "tools/duet/front.h"

#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <variant>

#include "sim/terminal.h"
#include "tools/duet/cli.h"
#include "tools/duet/names.h"

namespace duet::front {

namespace {

/// Shells make what a script starts in the background ignore SIGINT, for programs that share its terminal.
/// Whoever sends one to a run by its process id wants it to end, and to be told so: exit code 130.
void heed_interruptions() {
  struct sigaction now {};
  if (::sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) std::signal(SIGINT, SIG_DFL);
}

}  // namespace

int main(int argc, char** argv, const OwnPolicies& own) {
  using sim::kExitUsage;
  heed_interruptions();
  try {
    if (const Problems problems = add_policies(own); !problems.empty()) {
      sim::say(sim::to_text(problems));
      return kExitUsage;
    }
    if (argc > 0)
      if (const auto code = run_by_name(argv[0], {argv + 1, argv + argc})) return *code;
    const Parsed parsed = parse(argc, argv);
    sim::say(parsed.err);
    if (!sim::print(parsed.out)) return kExitUsage;
    if (!parsed.command) return parsed.exit_code;
    return std::visit([](const auto& command) { return run(command); }, *parsed.command);
  } catch (const std::bad_alloc&) {
    sim::say("duet: out of memory\n");
  } catch (const std::exception& failure) {
    sim::say(std::string("duet: ") + failure.what() + '\n');
  }
  return kExitUsage;
}

}  // namespace duet::front
