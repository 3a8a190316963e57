// duet replay: proving a run.
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

int run(const ReplayCommand& command) {
  const std::string trace = trace_of(command.trace);
  auto reader = codec::open_trace(trace);
  if (!reader) return refuse(reader.problems());
  return guarded(trace, [&](auto& step) { return replay_here(command, *reader, step); });
}

}  // namespace duet::front
