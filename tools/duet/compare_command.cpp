// duet compare: what is better, how much, how surely; and whether anything has become worse.
#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>

#include "sim/compare/bench_results.h"
#include "sim/compare/compare.h"
#include "sim/compare/comparison_json.h"
#include "sim/compare/comparison_text.h"
#include "sim/compare/experiment.h"
#include "sim/compare/folder_lock.h"
#include "sim/compare/regression.h"
#include "sim/compare/runs.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/programs.h"

namespace duet::front {
namespace {

namespace fs = std::filesystem;

/// What was asked for: the file, and on top of it the command line. Adds to `problems`; says by itself what
/// is wrong with a file.
std::optional<sim::Experiment> experiment_of(const CompareCommand& command, Problems& problems) {
  sim::Experiment experiment;
  std::vector<std::string> notices;
  const auto is_experiment = [](const std::string& path) { return sim::is_experiment(path); };
  const auto files = std::count_if(command.inputs.begin(), command.inputs.end(), is_experiment);
  if (files > 0 && command.inputs.size() > 1) {
    problems.push_back(
        {"duet compare", "an experiment names its scenarios itself", "one experiment, or scenarios"});
    return std::nullopt;
  }
  if (files == 1) {
    sim::ParsedExperiment parsed = sim::load_experiment(command.inputs.front());
    if (!parsed) {
      sim::say(parsed.rendered);
      return std::nullopt;
    }
    experiment = std::move(*parsed.experiment);
    notices = std::move(parsed.notices);
  }
  for (const std::string& input : command.inputs) {
    if (files == 1) break;
    if (std::find(experiment.scenarios.begin(), experiment.scenarios.end(), input) ==
        experiment.scenarios.end())
      experiment.scenarios.push_back(input);
    else
      notices.push_back(input + " is given twice, and run once");
  }
  std::set<std::string> said;
  for (const std::string& word : command.axes) {
    const auto axis = sim::parse_axis(word, notices);
    if (!axis) {
      problems.insert(problems.end(), axis.problems().begin(), axis.problems().end());
      continue;
    }
    if (!said.insert(axis->pointer).second) {
      problems.push_back({"--axis " + word, axis->pointer + " is varied twice", "one axis with all values"});
      continue;
    }
    // What the command line says of an axis replaces what the file says.
    const auto same = std::find_if(experiment.axes.begin(), experiment.axes.end(),
                                   [&](const sim::Axis& other) { return other.pointer == axis->pointer; });
    if (same == experiment.axes.end())
      experiment.axes.push_back(*axis);
    else
      *same = *axis;
  }
  if (!command.seeds.empty()) {
    if (const auto seeds = sim::parse_seeds(command.seeds))
      experiment.seeds = *seeds;
    else
      problems.insert(problems.end(), seeds.problems().begin(), seeds.problems().end());
  }
  if (!command.engine.empty()) experiment.engine = command.engine;
  if (!command.objective.empty()) experiment.objective = command.objective;
  if (!command.baseline.empty()) experiment.baseline = command.baseline;
  if (experiment.engine.empty()) experiment.engine = "simgrid";
  for (const std::string& notice : notices) sim::say("note: " + notice + '\n');
  if (!problems.empty()) return std::nullopt;
  return experiment;
}

int show(const sim::Comparison& comparison, const CompareCommand& command, bool with_page) {
  const std::string text = command.format == Format::kTable
                               ? sim::comparison_text(comparison)
                               : to_text(sim::comparison_table(comparison), command.format);
  if (!sim::print(text)) return sim::kExitUsage;
  std::vector<std::string> files;
  for (const char* name : {"report.html", "report.md", "results.csv", "comparison.json"})
    if (with_page || name != std::string_view("report.html"))
      files.push_back((fs::path(command.out) / name).string());
  sim::say("wrote " + sim::shell_words(files) + '\n');
  const bool broken = std::any_of(
      comparison.runs.begin(), comparison.runs.end(),
      [](const sim::ComparedRun& run) { return run.ended == "failed" || run.ended == "stalled"; });
  return broken ? sim::kExitNegative : sim::kExitOk;
}

/// The earlier comparison and what it is to be held to; nothing if none was named.
struct Against {
  sim::Comparison before;
  double tolerance = 0;
};

std::optional<Against> against_of(const CompareCommand& command, Problems& problems) {
  Against against;
  if (!command.tolerance.empty()) {
    if (command.against.empty() || command.inputs.empty())
      problems.push_back({"--tolerance", "there is no earlier comparison to hold against", "--against DIR"});
    else if (const auto share = sim::parse_tolerance(command.tolerance))
      against.tolerance = *share;
    else
      problems.push_back(share.problems().front());
  }
  if (command.against.empty() || command.inputs.empty()) return std::nullopt;
  std::error_code ignored;
  if (fs::equivalent(command.against, command.out, ignored) ||
      fs::equivalent(command.against, fs::path(command.out) / "comparison.json", ignored)) {
    problems.push_back({"--against " + command.against, "would be overwritten by --out", "another folder"});
    return std::nullopt;
  }
  auto before = sim::read_comparison(command.against);
  if (!before) {
    problems.insert(problems.end(), before.problems().begin(), before.problems().end());
    return std::nullopt;
  }
  against.before = std::move(*before);
  return against;
}

/// --bench without anything to run: the file, alone or against another.
int bench_alone(const CompareCommand& command, const std::vector<sim::BenchSamples>& samples) {
  if (command.against.empty())
    return sim::print(to_text(sim::bench_table(samples), command.format)) ? sim::kExitOk : sim::kExitUsage;
  const auto before = sim::read_bench(command.against);
  if (!before) return refuse(before.problems());
  const std::vector<sim::BenchMovement> movements = sim::compare_bench(samples, *before);
  if (movements.empty())
    return refuse({{command.against, "no benchmark is in both files", "two files of the same program"}});
  if (!sim::print(to_text(sim::bench_table(movements, command.format), command.format)))
    return sim::kExitUsage;
  bool worse = false;
  for (const sim::BenchMovement& m : movements) {
    if (m.standing != sim::Standing::kWorse) continue;
    worse = true;
    sim::say("slower: " + m.name + " by " + sim::percent(m.change) + '\n');
  }
  return worse ? sim::kExitNegative : sim::kExitOk;
}

int hold_against(const sim::Comparison& comparison, const Against& against) {
  const auto regression = sim::hold_against(comparison, against.before, against.tolerance);
  if (!regression) return refuse(regression.problems());
  sim::say(sim::regression_text(*regression));
  return regression->worse() ? sim::kExitNegative : sim::kExitOk;
}

}  // namespace

int run(const CompareCommand& command) {
  Problems problems;
  std::vector<sim::BenchSamples> samples;
  if (!command.bench.empty()) {
    auto read = sim::read_bench(command.bench);
    if (!read) return refuse(read.problems());
    samples = std::move(*read);
  }
  if (command.inputs.empty() && !command.bench.empty()) return bench_alone(command, samples);
  if (command.inputs.empty())
    problems.push_back(
        {"duet compare", "there is nothing to compare", "an experiment, scenarios, or --bench FILE"});
  if (command.out.empty() && !command.inputs.empty())
    problems.push_back({"duet compare", "where should the results go?", "--out DIR"});
  const auto against = against_of(command, problems);
  const auto experiment = experiment_of(command, problems);
  if (!problems.empty()) return refuse(problems);
  if (!experiment) return sim::kExitUsage;
  const std::string program = engine_program(experiment->engine);
  if (program.empty()) return refuse_engine("duet compare");
  sim::ParsedPlan planned = sim::plan_runs(*experiment, program);
  if (!planned.plan) {
    sim::say(planned.rendered);
    return sim::kExitUsage;
  }
  sim::RunsOptions options;
  options.program = own_path();
  options.out = command.out;
  options.at_once = command.jobs.value_or(std::max(1U, std::thread::hardware_concurrency()));
  // Held to the end: the files must be of these runs.
  const auto lock = sim::FolderLock::take(command.out);
  if (!lock) return refuse(lock.problems());
  auto runs = sim::make_runs(*planned.plan, options);
  if (!runs) return refuse(runs.problems());
  sim::Comparison comparison =
      sim::compare_runs(*planned.plan, std::move(*runs), sim::shell_words(command.command_line));
  comparison.costs = sim::decision_costs(samples);
  if (const Problems failures = sim::write_comparison_files(comparison, command.out); !failures.empty())
    return refuse(failures);
  ReportCommand report;
  report.folder = command.out;
  const Problems no_page = make_report(report);
  if (!no_page.empty()) sim::say("note: report.html: " + sim::to_text(no_page));
  const int code = show(comparison, command, no_page.empty());
  return against && code != sim::kExitUsage ? std::max(code, hold_against(comparison, *against)) : code;
}

}  // namespace duet::front
