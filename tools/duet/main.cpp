// duet: the front. Parses the command line and carries the command out, here or in a program of libexec/.
#include <exception>
#include <string>

#include "sim/terminal.h"
#include "tools/duet/cli.h"

int main(int argc, char** argv) {
  using duet::sim::kExitUsage;
  try {
    const duet::front::Parsed parsed = duet::front::parse(argc, argv);
    duet::sim::say(parsed.err);
    if (!duet::sim::print(parsed.out)) return kExitUsage;
    if (!parsed.command) return parsed.exit_code;
    return std::visit([](const auto& command) { return duet::front::run(command); }, *parsed.command);
  } catch (const std::bad_alloc&) {
    duet::sim::say("duet: out of memory\n");
  } catch (const std::exception& failure) {
    duet::sim::say(std::string("duet: ") + failure.what() + '\n');
  }
  return kExitUsage;
}
