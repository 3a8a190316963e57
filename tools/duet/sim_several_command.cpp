// duet sim --scheduler a,b: one run of each, in a folder of its own, and a table.
#include <algorithm>
#include <filesystem>
#include <thread>

#include "sim/batch.h"
#include "sim/compare/compare.h"
#include "sim/compare/comparison_text.h"
#include "sim/compare/runs.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/programs.h"

namespace duet::front {
namespace {

namespace fs = std::filesystem;

/// A variant's name as the name of a folder.
std::string folder_name(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain || std::string_view("._=-").find(c) != std::string_view::npos ? c : '-';
  }
  return out;
}

/// The axes, and what --set says as axes of one value.
Result<sim::Experiment> experiment_of(const SimSeveralCommand& command) {
  sim::Experiment experiment;
  experiment.scenarios = {command.run.scenario};
  experiment.engine = command.run.engine;
  for (const std::string& word : command.run.overrides) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos)
      return Problem{"--set " + word, "this does not say what to set", "--set /policies/queue=easy"};
    experiment.axes.push_back({word.substr(0, equals), {{"", word.substr(equals + 1)}}});
  }
  std::vector<std::string> notices;
  Problems problems;
  for (const std::string& word : command.axes) {
    // Each was an option of its own: --queue fcfs,easy.
    const std::string kind = word.substr(0, word.find('='));
    const std::string values = word.substr(kind.size() + 1);
    for (const std::string& value : sim::split_values(values))
      if (value.empty())
        problems.push_back({"--" + kind + ' ' + values, "a value is empty",
                            kind == "queue" ? "--queue fcfs,easy" : "--scheduler first_fit,spread"});
    auto axis = sim::parse_axis(word, notices);
    if (axis) experiment.axes.push_back(std::move(*axis));
  }
  if (!problems.empty()) return problems;
  for (const std::string& notice : notices) sim::say("note: " + notice + '\n');
  return experiment;
}

std::vector<sim::BatchItem> items_of(const SimSeveralCommand& command, const sim::RunPlan& plan) {
  std::vector<sim::BatchItem> items;
  for (const sim::Variant& variant : plan.variants) {
    std::vector<std::string> words = {"--executor", command.run.executor};
    for (const sim::Setting& setting : variant.settings)
      words.insert(words.end(), {"--set", setting.pointer + '=' + setting.value});
    if (command.run.trace_jsonl) words.insert(words.end(), {"--trace", "jsonl"});
    if (command.run.trace_digest || command.run.out.empty()) words.insert(words.end(), {"--trace", "digest"});
    const std::string out =
        command.run.out.empty() ? "" : (fs::path(command.run.out) / folder_name(variant.name)).string();
    items.push_back({command.run.scenario, command.run.engine, std::move(words), out});
  }
  return items;
}

}  // namespace

int run(const SimSeveralCommand& command) {
  if (!command.run.export_raw.empty() || command.run.no_trace)
    return refuse({{"duet sim", "--export-raw and --no-trace are for one run", "one policy"}});
  const auto experiment = experiment_of(command);
  if (!experiment) return refuse(experiment.problems());
  const std::string program = engine_program(command.run.engine);
  if (program.empty()) return refuse_engine("duet sim");
  sim::ParsedPlan planned = sim::plan_runs(*experiment, program);
  if (!planned.plan) {
    sim::say(planned.rendered);
    return sim::kExitUsage;
  }
  const std::vector<sim::BatchItem> items = items_of(command, *planned.plan);
  std::vector<sim::ComparedRun> runs(items.size());
  int code = sim::kExitOk;
  const auto finished = [&](std::size_t i, const sim::BatchResult& result) {
    const fs::path folder = fs::path(result.trace).parent_path();
    const auto made = sim::read_run(folder.string());
    if (result.exit_code <= 1 && made) {
      runs[i] = *made;
    } else {
      runs[i].ended = "failed";
      runs[i].failures.push_back(result.said.substr(0, result.said.find('\n')));
    }
    runs[i].variant = i;
    runs[i].seed = planned.plan->runs[i].seed;
    runs[i].folder = folder.filename().string();
    if (result.exit_code != 0) code = sim::kExitNegative;
  };
  const unsigned at_once = std::max(1U, std::thread::hardware_concurrency());
  if (const Problems problems = sim::run_batch(own_path(), items, at_once, finished); !problems.empty())
    return refuse(problems);
  const sim::Comparison comparison =
      sim::compare_runs(*planned.plan, std::move(runs), sim::shell_words(command.run.command_line));
  const std::string text = command.run.format == Format::kTable
                               ? sim::comparison_text(comparison)
                               : to_text(sim::comparison_table(comparison), command.run.format);
  if (!sim::print(text)) return sim::kExitUsage;
  if (!command.run.out.empty()) {
    std::vector<std::string> folders;
    for (const sim::BatchItem& item : items) folders.push_back(item.out);
    sim::say("wrote " + sim::shell_words(folders) + '\n');
    if (command.run.format == Format::kTable)
      sim::say("next: " + sim::shell_words({"duet", "report", folders.front()}) +
               "  (duet compare makes one page of all)\n");
  }
  return code;
}

}  // namespace duet::front
