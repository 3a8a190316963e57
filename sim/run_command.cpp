#include "sim/run_command.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

#include "core/codec/hash.h"
#include "core/codec/trace_file.h"
#include "sim/cleanup.h"
#include "sim/diagnostics.h"
#include "sim/metrics.h"
#include "sim/outputs.h"
#include "sim/progress.h"
#include "sim/run_text.h"
#include "sim/scenario_parse.h"
#include "sim/scenario_write.h"
#include "sim/terminal.h"

namespace duet::sim {
namespace {

namespace fs = std::filesystem;
using codec::AtomicFile;
using codec::TraceOutput;
using codec::TraceWriter;

std::string hash_of(const Scenario& scenario) {
  codec::Sha256 sha;
  canonical_json(scenario, [&](std::string_view text) { sha.update(codec::as_bytes(text)); });
  const codec::Sha256Digest digest = sha.finish();
  return codec::hex(digest);
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double cpu_seconds_now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return cpu_seconds(usage);
}

/// One run, from the options to the exit code. Each step returns false after having said what is wrong.
class RunCommand {
 public:
  explicit RunCommand(const RunOptions& options) : options_(options) {}

  int run(const RunPlayer& player) {
    const bool done = load() && open() && play(player) && judge() && write();
    if (!done) return kExitUsage;
    if (!show()) return kExitUsage;
    return negative() ? kExitNegative : kExitOk;
  }

 private:
  bool load();
  bool open();
  bool open_trace();
  bool play(const RunPlayer& player);
  bool judge();
  bool write();
  bool write_file(const std::string& path, const std::function<void(codec::TextSink&)>& fill);
  std::vector<std::string> again_with_files() const;
  bool show() const;
  bool negative() const;
  RunInfo run_info() const;

  bool fail(const Problems& problems) const {
    say(to_text(problems));
    return false;
  }
  std::string path(std::string_view name) const { return (fs::path(options_.out) / name).string(); }
  bool keeps_trace() const { return !options_.no_trace && !options_.trace_digest && !options_.out.empty(); }
  std::string_view trace_name() const { return options_.trace_jsonl ? "trace.jsonl" : "trace.duet"; }

  const RunOptions& options_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  double run_cpu_s_ = 0;
  const std::string started_at_ = utc_now();
  std::optional<Scenario> scenario_;
  std::optional<PartFilesGuard> guard_;
  std::optional<AtomicFile> raw_;
  std::unique_ptr<TraceWriter> trace_;
  Results results_;
  RunReport report_;
  std::vector<std::string> written_;
};

bool RunCommand::load() {
  ParsedScenario parsed = load_scenario(options_.scenario, options_.overrides);
  if (!parsed) {
    say(parsed.rendered);
    return false;
  }
  say(parsed.rendered_warnings);
  scenario_ = std::move(parsed.scenario);
  report_.title = title_of(*scenario_, options_.scenario);
  report_.engine = options_.engine;
  report_.scenario_hash = hash_of(*scenario_);
  return true;
}

/// Opens what can be opened before the run: an hour's simulation must not end with "permission denied".
bool RunCommand::open() {
  std::vector<std::string> paths;
  if (!options_.out.empty()) {
    std::error_code error;
    fs::create_directories(options_.out, error);
    if (error || !fs::is_directory(options_.out, error)) {
      const std::string why = error ? error.message() : "a file of that name is there";
      return fail({{options_.out, "the folder cannot be made: " + why, ""}});
    }
    if (::access(options_.out.c_str(), W_OK | X_OK) != 0) {
      const std::string why = std::generic_category().message(errno);
      return fail({{options_.out, "nothing can be written into the folder: " + why, ""}});
    }
    for (const std::string_view name : {"jobs.csv", "tasks.csv", "attempts.csv", "nodes.csv",
                                        "node_states.csv", "summary.json", "run_info.json"})
      paths.push_back(path(name));
    paths.push_back(path(trace_name()));
  }
  if (!options_.export_raw.empty()) paths.push_back(options_.export_raw);
  guard_.emplace(paths);
  if (!options_.export_raw.empty()) {
    auto file = AtomicFile::create(options_.export_raw);
    if (!file) return fail(file.problems());
    raw_.emplace(std::move(*file));
  }
  return options_.no_trace || open_trace();
}

bool RunCommand::open_trace() {
  codec::TraceHeader header;
  header.engine = options_.engine;
  header.driver = options_.engine == "live" ? "duet-live" : "sim";
  header.scenario = scenario_->name;
  header.scenario_hash = report_.scenario_hash;
  header.seed = scenario_->seed;
  header.controller = scenario_->controller;
  for (std::uint32_t node = 0; node < scenario_->nodes.size(); ++node)
    header.agents.push_back(agent_config(*scenario_, node));
  const TraceOutput output = !keeps_trace()         ? TraceOutput::digest_only()
                             : options_.trace_jsonl ? TraceOutput::jsonl(path(trace_name()))
                                                    : TraceOutput::file(path(trace_name()));
  auto writer = TraceWriter::create(std::move(header), output);
  if (!writer) return fail(writer.problems());
  trace_ = std::move(*writer);
  return true;
}

bool RunCommand::play(const RunPlayer& player) {
  std::optional<Progress> progress;
  WorldOptions world;
  world.controller_sink = trace_.get();
  world.agent_sink = trace_.get();
  world.keep_executions = raw_.has_value();
  if (fancy_terminal(STDERR_FILENO)) world.observer = &progress.emplace(*scenario_);
  const double before = cpu_seconds_now();
  auto results = player(*scenario_, world);
  run_cpu_s_ = cpu_seconds_now() - before;
  if (!results) return fail(results.problems());
  results_ = std::move(*results);
  return true;
}

bool RunCommand::judge() {
  report_.scenario = &*scenario_;
  report_.results = &results_;
  report_.metrics = measure(*scenario_, results_);
  report_.verdicts = evaluate(scenario_->assertions, report_.metrics);
  if (!trace_) return true;
  auto summary = trace_->finish();
  if (!summary) return fail(summary.problems());
  report_.trace = *summary;
  return true;
}

RunInfo RunCommand::run_info() const {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  RunInfo info;
  info.command_line = options_.command_line;
  info.started_at = started_at_;
  info.executor = options_.engine == "simgrid" ? options_.executor : "";
  info.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  info.cpu_s = cpu_seconds(usage);
  info.run_cpu_s = run_cpu_s_;
  info.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return info;
}

bool RunCommand::write_file(const std::string& file_path, const std::function<void(codec::TextSink&)>& fill) {
  auto file = AtomicFile::create(file_path);
  if (!file) return fail(file.problems());
  fill(*file);
  const auto size = file->commit();
  if (!size) return fail(size.problems());
  written_.push_back(file_path);
  return true;
}

bool RunCommand::write() {
  if (raw_) {
    write_executions(results_, *raw_);
    const auto size = raw_->commit();
    if (!size) return fail(size.problems());
    written_.push_back(options_.export_raw);
    if (results_.executions.empty())
      say("note: " + options_.export_raw +
          " is empty: only tasks with operations on told-apart threads execute\n");
  }
  if (options_.out.empty()) return true;
  const bool done =
      write_file(path("jobs.csv"), [&](codec::TextSink& to) { write_jobs(report_, to); }) &&
      write_file(path("tasks.csv"), [&](codec::TextSink& to) { write_tasks(report_, to); }) &&
      write_file(path("attempts.csv"), [&](codec::TextSink& to) { write_attempts(report_, to); }) &&
      write_file(path("nodes.csv"), [&](codec::TextSink& to) { write_nodes(report_, to); }) &&
      write_file(path("node_states.csv"), [&](codec::TextSink& to) { write_node_states(report_, to); }) &&
      write_file(path("summary.json"), [&](codec::TextSink& to) { write_summary(report_, to); }) &&
      write_file(path("run_info.json"),
                 [&](codec::TextSink& to) { write_run_info(run_info(), report_, to); });
  if (!done) return false;
  if (keeps_trace()) written_.push_back(path(trace_name()));
  // What an earlier run left here under the other name would not belong to these results.
  std::error_code ignored;
  for (const std::string_view name : {"trace.duet", "trace.jsonl"})
    if (!keeps_trace() || name != trace_name()) fs::remove(path(name), ignored);
  return true;
}

/// The same run once more, to be looked into afterwards: whatever made it this run is said again.
std::vector<std::string> RunCommand::again_with_files() const {
  std::vector<std::string> words{"duet", "sim", "--out", "results"};
  if (options_.command_line.size() < 3) {
    words.push_back(options_.scenario);
    return words;
  }
  // Behind what was said it is easier to see, unless "--" has ended the options.
  words.assign(options_.command_line.begin(), options_.command_line.end());
  words.front() = "duet";
  const bool ended = std::find(words.begin(), words.end(), "--") != words.end();
  words.insert(ended ? words.begin() + 2 : words.end(), {"--out", "results"});
  return words;
}

bool RunCommand::show() const {
  std::string text;
  if (options_.format == Format::kTable) {
    text = result_text(report_, fancy_terminal(STDOUT_FILENO));
  } else if (options_.format == Format::kCsv) {
    text = to_text(result_table(report_), Format::kCsv);
  } else {
    codec::StringSink sink(text);
    write_summary(report_, sink);
  }
  if (!print(text)) return false;
  if (!written_.empty()) say("wrote " + printable(shell_words(written_)) + '\n');
  if (options_.format != Format::kTable) return true;
  if (options_.out.empty()) {
    say("next: " + printable(shell_words(again_with_files())) + "  (jobs, tasks and trace as files)\n");
  } else if (keeps_trace() && !options_.trace_jsonl) {
    say("next: " + printable(shell_words({"duet", "report", options_.out})) + "  (one page to look at)\n");
  }
  return true;
}

bool RunCommand::negative() const {
  const auto& verdicts = report_.verdicts;
  if (std::any_of(verdicts.begin(), verdicts.end(), [](const Verdict& verdict) { return !verdict.holds; }))
    return true;
  const bool expected = std::any_of(verdicts.begin(), verdicts.end(), [](const Verdict& verdict) {
    return verdict.assertion->metric == "jobs_unfinished";
  });
  return results_.stalled && !expected;
}

}  // namespace

int run_command(const RunOptions& options, const EngineMaker& make_engine) {
  const EngineMaker maker = [&](const Scenario& scenario, bool needs_model) {
    auto engine = make_engine(scenario, needs_model);
    PartFilesGuard::install();
    return engine;
  };
  return played_command(options, [&](const Scenario& scenario, const WorldOptions& world) {
    return sim::run(scenario, maker, world);
  });
}

int played_command(const RunOptions& options, const RunPlayer& play) { return RunCommand(options).run(play); }

}  // namespace duet::sim
