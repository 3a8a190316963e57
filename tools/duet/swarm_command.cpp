// duet swarm: many random clusters, each from one seed.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <thread>

#include <unistd.h>

#include "sim/swarm.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"

namespace duet::front {

int run(const SwarmCommand& command) {
  sim::SwarmOptions options;
  options.seeds = command.seeds;
  options.first_seed = command.first_seed;
  options.workers = std::max(1U, std::thread::hardware_concurrency());
  options.progress = sim::fancy_terminal(STDOUT_FILENO);
  if (!command.out.empty()) {
    std::error_code error;
    std::filesystem::create_directories(command.out, error);
    if (error) return refuse({{command.out, "the folder cannot be made: " + error.message(), ""}});
    options.folder = command.out;
  }
  const sim::SwarmReport report = sim::run_swarm(options, std::cout);
  std::cout.flush();
  if (!std::cout) return refuse({{"", "standard output cannot be written", ""}});
  return report.failures.empty() ? sim::kExitOk : sim::kExitNegative;
}

}  // namespace duet::front
