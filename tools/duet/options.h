// What the command line asks for, as plain values: one struct per command, and what carries it out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/import_common.h"
#include "sim/run_command.h"
#include "sim/table.h"
#include "tools/duet/live_options.h"

namespace duet::front {

using sim::Format;

struct Overview {};  ///< `duet` alone.

struct SimCommand {
  sim::RunOptions run;
};
/// `duet sim` with several policies: one run of each.
struct SimSeveralCommand {
  sim::RunOptions run;
  std::vector<std::string> axes;  ///< "queue=fcfs,easy"
};
/// `duet live`: the same scenario with real processes.
struct LiveCommand {
  sim::RunOptions run;
  double speedup = 1;    ///< Times of the workload are divided by it.
  std::string data;      ///< Of the cluster's processes; empty: a folder that goes with the run.
  bool predict = false;  ///< Simulate it too, and show both side by side.
};
struct CompareCommand {
  std::vector<std::string> inputs;  ///< One experiment, or scenarios.
  std::vector<std::string> axes;    ///< "/pointer=a,b,c"
  std::string seeds;                ///< "1..30"; empty: the experiment's, or each scenario's own.
  std::optional<unsigned> jobs;     ///< Processes at once; nothing: one per CPU.
  std::string engine;
  std::string objective;
  std::string baseline;
  std::string out;
  std::string against;    ///< An earlier comparison, or benchmark file with `bench` alone.
  std::string tolerance;  ///< "1%"
  std::string bench;      ///< Google Benchmark's JSON.
  Format format = Format::kTable;
  std::vector<std::string> command_line;
};
struct CheckCommand {
  std::vector<std::string> scenarios;
  Format format = Format::kTable;
};
struct ImportCommand {
  bool swf = true;  ///< Else Batsim.
  std::string log;
  std::string scenario;  ///< Where to write it.
  sim::ImportOptions import;
  std::string queue;  ///< Empty: the default of scenarios.
  std::string scheduler;
};
struct PoliciesCommand {
  std::string name;  ///< Empty: all.
  Format format = Format::kTable;
};
struct NewPolicyCommand {
  std::string kind;
  std::string name;
  std::string dir;  ///< A source tree; empty: here.
};
struct ReplayCommand {
  std::string trace;
  bool verify = false;  ///< As scripts say it; a replay always compares.
  Format format = Format::kTable;
};
struct ExplainCommand {
  std::string run;   ///< A trace, or the folder of a run; without `task`, a task of a live cluster.
  std::string task;  ///< 17.0 or 17.0#1
  Connection to;     ///< Without `task`.
  std::string at;    ///< Seconds; empty: the end of the trace.
  Format format = Format::kTable;
};
struct TraceCatCommand {
  std::string trace;
  std::string task;                      ///< Only this job (17) or task (17.0); empty: all.
  std::string from;                      ///< Seconds; empty: from the beginning.
  std::string to;                        ///< Seconds; empty: to the end.
  std::optional<std::uint32_t> machine;  ///< 0 is the controller, 1 + n the agent of node n.
  std::string out;                       ///< Empty: standard output.
};
struct TraceDiffCommand {
  std::string left;
  std::string right;
  Format format = Format::kTable;
};
struct TraceVerifyCommand {
  std::vector<std::string> traces;
  Format format = Format::kTable;
};
struct TraceStatsCommand {
  std::string trace;
  Format format = Format::kTable;
};
struct TraceStepCommand {
  std::string run;                        ///< A trace, or the folder of a run.
  std::optional<std::uint64_t> from;      ///< Not before this step.
  std::optional<std::uint64_t> decision;  ///< Not before this decision.
  std::string at;                         ///< Seconds; empty: from the beginning.
  std::optional<std::uint64_t> count;     ///< How many; 0: all.
  std::string task;                       ///< 17.0
  std::string job;                        ///< 17
  std::string node;                       ///< Its name.
  Format format = Format::kTable;
};
struct TraceDotCommand {
  std::string run;         ///< A trace, or the folder of a run.
  bool lifecycle = false;  ///< The states of jobs, tasks and nodes instead of a cluster.
  std::string task;        ///< The way of this task through its states instead.
  std::string at;          ///< Seconds; empty: when most attempts run, unless `step` says when.
  std::optional<std::uint64_t> step;
  std::string out;
};
struct TracePerfettoCommand {
  std::string trace;
  std::string out;
};
struct ReportCommand {
  std::string folder;  ///< Of a run or of a comparison.
  std::string out;     ///< Empty: report.html in that folder; "-": standard output.
  bool fixed = false;  ///< Without the script.
};
struct RecordCommand {
  std::string folder;
  std::string engine = "simgrid";
  Format format = Format::kTable;
};
struct VerifyCommand {
  std::string folder;
  std::string junit;  ///< Empty: no report.
  Format format = Format::kTable;
};
struct SwarmCommand {
  std::uint64_t seeds = 100;
  std::uint64_t first_seed = 1;
  std::string out;       ///< Folder for shrunk scenarios of failed seeds.
  std::string scenario;  ///< Check this file instead of seeds.
};
struct CompletionCommand {
  std::string shell;
};
struct VersionCommand {
  Format format = Format::kTable;
};
struct InternalCommand {
  std::string what;
};

using Command =
    std::variant<Overview, SimCommand, SimSeveralCommand, CompareCommand, CheckCommand, ImportCommand,
                 PoliciesCommand, NewPolicyCommand, ReplayCommand, ExplainCommand, TraceCatCommand,
                 TraceDiffCommand, TraceVerifyCommand, TraceStatsCommand, TraceStepCommand, TraceDotCommand,
                 TracePerfettoCommand, ReportCommand, RecordCommand, VerifyCommand, SwarmCommand,
                 CompletionCommand, VersionCommand, InternalCommand, ProgramCommand, RunCommand,
                 DeployCommand, ScaleCommand, StopCommand, DrainCommand, ListCommand, LogsCommand,
                 EventsCommand, SubmitCommand, PlanCommand, TopCommand, LiveCommand, InstallNamesCommand>;

/// Carry out a command and return the exit code.
int run(const Overview&);
int run(const SimCommand&);
int run(const SimSeveralCommand&);
int run(const CompareCommand&);
int run(const CheckCommand&);
int run(const ImportCommand&);
int run(const PoliciesCommand&);
int run(const NewPolicyCommand&);
int run(const ReplayCommand&);
int run(const ExplainCommand&);
int run(const TraceCatCommand&);
int run(const TraceDiffCommand&);
int run(const TraceVerifyCommand&);
int run(const TraceStatsCommand&);
int run(const TraceStepCommand&);
int run(const TraceDotCommand&);
int run(const TracePerfettoCommand&);
int run(const ReportCommand&);
/// Writes the page that run() announces, to this path.
Problems make_report(const ReportCommand& command);
std::string report_path(const ReportCommand& command);
int run(const RecordCommand&);
int run(const VerifyCommand&);
int run(const SwarmCommand&);
int run(const CompletionCommand&);
int run(const VersionCommand&);
int run(const InternalCommand&);
int run(const ProgramCommand&);
int run(const RunCommand&);
int run(const DeployCommand&);
int run(const SubmitCommand&);
int run(const ScaleCommand&);
int run(const StopCommand&);
int run(const DrainCommand&);
int run(const ListCommand&);
int run(const LogsCommand&);
int run(const EventsCommand&);
int run(const PlanCommand&);
int run(const TopCommand&);
int run(const LiveCommand&);
/// Of a task of a live cluster.
int explain_live(const ExplainCommand&);
int run(const InstallNamesCommand&);

}  // namespace duet::front
