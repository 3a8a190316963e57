// `duet sim`: one scenario file, one run, its files and its summary. Shared by the programs that can run
// engines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sim/run.h"
#include "sim/table.h"

namespace duet::sim {

struct RunOptions {
  std::string scenario;                ///< Path of the file.
  std::string engine = "simgrid";      ///< simgrid or loop.
  std::string executor = "shell";      ///< How SimGrid executes work: shell or actor.
  std::vector<std::string> overrides;  ///< "/pointer=value", in their order.
  bool trace_jsonl = false;            ///< trace.jsonl instead of trace.duet.
  bool trace_digest = false;           ///< No trace file, but its digest.
  bool no_trace = false;               ///< Steps are not even encoded: for benchmarks. No digest then.
  std::string export_raw;              ///< Path for the executions; empty = not wanted.
  std::string out;                     ///< Folder for the result files; empty = none are written.
  Format format = Format::kTable;
  std::vector<std::string> command_line;  ///< For run_info.json.

  bool operator==(const RunOptions&) const = default;
};

/// How one program hands them to another: a line of JSON, and back.
std::string to_json(const RunOptions& options);
Result<RunOptions> run_options_from_json(std::string_view text);

/// Runs, writes the files, prints the result, and returns the exit code: 0, or 1 if an assertion failed or
/// the run stalled without an assertion that speaks of jobs_unfinished, or 2 for invalid input and files that
/// cannot be written.
int run_command(const RunOptions& options, const EngineMaker& make_engine);

/// Plays a scenario, hands every step to the sinks, and tells what came of it.
using RunPlayer = std::function<Result<Results>(const Scenario& scenario, const WorldOptions& world)>;

/// The same for what does not run on an engine.
int played_command(const RunOptions& options, const RunPlayer& play);

}  // namespace duet::sim
