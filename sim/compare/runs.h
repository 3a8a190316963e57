// The runs of an experiment: which there are, which were made before, and making the others in processes of
// their own.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "sim/compare/comparison.h"
#include "sim/compare/experiment.h"

namespace duet::sim {

struct RunsOptions {
  std::string program;   ///< That understands `sim`.
  std::string out;       ///< Runs stay in OUT/runs.
  unsigned at_once = 2;  ///< Processes.
};

/// One run to be made. Runs with one key are the same run.
struct PlannedRun {
  std::size_t scenario = 0;
  std::size_t variant = 0;
  std::uint64_t seed = 0;
  std::string key;  ///< Of scenario after its settings, seed, engine and program: 32 hexadecimal digits.
};

struct RunPlan {
  Experiment experiment;
  std::vector<std::string> names;  ///< Of the scenarios, each once.
  std::vector<Variant> variants;
  std::size_t baseline = 0;
  std::vector<PlannedRun> runs;  ///< By scenario, variant, seed.
};

/// Reads every scenario with every variant's settings. `rendered` has what is wrong, all of it; nothing runs
/// then.
struct ParsedPlan {
  std::optional<RunPlan> plan;
  std::string rendered;
};
ParsedPlan plan_runs(const Experiment& experiment, const std::string& engine_program);

/// The caller holds the FolderLock of OUT until it has written what it makes of the runs. Makes the runs that
/// OUT/runs does not have yet, and returns all of them. Each run's folder appears whole; of the first seed it
/// keeps what `duet sim --out` writes (the trace of the very first run only), of the others summary.json. A
/// run that fails is in the result, says so, and is made again next time.
Result<std::vector<ComparedRun>> make_runs(const RunPlan& plan, const RunsOptions& options);

/// What a run's summary.json says: metrics, digest, how it ended, failed assertions.
Result<ComparedRun> read_run(const std::string& folder);

}  // namespace duet::sim
