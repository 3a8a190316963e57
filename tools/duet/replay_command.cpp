// duet replay: proving a run.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/codec/replay.h"
#include "core/codec/segments.h"
#include "sim/terminal.h"
#include "tools/duet/guarded.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/run_folder.h"

namespace duet::front {
namespace {

using sim::Cell;

int replay_here(const ReplayCommand& command, codec::TraceReader& reader, std::atomic<std::uint64_t>& step) {
  const auto report = codec::replay(reader, &step);
  if (!report) return refuse(report.problems());
  sim::Table table{{"trace", "same", "controller_steps", "agent_steps", "digest", "step", "what"}, {}};
  const auto& divergence = report->divergence;
  table.rows.push_back({reader.name(), Cell::flag(!divergence), report->controller_steps, report->agent_steps,
                        report->summary ? Cell("sha256:" + report->summary->digest) : Cell(),
                        divergence ? Cell(divergence->step) : Cell(),
                        divergence           ? Cell(divergence->what)
                        : report->unfinished ? Cell(*report->unfinished)
                                             : Cell()});
  const std::string text =
      command.format == Format::kTable ? codec::to_text(*report) : to_text(table, command.format);
  return sim::print(text) ? report->exit_status() : sim::kExitUsage;
}

}  // namespace

/// All runs of a live folder: each life of the controller is one.
int run(const ReplayCommand& command) {
  const std::string trace = trace_of(command.trace);
  std::error_code ignored;
  if (!std::filesystem::is_directory(trace, ignored)) {
    auto reader = codec::open_trace(trace);
    if (!reader) return refuse(reader.problems());
    return guarded(trace, [&](auto& step) { return replay_here(command, *reader, step); });
  }
  const auto runs = codec::runs_in(trace);
  if (!runs) return refuse(runs.problems());
  int worst = sim::kExitOk;
  for (const codec::RecordedRun& run : *runs) {
    auto reader = codec::open_run(run);
    if (!reader) return refuse(reader.problems());
    if (runs->size() > 1 && command.format == Format::kTable &&
        !sim::print("run " + run.run + ", " + std::to_string(run.paths.size()) +
                    (run.paths.size() == 1 ? " file\n" : " files\n")))
      return sim::kExitUsage;
    worst = std::max(
        worst, guarded(run.paths.front(), [&](auto& step) { return replay_here(command, *reader, step); }));
  }
  return worst;
}

}  // namespace duet::front
