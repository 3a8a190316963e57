// duet explain: why a task is where it is, or why it waits.
#include <filesystem>

#include "core/codec/cat.h"
#include "core/codec/explain_trace.h"
#include "sim/decimal.h"
#include "sim/json_write.h"
#include "sim/terminal.h"
#include "tools/duet/guarded.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"

namespace duet::front {
namespace {

using codec::TaskExplanation;
using sim::Cell;

std::string seconds(std::int64_t ns) {
  std::string text;
  sim::append_decimal(text, ns, 9);
  return text + " s";
}

std::string verdict_of(const TaskExplanation& told, const Candidate& node) {
  if (told.placed && told.placed->node == node.node) return "chosen";
  return node.refused.empty() ? "fits" : "refused";
}

std::string reasons(const TaskExplanation& told, const Candidate& node) {
  std::string text;
  for (const std::string& reason : node.refused) text += (text.empty() ? "" : "; ") + reason;
  if (told.why.avoid == node.node && node.refused.empty()) text = "avoided: the task has just failed here";
  return text;
}

sim::Table table_of(const TaskExplanation& told) {
  sim::Table table{{"node", "verdict", "score", "why"}, {}};
  for (const Candidate& node : told.why.nodes)
    table.rows.push_back({node.name, verdict_of(told, node),
                          node.score ? Cell::plain(sim::number_text(*node.score)) : Cell(),
                          reasons(told, node)});
  return table;
}

std::string need_of(const Request& request) {
  std::string text = request.exclusive ? "a whole core" : std::to_string(request.need.cpu_m) + " m of CPU";
  if (request.need.memory_bytes > 0)
    text += ", " + std::to_string(request.need.memory_bytes / kMiB) + " MiB of memory";
  for (std::size_t kind = 0; kind < kCountableKinds; ++kind)
    if (request.need.count[kind] > 0)
      text += ", " + std::to_string(request.need.count[kind]) + " of countable kind " + std::to_string(kind);
  return text;
}

std::string headline(const TaskExplanation& told) {
  const std::string task = std::to_string(told.task.job.value) + '.' + std::to_string(told.task.index);
  std::string text = "task " + task;
  if (told.placed)
    text += ", attempt " + std::to_string(told.placed->attempt) + ": placed on " +
            told.why.nodes[told.placed->node.value].name + " at " + seconds(to_ns(told.at)) + " (step " +
            std::to_string(told.step) + "), submitted at " + seconds(to_ns(told.submitted));
  else
    text += ": not placed up to the end of the trace, " + seconds(to_ns(told.at)) + "; submitted at " +
            seconds(to_ns(told.submitted));
  text += "\nneeds " + need_of(told.why.request) + "; queue " + told.why.queue;
  if (told.why.waiting)
    text += told.why.ahead == 0 ? " (nothing ahead of it)"
                                : " (" + std::to_string(told.why.ahead) + " ahead of it when the pass began)";
  else if (!told.placed)
    text += " (it does not stand in it: it waits for other tasks, or out a backoff)";
  return text + "; scheduler " + told.why.scheduler + "\n";
}

int explain_here(const ExplainCommand& command, const std::string& trace, TaskId task, std::uint32_t attempt,
                 std::atomic<std::uint64_t>& step) {
  const auto told = codec::explain_task(trace, task, attempt, &step);
  if (!told) return refuse(told.problems());
  const std::string table = to_text(table_of(*told), command.format);
  return sim::print(command.format == Format::kTable ? headline(*told) + table : table) ? 0 : sim::kExitUsage;
}

}  // namespace

int run(const ExplainCommand& command) {
  std::string trace = command.run;
  if (std::filesystem::is_directory(trace)) trace += "/trace.duet";
  const auto id = codec::attempt_by_text(command.task);
  if (!id) return refuse(id.problems());
  return guarded(trace, [&](auto& step) { return explain_here(command, trace, id->task, id->number, step); });
}

}  // namespace duet::front
