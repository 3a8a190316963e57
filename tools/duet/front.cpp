#include "tools/duet/front.h"

#include <exception>
#include <new>
#include <string>
#include <variant>

#include "sim/terminal.h"
#include "tools/duet/cli.h"

namespace duet::front {

int main(int argc, char** argv, const OwnPolicies& own) {
  using sim::kExitUsage;
  try {
    if (const Problems problems = add_policies(own); !problems.empty()) {
      sim::say(sim::to_text(problems));
      return kExitUsage;
    }
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
