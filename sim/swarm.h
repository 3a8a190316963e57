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

/// What runs had in them: sums, so that their order does not matter.
struct SwarmTally {
  std::uint64_t jobs = 0;
  std::uint64_t tasks = 0;
  std::uint64_t attempts = 0;
  std::uint64_t attempts_lost = 0;
  std::uint64_t faults = 0;
  std::uint64_t requests = 0;  ///< Of operators.
  std::uint64_t messages = 0;
  std::uint64_t steps = 0;  ///< Of all machines.
  std::uint64_t simulated_s = 0;
  std::uint64_t digest = 0;  ///< Of all steps, of runs that were made twice.

  template <class Self, class V>
  static void fields(Self& s, V&& v) {
    v("jobs", s.jobs);
    v("tasks", s.tasks);
    v("attempts", s.attempts);
    v("of them lost", s.attempts_lost);
    v("faults", s.faults);
    v("requests", s.requests);
    v("messages", s.messages);
    v("steps", s.steps);
    v("simulated seconds", s.simulated_s);
    v("digest", s.digest);
  }
};

/// Plays the scenario in this process. Empty if all went well. A broken DUET_CHECK ends the process.
/// `tally`, if given, becomes what the run had in it.
std::vector<Violation> check_scenario(const Scenario& scenario, CheckDepth depth,
                                      SwarmTally* tally = nullptr);

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
  SwarmTally tally;  ///< Less the seeds that killed their process.
};

/// Runs the seeds. Failures go to `out` as they come; its last two lines are `in them: ...`, the tally, which
/// the seeds alone decide, and `N seeds ran, F failed, S seeds/s`.
SwarmReport run_swarm(const SwarmOptions& options, std::ostream& out);

}  // namespace duet::sim
