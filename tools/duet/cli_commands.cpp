// Which commands there are, and what their words mean.
#include "core/policy.h"
#include "sim/assertions.h"
#include "sim/compare/experiment.h"
#include "tools/duet/cli_app.h"
#include "tools/duet/completion.h"
#include "tools/duet/new_policy.h"

namespace duet::front {
namespace {

template <class P>
Choices names_of(std::span<const PolicyEntry<P>> table) {
  Choices names;
  for (const auto& entry : table) names.emplace_back(entry.name);
  return names;
}

}  // namespace

void CommandLine::policy_options(CLI::App* app, std::string& queue, std::string& scheduler) {
  auto* one = text(app, "--queue", queue, "Queue policy: see duet policies", "POLICY");
  auto* other = text(app, "--scheduler", scheduler, "Scheduler policy: see duet policies", "POLICY");
  choices_[one] = names_of(queue_policies());
  choices_[other] = names_of(scheduler_policies());
}

void CommandLine::add_sim() {
  CLI::App* app = command(&app_, "sim", "Run a scenario");
  sim::RunOptions& run = sim_.run;
  text(app, "scenario", run.scenario, "The scenario file", "FILE")->required();
  among(text(app, "--engine", run.engine, "What passes the time (default simgrid)", ""), {"simgrid", "loop"});
  among(text(app, "--executor", run.executor, "", ""), {"shell", "actor"})->group("");
  policy_options(app, queue_, scheduler_);
  app->add_option("--set", run.overrides, "Change a value of the scenario; may be repeated")
      ->type_name("/POINTER=VALUE")
      ->allow_extra_args(false);
  text(app, "--seed", seed_, "Instead of the scenario's seed", "N");
  among(text(app, "--trace", trace_kind_,
             "The trace file: compact (default), JSON Lines to read, or none but its digest", ""),
        {"duet", "jsonl", "digest"});
  app->add_flag("--no-trace", run.no_trace, "")->group("");
  text(app, "--export-raw", run.export_raw, "Write what was executed, for replaying it on a bare engine",
       "FILE");
  text(app, "--out", run.out, "Write jobs.csv, tasks.csv, summary.json, the trace and more there", "DIR");
  format(app, run.format);
  app->callback([this] {
    sim::RunOptions& options = sim_.run;
    std::vector<std::string> axes;
    const auto several = [&](const std::string& kind, std::string& words) {
      if (sim::split_values(words).size() == 1) return;
      axes.push_back(kind + '=' + words);
      words.clear();
    };
    several("queue", queue_);
    several("scheduler", scheduler_);
    if (!queue_.empty()) options.overrides.push_back("/policies/queue=" + queue_);
    if (!scheduler_.empty()) options.overrides.push_back("/policies/scheduler=" + scheduler_);
    if (!seed_.empty()) options.overrides.push_back("/seed=" + seed_);
    options.trace_jsonl = trace_kind_ == "jsonl";
    options.trace_digest = trace_kind_ == "digest";
    if (axes.empty())
      result_.command = sim_;
    else
      result_.command = SimSeveralCommand{sim_.run, axes};
  });
}

void CommandLine::add_compare() {
  CLI::App* app =
      command(&app_, "compare", "Run what is to be compared, and say which is better, and how surely");
  app->add_option("inputs", compare_.inputs, "An experiment, or scenarios")->type_name("FILE");
  app->add_option("--axis", compare_.axes, "What to vary: a place and its values; may be repeated")
      ->type_name("/POINTER=A,B,C")
      ->allow_extra_args(false);
  text(app, "--seeds", compare_.seeds, "Run each with these seeds: 1..30 or 1,2,5", "SEEDS");
  app->add_option("--jobs", compare_.jobs, "Processes at once (default: one per CPU)")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U, ""));
  among(text(app, "--engine", compare_.engine, "What passes the time (default simgrid)", ""),
        {"simgrid", "loop"});
  Choices metrics;
  for (const sim::Metric& metric : sim::known_metrics()) metrics.emplace_back(metric.name);
  among(text(app, "--objective", compare_.objective, "", ""), metrics)
      ->type_name("METRIC")
      ->description("The metric that decides (default mean_wait_s)");
  text(app, "--baseline", compare_.baseline, "The variant the others are held against (default: the first)",
       "NAME");
  text(app, "--out", compare_.out,
       "Write report.html, report.md, results.csv, comparison.json and the runs there", "DIR");
  text(app, "--against", compare_.against, "Exit 1 if a metric is worse than in this earlier comparison",
       "DIR");
  text(app, "--tolerance", compare_.tolerance, "With --against: smaller changes do not count (default 0%)",
       "1%");
  text(app, "--bench", compare_.bench,
       "Google Benchmark's JSON: what decisions cost; alone: hold it against another", "FILE");
  format(app, compare_.format);
  gives(app, compare_);
}

void CommandLine::add_check() {
  CLI::App* app =
      command(&app_, "check", "Say whether scenario files are valid, and all that is wrong with them");
  app->add_option("scenarios", check_.scenarios, "The scenario files")->type_name("FILE")->required();
  format(app, check_.format);
  gives(app, check_);
}

void CommandLine::add_import() {
  CLI::App* app = command(&app_, "import", "Turn a job log into a scenario");
  add_log_format(app, "swf", "Standard Workload Format, plain or gzip-compressed", swf_);
  batsim_.swf = false;
  add_log_format(app, "batsim", "A workload of the Batsim simulator", batsim_);
}

void CommandLine::add_log_format(CLI::App* parent, const char* name, const char* summary,
                                 ImportCommand& command_) {
  CLI::App* app = command(parent, name, summary);
  sim::ImportOptions& import = command_.import;
  text(app, "log", command_.log, "The log", "FILE")->required();
  text(app, "-o", command_.scenario, "Where to write the scenario", "SCENARIO")->required();
  const auto shape = [&import](sim::ImportOptions::Shape to) {
    return [&import, to](const std::uint32_t& size) {
      import.shape = to;
      import.size = size;
    };
  };
  using Shape = sim::ImportOptions::Shape;
  auto* pool = app->add_option_function<std::uint32_t>("--pool", shape(Shape::kPool), "One node of N cores");
  auto* hosts =
      app->add_option_function<std::uint32_t>("--hosts", shape(Shape::kHosts), "N nodes of one core; gangs");
  pool->type_name("N")->excludes(hosts);
  hosts->type_name("N");
  const auto as = [&import](const std::string& word) { import.as_work = word == "work"; };
  among(app->add_option_function<std::string>(
            "--as", as, "Run times as such (default), or as work for the engine to execute"),
        {"durations", "work"});
  const auto overrun = [&import](const std::string& word) {
    import.overrun =
        word == "kill" ? sim::ImportOptions::Overrun::kKill : sim::ImportOptions::Overrun::kExtend;
  };
  among(app->add_option_function<std::string>(
            "--overrun", overrun, "Jobs longer than their estimate: extend that (default), or kill them"),
        {"extend", "kill"});
  policy_options(app, command_.queue, command_.scheduler);
  app->callback([this, &command_, pool, hosts] {
    if (pool->count() + hosts->count() == 0)
      throw CLI::ValidationError("how big is the cluster? --pool N (one node of N cores) or --hosts N");
    result_.command = command_;
  });
}

void CommandLine::add_policies() {
  CLI::App* app = command(&app_, "policies", "List the policies, or tell about one");
  text(app, "name", policies_.name, "Only this one", "NAME");
  format(app, policies_.format);
  CLI::App* made = command(app, "new", "Write a policy to start from: its file, its line, its test");
  among(text(made, "kind", new_policy_.kind, "What it decides", ""), policy_kinds())->required();
  text(made, "name", new_policy_.name, "What it will be called: two_words", "NAME")->required();
  text(made, "--dir", new_policy_.dir, "The source tree (default: here)", "DIR");
  gives(made, new_policy_);
  app->callback([this, made] {  // Runs after that of `new`.
    if (!made->parsed()) result_.command = policies_;
  });
}

void CommandLine::add_replay() {
  CLI::App* app =
      command(&app_, "replay", "Feed a trace's inputs to the machines again and compare every command");
  text(app, "trace", replay_.trace, "The folder of a run, or its trace", "DIR")->required();
  app->add_flag("--verify", replay_.verify, "Compare every command (what it always does)");
  format(app, replay_.format);
  gives(app, replay_);
}

void CommandLine::add_explain() {
  CLI::App* app = command(&app_, "explain", "Say why a task is where it is, or why it waits");
  text(app, "run", explain_.run, "The folder of a run, or its trace; left out: a live cluster", "[DIR]")
      ->required();
  text(app, "task", explain_.task, "The task, as tasks.csv names it, or one attempt of it: 17.0 or 17.0#2",
       "TASK");
  connection(app, explain_.to);
  text(app, "--at", explain_.at, "At this instant, in seconds, instead of the end of the run", "S");
  format(app, explain_.format);
  gives(app, explain_);
}

void CommandLine::add_trace() {
  CLI::App* trace = command(&app_, "trace", "Look into traces");
  const auto one = [&](const char* name, const char* summary, std::string& path) {
    CLI::App* app = command(trace, name, summary);
    text(app, "trace", path, "The folder of a run, or its trace", "DIR")->required();
    return app;
  };
  CLI::App* cat = one("cat", "Print a trace as JSON Lines", cat_.trace);
  text(cat, "--task", cat_.task, "Only what concerns this job or task: 17 or 17.0", "ID");
  text(cat, "--from", cat_.from, "Only from this instant on, in seconds", "S");
  text(cat, "--to", cat_.to, "Only up to this instant, in seconds", "S");
  cat->add_option("--machine", cat_.machine, "Only this machine: 0 the controller, 1 + n the agent of node n")
      ->type_name("N");
  text(cat, "--out", cat_.out, "Instead of standard output", "FILE");
  gives(cat, cat_);

  CLI::App* diff = one("diff", "Show where two traces part; exit 1 if they do", diff_.left);
  text(diff, "other", diff_.right, "The other run", "DIR")->required();
  format(diff, diff_.format);
  gives(diff, diff_);

  CLI::App* verify =
      command(trace, "verify", "Check that traces are whole and unaltered; exit 1 if one is not");
  verify->add_option("traces", trace_verify_.traces, "The folders of runs, or their traces")
      ->type_name("DIR")
      ->required();
  format(verify, trace_verify_.format);
  gives(verify, trace_verify_);

  CLI::App* stats = one("stats", "Count what is in a trace", stats_.trace);
  format(stats, stats_.format);
  gives(stats, stats_);

  add_trace_step(trace);
  add_trace_dot(trace);

  CLI::App* perfetto = one("perfetto", "Chrome trace JSON, one track per slot", perfetto_.trace);
  text(perfetto, "--out", perfetto_.out, "Instead of standard output", "FILE");
  gives(perfetto, perfetto_);
}

void CommandLine::add_trace_step(CLI::App* trace) {
  CLI::App* app = command(trace, "step", "Walk through the decisions, with the cluster at each");
  text(app, "run", step_.run, "The folder of a run, or its trace", "DIR")->required();
  auto* from = app->add_option("--from", step_.from, "Begin at this step, as trace cat counts them");
  auto* decision = app->add_option("--decision", step_.decision, "Begin at this decision, counted from 1");
  auto* at = text(app, "--at", step_.at, "Begin at this instant, in seconds", "S");
  from->type_name("N")->excludes(decision)->excludes(at);
  decision->type_name("N")->excludes(at);
  app->add_option("-n,--count", step_.count, "How many (default 10; 0: all). Without it, on a terminal: keys")
      ->type_name("COUNT");
  auto* task = text(app, "--task", step_.task, "Only what concerns this task: 17.0", "ID");
  text(app, "--job", step_.job, "Only what concerns this job: 17", "ID")->excludes(task);
  text(app, "--node", step_.node, "Only what concerns this node", "NAME");
  format(app, step_.format);
  gives(app, step_);
}

void CommandLine::add_trace_dot(CLI::App* trace) {
  CLI::App* app = command(trace, "dot", "Draw a cluster, a task's way or the lifecycle for Graphviz");
  text(app, "run", dot_.run, "The folder of a run, or its trace", "DIR");
  auto* at =
      text(app, "--at", dot_.at, "The cluster at this instant, in seconds, instead of the busiest", "S");
  auto* step = app->add_option("--step", dot_.step, "The cluster after this step, as trace cat counts them");
  step->type_name("N")->excludes(at);
  text(app, "--task", dot_.task, "The way of this task through its states instead: 17.0", "ID")
      ->excludes(at)
      ->excludes(step);
  app->add_flag("--lifecycle", dot_.lifecycle, "The states of jobs, tasks and nodes instead");
  text(app, "--out", dot_.out, "Instead of standard output", "FILE");
  gives(app, dot_);
}

void CommandLine::add_report() {
  CLI::App* app = command(&app_, "report", "Write a page that shows what came of a run or a comparison");
  text(app, "folder", report_.folder, "What duet sim --out or duet compare --out wrote", "DIR")->required();
  text(app, "--out", report_.out, "Where to write it (default DIR/report.html); - is standard output",
       "FILE");
  app->add_flag("--static", report_.fixed, "Without the script: smaller, and nothing moves");
  gives(app, report_);
}

void CommandLine::add_record() {
  CLI::App* record =
      command(&app_, "record", "Run a folder of scenarios and keep their digests and short traces");
  text(record, "folder", record_.folder, "Folder of scenario files", "DIR")->required();
  among(text(record, "--engine", record_.engine, "What passes the time (default simgrid)", ""),
        {"simgrid", "loop"});
  format(record, record_.format);
  gives(record, record_);

  CLI::App* verify = command(&app_, "verify", "Run them again and compare; exit 1 if a decision changed");
  text(verify, "folder", verify_.folder, "Folder that duet record has seen", "DIR")->required();
  text(verify, "--junit", verify_.junit, "Also write a JUnit report", "FILE");
  format(verify, verify_.format);
  gives(verify, verify_);
}

void CommandLine::add_swarm() {
  CLI::App* app = command(&app_, "swarm", "Random clusters, workloads and faults, checked at every step");
  app->add_option("--seeds", swarm_.seeds, "How many (default 100)")->type_name("N");
  app->add_option("--first-seed", swarm_.first_seed, "The first of them (default 1)")->type_name("K");
  text(app, "--out", swarm_.out, "Folder for the scenario of each seed that fails", "DIR");
  text(app, "--scenario", swarm_.scenario, "Check this scenario instead, with all checkers", "FILE");
  gives(app, swarm_);
}

void CommandLine::add_rest() {
  CLI::App* completion =
      command(&app_, "completion", "Print a script that completes duet's words in a shell");
  among(text(completion, "shell", completion_.shell, "Which shell", ""), completion_shells())->required();
  gives(completion, completion_);

  CLI::App* version = command(&app_, "version", "Print what this program is made of");
  format(version, version_.format);
  gives(version, version_);

  CLI::App* internal = command(&app_, "internal", "What documentation is generated from");
  internal->group("");
  among(text(internal, "what", internal_.what, "Which of them", ""),
        {"schema", "fields", "experiment-schema"})
      ->required();
  gives(internal, internal_);
}

}  // namespace duet::front
