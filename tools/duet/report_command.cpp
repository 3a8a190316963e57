// duet report: one page about a run or a comparison.
#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "core/codec/dot.h"
#include "sim/compare/compare.h"
#include "sim/compare/comparison_json.h"
#include "sim/report/drawing.h"
#include "sim/report/report.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/programs.h"
#include "tools/duet/trace_results.h"

namespace duet::front {
namespace {

namespace fs = std::filesystem;
using sim::report::Drawing;
using sim::report::RunView;

/// A longer trace takes too long to be walked through for one picture.
constexpr std::uintmax_t kLongestTrace = 64 << 20;
constexpr std::chrono::seconds kWalkLimit{120};

struct Reported {
  sim::Comparison comparison;  ///< Without runs: of one run.
  std::vector<RunView> views;
  std::vector<std::string> folders;  ///< Of the views.
};

Result<Reported> one_run(const std::string& folder) {
  auto view = sim::report::load_run_view(folder);
  if (!view) return view.problems();
  Reported reported;
  reported.views.push_back(std::move(*view));
  reported.folders.push_back(folder);
  return reported;
}

/// More runs over time than these on one page, nobody reads.
constexpr std::size_t kMostViews = 8;

using RunIndices = std::vector<std::size_t>;

/// Of each variant of each scenario the first run whose tables are there.
RunIndices runs_with_tables(const sim::Comparison& comparison, const std::string& folder) {
  RunIndices runs;
  std::set<std::pair<std::size_t, std::size_t>> seen;
  for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
    const sim::ComparedRun& run = comparison.runs[i];
    std::error_code ignored;
    if (run.metrics.empty() || seen.contains({run.scenario, run.variant}) ||
        !fs::exists(fs::path(folder) / run.folder / "jobs.csv", ignored))
      continue;
    seen.emplace(run.scenario, run.variant);
    runs.push_back(i);
  }
  return runs;
}

/// Where there are too many: of as many scenarios as fit, the baseline and the best variants.
RunIndices chosen_runs(const sim::Comparison& comparison, const RunIndices& runs) {
  if (runs.size() <= kMostViews) return runs;
  const std::size_t each =
      std::max<std::size_t>(2, kMostViews / std::max<std::size_t>(1, comparison.scenarios.size()));
  RunIndices chosen;
  for (std::size_t scenario = 0; scenario < comparison.scenarios.size(); ++scenario) {
    const std::vector<std::size_t> best = sim::best_variants(comparison, scenario, each);
    for (const std::size_t i : runs)
      if (comparison.runs[i].scenario == scenario && chosen.size() < kMostViews &&
          std::find(best.begin(), best.end(), comparison.runs[i].variant) != best.end())
        chosen.push_back(i);
  }
  return chosen;
}

/// The comparison, and the runs that are drawn over time.
Result<Reported> compared_runs(const std::string& folder) {
  auto comparison = sim::read_comparison(folder);
  if (!comparison) return comparison.problems();
  Reported reported;
  const RunIndices runs = runs_with_tables(*comparison, folder);
  const RunIndices chosen = chosen_runs(*comparison, runs);
  for (const std::size_t i : chosen) {
    const sim::ComparedRun& run = comparison->runs[i];
    const std::string path = (fs::path(folder) / run.folder).string();
    auto view = sim::report::load_run_view(path);
    if (!view) {
      sim::say("note: not drawn: " + sim::to_text(view.problems()));
      continue;
    }
    view->name = comparison->variants[run.variant].name;
    reported.views.push_back(std::move(*view));
    reported.folders.push_back(path);
  }
  if (chosen.size() < runs.size())
    comparison->notices.push_back(
        "over time, " + std::to_string(chosen.size()) + " of " + std::to_string(runs.size()) +
        " variants are drawn: the baseline and the best of " +
        (comparison->scenarios.size() == 1 ? "them" : "each of the first scenarios"));
  reported.comparison = std::move(*comparison);
  return reported;
}

/// The cluster at its busiest, by `duet trace dot`, in a process of its own: the trace may be forged.
Drawing cluster_drawing(const std::string& folder) {
  const std::string title = "The cluster at its busiest instant";
  const std::string trace = (fs::path(folder) / "trace.duet").string();
  const std::string by_hand = sim::shell_words({"duet", "trace", "dot", folder}) + " | dot -Tsvg";
  std::error_code error;
  const auto size = fs::file_size(trace, error);
  if (error) return {title, "", "Not drawn: there is no trace.duet in the run's folder."};
  if (size > kLongestTrace) return {title, "", "Not drawn: the trace is long. This draws it: " + by_hand};
  const auto dot = sim::report::output_of({own_path(), "trace", "dot", folder}, "", kWalkLimit);
  if (!dot) return {title, "", "Not drawn: " + dot.problems().front().what};
  return sim::report::draw(title, *dot);
}

/// All that a page is made of.
struct Page {
  Reported reported;
  sim::report::ReportOptions options;
};

Result<Page> page_of(const ReportCommand& command) {
  std::error_code ignored;
  if (!fs::is_directory(command.folder, ignored))
    return Problem{command.folder, "is no folder", "the folder of duet sim --out or duet compare --out"};
  const bool comparison = fs::exists(fs::path(command.folder) / "comparison.json", ignored);
  const bool run = fs::exists(fs::path(command.folder) / "summary.json", ignored);
  if (comparison && run)
    return Problem{command.folder, "holds a comparison and the results of a run",
                   "a folder for each: move what duet sim wrote, or comparison.json"};
  if (!comparison && !run)
    return Problem{
        command.folder, "holds neither a run nor a comparison",
        "the folder of duet sim --out or duet compare --out; of several policies, one of its folders"};
  auto reported = comparison ? compared_runs(command.folder) : one_run(command.folder);
  if (!reported) return reported.problems();
  sim::report::ReportOptions options;
  options.interactive = !command.fixed;
  if (!reported->folders.empty()) options.drawings.push_back(cluster_drawing(reported->folders.front()));
  options.drawings.push_back(
      sim::report::draw("The lifecycle of jobs, tasks and nodes", codec::lifecycle_dot()));
  return Page{std::move(*reported), std::move(options)};
}

}  // namespace

Problems make_report(const ReportCommand& command) {
  const auto page = page_of(command);
  if (!page) return page.problems();
  return sim::report::write_report(page->reported.comparison, page->reported.views, report_path(command),
                                   page->options);
}

std::string report_path(const ReportCommand& command) {
  return command.out.empty() ? (fs::path(command.folder) / "report.html").string() : command.out;
}

int run(const ReportCommand& asked) {
  ReportCommand command = asked;
  std::error_code ignored;
  const bool written = fs::exists(fs::path(asked.folder) / "summary.json", ignored) ||
                       fs::exists(fs::path(asked.folder) / "comparison.json", ignored);
  // A live controller has left no results, but a recording of which they can be made.
  if (const std::string recording = written ? "" : recording_in(asked.folder); !recording.empty()) {
    command.out = report_path(asked);
    command.folder = (fs::path(asked.folder) / "results").string();
    if (const int code = write_live_results(recording, command.folder); code != sim::kExitOk) return code;
  }
  if (command.out == "-") {
    const auto page = page_of(command);
    if (!page) return refuse(page.problems());
    return sim::print(report_html(page->reported.comparison, page->reported.views, page->options))
               ? sim::kExitOk
               : sim::kExitUsage;
  }
  if (const Problems problems = make_report(command); !problems.empty()) return refuse(problems);
  sim::say("wrote " + report_path(command) + '\n');
  return sim::kExitOk;
}

}  // namespace duet::front
