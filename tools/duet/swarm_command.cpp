// duet swarm: many random clusters, each from one seed.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <thread>

#include <unistd.h>

#include "sim/scenario_parse.h"
#include "sim/swarm.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"

namespace duet::front {

namespace {

int check_file(const std::string& path) {
  const sim::ParsedScenario parsed = sim::load_scenario(path);
  if (!parsed) {
    sim::say(parsed.rendered);
    return sim::kExitUsage;
  }
  const auto violations = sim::check_apart(*parsed.scenario, {.twice = true, .trace = true});
  for (const sim::Violation& v : violations) std::cout << sim::text_of(v) << '\n';
  if (violations.empty()) std::cout << "all promises kept\n";
  std::cout.flush();
  if (!std::cout) return refuse({{"", "standard output cannot be written", ""}});
  return violations.empty() ? sim::kExitOk : sim::kExitNegative;
}

}  // namespace

int run(const SwarmCommand& command) {
  if (!command.scenario.empty()) return check_file(command.scenario);
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
