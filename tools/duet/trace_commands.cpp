// duet trace ...: looking into a run.
#include <cstdio>
#include <filesystem>
#include <functional>
#include <system_error>

#include "core/codec/cat.h"
#include "core/codec/diff.h"
#include "core/codec/perfetto.h"
#include "core/codec/segments.h"
#include "core/codec/stats.h"
#include "sim/terminal.h"
#include "tools/duet/instant_option.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/run_folder.h"

namespace duet::front {
namespace {

using codec::TraceReader;
using sim::Cell;
using sim::Table;

int print_text(const std::string& text, int exit_code) {
  return sim::print(text) ? exit_code : sim::kExitUsage;
}

Result<codec::CatOptions> cat_options(const TraceCatCommand& command) {
  codec::CatOptions options;
  options.framed = command.task.empty() && command.from.empty() && command.to.empty() && !command.machine;
  if (!command.task.empty()) {
    auto filter = codec::filter_by_task(command.task);
    if (!filter) return filter.problems();
    options.filter = *filter;
  }
  options.filter.machine = command.machine;
  if (!command.from.empty()) {
    const auto from = instant_from("--from", command.from);
    if (!from) return from.problems();
    options.filter.from = *from;
  }
  if (!command.to.empty()) {
    const auto to = instant_from("--to", command.to);
    if (!to) return to.problems();
    options.filter.to = *to;
  }
  return options;
}

Table difference_table(const codec::TraceDifference& difference) {
  Table table{{"what", "where", "left", "right"}, {}};
  for (const auto& header : difference.header)
    table.rows.push_back({"header", header.where, header.left, header.right});
  if (difference.body)
    table.rows.push_back(
        {"step", std::to_string(difference.body->step), difference.body->left, difference.body->right});
  return table;
}

void add_kinds(Table& table, const char* what, const std::vector<codec::KindCount>& kinds) {
  for (const auto& kind : kinds) table.rows.push_back({what, kind.kind, kind.count, kind.bytes});
}

/// Reads a trace to its end, which checks all of it.
Result<codec::TraceSummary> read_through(Result<TraceReader> reader) {
  if (!reader) return reader.problems();
  codec::Frame frame;
  for (;;) {
    const auto more = reader->next(frame);
    if (!more) return more.problems();
    if (*more) continue;
    note_what_lacks(*reader);
    return reader->summary();
  }
}

/// A trace that is to be checked, and what to call it.
struct Check {
  std::string name;
  std::function<Result<TraceReader>()> open;
};

/// All that a path stands for: a folder of live runs holds one for each.
Result<std::vector<Check>> checks_of(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored))
    return std::vector<Check>{{path, [path] { return codec::open_trace(path); }}};
  const auto runs = codec::runs_in(path);
  if (!runs) return runs.problems();
  std::vector<Check> checks;
  for (const codec::RecordedRun& run : *runs)
    checks.push_back({run.paths.front(), [run] { return codec::open_run(run); }});
  return checks;
}

bool readable(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  const bool failed = std::fgetc(file) == EOF && std::ferror(file) != 0;
  std::fclose(file);
  return !failed;
}

}  // namespace

int run(const TraceCatCommand& command) {
  const auto options = cat_options(command);
  if (!options) return refuse(options.problems());
  auto reader = codec::open_trace(trace_of(command.trace));
  if (!reader) return refuse(reader.problems());
  return write_to(command.out, [&](codec::TextSink& to) {
    const auto lines = codec::cat(*reader, *options, to);
    note_what_lacks(*reader);
    return lines ? Failure{} : lines.problems();
  });
}

int run(const TraceDiffCommand& command) {
  auto left = codec::open_trace(trace_of(command.left));
  if (!left) return refuse(left.problems());
  auto right = codec::open_trace(trace_of(command.right));
  if (!right) return refuse(right.problems());
  const auto difference = codec::diff(*left, *right);
  if (!difference) return refuse(difference.problems());
  const int code = difference->same_body() ? sim::kExitOk : sim::kExitNegative;
  if (command.format != Format::kTable)
    return print_text(to_text(difference_table(*difference), command.format), code);
  std::string text = codec::to_text(*difference);
  if (difference->same_body()) text += "same decisions\n";
  return print_text(text, code);
}

int run(const TraceVerifyCommand& command) {
  Table table{{"trace", "whole", "steps", "digest", "problem"}, {}};
  int code = sim::kExitOk;
  const auto add = [&](const std::string& name, const Result<codec::TraceSummary>& summary) {
    if (summary) {
      table.rows.push_back({name, Cell::flag(true), summary->steps, "sha256:" + summary->digest, ""});
      return;
    }
    // A file whose bytes cannot be had says nothing about a trace.
    const Problem& problem = summary.problems().front();
    code = readable(problem.where) ? std::max(code, sim::kExitNegative) : sim::kExitUsage;
    table.rows.push_back({name, Cell::flag(false), Cell(), Cell(), problem.where + ": " + problem.what});
  };
  for (const std::string& given : command.traces) {
    const std::string path = trace_of(given);
    const auto checks = checks_of(path);
    if (!checks) add(path, checks.problems());
    if (checks)
      for (const Check& check : *checks) add(check.name, read_through(check.open()));
  }
  return print_text(to_text(table, command.format), code);
}

int run(const TraceStatsCommand& command) {
  auto reader = codec::open_trace(trace_of(command.trace));
  if (!reader) return refuse(reader.problems());
  const auto stats = codec::stats(*reader);
  if (!stats) return refuse(stats.problems());
  note_what_lacks(*reader);
  if (command.format == Format::kTable) return print_text(codec::to_text(*stats), sim::kExitOk);
  if (command.format == Format::kJson) return print_text(codec::to_json(*stats) + '\n', sim::kExitOk);
  Table table{{"what", "kind", "count", "bytes"}, {}};
  add_kinds(table, "event", stats->events);
  add_kinds(table, "command", stats->commands);
  return print_text(to_text(table, Format::kCsv), sim::kExitOk);
}

int run(const TracePerfettoCommand& command) {
  auto reader = codec::open_trace(trace_of(command.trace));
  if (!reader) return refuse(reader.problems());
  return write_to(command.out, [&](codec::TextSink& to) {
    const auto events = codec::perfetto(*reader, to);
    note_what_lacks(*reader);
    return events ? Failure{} : events.problems();
  });
}

}  // namespace duet::front
