#include "sim/compare/runs.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "sim/batch.h"
#include "sim/diagnostics.h"
#include "sim/json_doc.h"
#include "sim/progress.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostSummary = 64 << 20;

/// Half-written runs of a program that was killed.
void remove_leftovers(const fs::path& runs) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator it(runs, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".part") leftovers.push_back(it->path());
  for (const fs::path& path : leftovers) fs::remove_all(path, error);
}

/// Of a run that only counts: the tables of jobs and tasks are not drawn.
void keep_summary_only(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> others;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().filename() != "summary.json") others.push_back(it->path());
  for (const fs::path& path : others) fs::remove(path, error);
}

std::string first_line(const std::string& text) { return printable(text.substr(0, text.find('\n'))); }

/// All runs of one key.
struct SameRun {
  std::vector<std::size_t> runs;  ///< Indices into RunPlan::runs.
  bool drawn = false;             ///< One of them is of its scenario's first seed.
};

/// A trace beyond this is not kept: it is there for one picture of the cluster.
constexpr std::uintmax_t kLargestTrace = 64 << 20;

/// Empty, where one was too large.
const char* const kNoTrace = "trace.too-large";

void drop_if_large(const fs::path& folder) {
  std::error_code error;
  const auto size = fs::file_size(folder / "trace.duet", error);
  if (!error && size > kLargestTrace) fs::rename(folder / "trace.duet", folder / kNoTrace, error);
  if (fs::exists(folder / kNoTrace, error)) fs::resize_file(folder / kNoTrace, 0, error);
}

std::vector<std::string> words_of(const RunPlan& plan, const PlannedRun& run, bool traced) {
  std::vector<std::string> words;
  if (!traced) words = {"--trace", "digest"};
  for (const Setting& setting : plan.variants[run.variant].settings)
    words.insert(words.end(), {"--set", setting.pointer + '=' + setting.value});
  words.insert(words.end(), {"--seed", std::to_string(run.seed)});
  return words;
}

class RunsMaker {
 public:
  RunsMaker(const RunPlan& plan, const RunsOptions& options)
      : plan_(plan), options_(options), runs_(plan.runs.size()) {
    std::size_t first = 0;  // of the scenario and variant
    for (std::size_t i = 0; i < plan.runs.size(); ++i) {
      const PlannedRun& run = plan.runs[i];
      if (run.scenario != plan.runs[first].scenario || run.variant != plan.runs[first].variant) first = i;
      if (!same_.contains(run.key)) order_.push_back(run.key);
      SameRun& same = same_[run.key];
      same.runs.push_back(i);
      same.drawn |= i == first;
    }
  }

  Result<std::vector<ComparedRun>> make() {
    std::vector<BatchItem> items;
    std::vector<const SameRun*> of_item;
    for (const std::string& key : order_) {
      const SameRun& same = same_.at(key);
      if (was_made(key, same)) continue;
      const PlannedRun& run = plan_.runs[same.runs.front()];
      items.push_back({plan_.experiment.scenarios[run.scenario], plan_.experiment.engine,
                       words_of(plan_, run, same.runs.front() == 0), path_of(key).string()});
      of_item.push_back(&same);
    }
    const std::size_t before = same_.size() - items.size();
    Problems problems;
    if (!items.empty()) {
      BatchProgress progress(before, same_.size());
      problems = run_batch(
          options_.program, items, options_.at_once,
          [&](std::size_t i, const BatchResult& result) {
            finished(*of_item[i], result);
            progress.one_done();
            progress.show();
          },
          [&] { progress.show(); });
    }
    if (!problems.empty()) return problems;
    return std::move(runs_);
  }

 private:
  fs::path path_of(const std::string& key) const { return fs::path(options_.out) / "runs" / key; }

  void put(const SameRun& same, const ComparedRun& made) {
    for (const std::size_t i : same.runs) {
      const PlannedRun& planned = plan_.runs[i];
      ComparedRun& run = runs_[i] = made;
      run.scenario = planned.scenario;
      run.variant = planned.variant;
      run.seed = planned.seed;
      run.folder = "runs/" + planned.key;
    }
  }

  bool was_made(const std::string& key, const SameRun& same) {
    std::error_code error;
    const fs::path folder = path_of(key);
    if (!fs::exists(folder / "summary.json", error)) return false;
    if (same.drawn && !fs::exists(folder / "jobs.csv", error)) return false;
    if (same.runs.front() == 0 && !fs::exists(folder / "trace.duet", error) &&
        !fs::exists(folder / kNoTrace, error))
      return false;
    const auto run = read_run(folder.string());
    if (run) put(same, *run);
    return static_cast<bool>(run);
  }

  void finished(const SameRun& same, const BatchResult& result) {
    const fs::path folder = path_of(plan_.runs[same.runs.front()].key);
    if (result.exit_code <= 1) {
      if (!same.drawn) keep_summary_only(folder);
      if (same.runs.front() == 0) drop_if_large(folder);
      if (const auto run = read_run(folder.string())) return put(same, *run);
    }
    ComparedRun failed;
    failed.ended = "failed";
    const bool by_signal = result.exit_code > 128;
    std::string why = by_signal ? "ended by signal " + std::to_string(result.exit_code - 128)
                                : "exit code " + std::to_string(result.exit_code);
    if (!result.said.empty()) why += ": " + first_line(result.said);
    failed.failures.push_back(std::move(why));
    put(same, failed);
  }

  const RunPlan& plan_;
  const RunsOptions& options_;
  std::vector<ComparedRun> runs_;
  std::map<std::string, SameRun> same_;  ///< By key.
  std::vector<std::string> order_;       ///< Keys as the plan has them.
};

}  // namespace

Result<ComparedRun> read_run(const std::string& folder) {
  const std::string path = folder + "/summary.json";
  auto text = read_text(path, kMostSummary);
  if (!text) return text.problems();
  Mistakes mistakes;
  const JsonDoc doc(path, std::move(*text), mistakes);
  const JsonValue root = doc.root();
  if (!root.member("metrics").is(JsonType::kObject))
    return Problem{path, "this is no summary of a run", "the file that duet sim writes"};
  ComparedRun run;
  for (JsonValue metric = root.member("metrics").first_child(); metric; metric = metric.next_sibling())
    if (metric.is(JsonType::kNumber)) run.metrics[metric.key()] = metric.number();
  if (root.member("digest").is(JsonType::kString)) run.digest = root.member("digest").string();
  if (root.member("ended").is(JsonType::kString)) run.ended = root.member("ended").string();
  for (JsonValue item = root.member("assertions").first_child(); item; item = item.next_sibling()) {
    const JsonValue text_of = item.member("assertion");
    const JsonValue holds = item.member("holds");
    const JsonValue actual = item.member("actual");
    if (!text_of.is(JsonType::kString) || !holds || !actual || holds.boolean()) continue;
    run.failures.push_back(text_of.string() + ": it is " + std::string(actual.raw()));
  }
  return run;
}

Result<std::vector<ComparedRun>> make_runs(const RunPlan& plan, const RunsOptions& options) {
  std::error_code error;
  fs::create_directories(fs::path(options.out) / "runs", error);
  if (error) return Problem{options.out, "the folder cannot be made: " + error.message(), ""};
  remove_leftovers(fs::path(options.out) / "runs");
  return RunsMaker(plan, options).make();
}

}  // namespace duet::sim
