// The swarm: many random scenarios on the loop engine, each watched by all checkers; what fails is made
// small.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "sim/checkers.h"
#include "sim/scenario.h"

namespace duet::sim {

/// How thoroughly one scenario is checked beside the checkers themselves.
struct CheckDepth {
  bool twice = false;  ///< Played twice, and both must do the same: I18.
  bool trace = false;  ///< Its trace is written, read back, and read back once more with a byte altered: I16.
};

/// Plays the scenario in this process. Empty if all went well. A broken DUET_CHECK ends the process.
std::vector<Violation> check_scenario(const Scenario& scenario, CheckDepth depth);

/// The same in a process of its own: a process that dies is a violation "CHECK", with what it said last.
std::vector<Violation> check_apart(const Scenario& scenario, CheckDepth depth);

/// "I5 at 1.250 s: ...", without a line break.
std::string text_of(const Violation& violation);

struct SwarmOptions {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 500;
  unsigned workers = 1;            ///< Processes that share the seeds.
  std::uint64_t twice_every = 1;   ///< Every so many seeds: I18; 0 = never.
  std::uint64_t trace_every = 64;  ///< Every so many seeds: I16; 0 = never.
  bool progress = false;           ///< A line now and then, with a carriage return.
  bool shrink = true;              ///< Makes failures small and writes them to `folder`.
  std::string folder = ".";        ///< For swarm-SEED.json.
  std::uint64_t stop_after = 10;   ///< Failures.
};

struct SwarmFailure {
  std::uint64_t seed = 0;
  std::vector<Violation> violations;  ///< At least one.
  std::string file;                   ///< Of the small scenario; empty if none was written.
};

struct SwarmReport {
  std::uint64_t ran = 0;
  std::vector<SwarmFailure> failures;  ///< By seed.
  double seeds_per_s = 0;
};

/// Runs the seeds. Failures go to `out` as they come; its last line is `N seeds ran, F failed, S seeds/s`.
SwarmReport run_swarm(const SwarmOptions& options, std::ostream& out);

}  // namespace duet::sim
