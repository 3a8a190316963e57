// The one file that knows CLI11: it takes seconds to compile.
#include "tools/duet/cli.h"

#include <algorithm>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include "core/policy.h"
#include "sim/diagnostics.h"
#include "sim/terminal.h"

namespace duet::front {
namespace {

using Choices = std::vector<std::string>;

/// "duet trace cat"
std::string full_name(const CLI::App* app) {
  return app->get_parent() == nullptr ? app->get_name()
                                      : full_name(app->get_parent()) + ' ' + app->get_name();
}

std::vector<const CLI::App*> visible_commands(const CLI::App* app) {
  return app->get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

/// Examples first: most readers want nothing else.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    const std::string_view examples = examples_of(full_name(app));
    std::string out;
    if (!examples.empty()) out = "Examples:\n" + std::string(examples) + '\n';
    return out + CLI::Formatter::make_help(app, std::move(name), mode);
  }
  std::string make_usage(const CLI::App* app, std::string) const override {
    return CLI::Formatter::make_usage(app, full_name(app));
  }
};

template <class P>
Choices names_of(std::span<const PolicyEntry<P>> table) {
  Choices names;
  for (const auto& entry : table) names.emplace_back(entry.name);
  return names;
}

class CommandLine {
 public:
  CommandLine() {
    app_.name("duet");
    app_.description("Runs a cluster: simulated from a scenario file, reproducible to the last decision.");
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.set_version_flag("-V,--version", "duet " DUET_VERSION, "Print the version and exit");
    app_.require_subcommand(0, 1);
    add_sim();
    add_check();
    add_import();
    add_policies();
    add_replay();
    add_explain();
    add_trace();
    add_record();
    add_swarm();
    add_rest();
  }

  Parsed parse(int argc, const char* const* argv);
  std::vector<CommandSpec> tree() const;

 private:
  CLI::App* command(CLI::App* parent, const char* name, const char* summary) {
    CLI::App* added = parent->add_subcommand(name, summary);
    added->require_subcommand(0, 1);
    return added;
  }
  CLI::Option* among(CLI::Option* option, Choices choices) {
    choices_[option] = choices;
    return option->type_name(CLI::detail::join(choices, "|"))
        ->check(CLI::Validator([choices](std::string& word) { return objection(word, choices); }, ""));
  }
  CLI::Option* text(CLI::App* app, const char* name, std::string& to, const char* summary, const char* type) {
    return app->add_option(name, to, summary)->type_name(type);
  }
  void format(CLI::App* app, Format& to) {
    const auto take = [&to](const std::string& word) { to = sim::format_of(word).value_or(Format::kTable); };
    among(app->add_option_function<std::string>("-o,--output", take, "How to print (default table)"),
          {"table", "json", "csv"});
  }
  template <class C>
  void gives(CLI::App* app, const C& command) {
    app->callback([this, &command] { result_.command = command; });
  }
  void policy_options(CLI::App* app, std::string& queue, std::string& scheduler) {
    auto* one = text(app, "--queue", queue, "Queue policy: see duet policies", "POLICY");
    auto* other = text(app, "--scheduler", scheduler, "Scheduler policy: see duet policies", "POLICY");
    choices_[one] = names_of(queue_policies());
    choices_[other] = names_of(scheduler_policies());
  }

  void add_sim();
  void add_check();
  void add_import();
  void add_log_format(CLI::App* parent, const char* name, const char* summary, ImportCommand& command);
  void add_policies();
  void add_replay();
  void add_explain();
  void add_trace();
  void add_record();
  void add_swarm();
  void add_rest();

  std::string complaint(const CLI::ParseError& error) const;
  const CLI::App* deepest() const;

  CLI::App app_;
  std::map<const CLI::Option*, Choices> choices_;
  Parsed result_;

  SimCommand sim_;
  std::string queue_, scheduler_, seed_, trace_kind_;
  CheckCommand check_;
  ImportCommand swf_, batsim_;
  PoliciesCommand policies_;
  ReplayCommand replay_;
  ExplainCommand explain_;
  TraceCatCommand cat_;
  TraceDiffCommand diff_;
  TraceVerifyCommand trace_verify_;
  TraceStatsCommand stats_;
  TraceDotCommand dot_;
  TracePerfettoCommand perfetto_;
  RecordCommand record_;
  VerifyCommand verify_;
  SwarmCommand swarm_;
  CompletionCommand completion_;
  VersionCommand version_;
  InternalCommand internal_;
};

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
  among(text(app, "--trace", trace_kind_, "The trace file: compact (default), or JSON Lines to read", ""),
        {"duet", "jsonl"});
  app->add_flag("--no-trace", run.no_trace, "")->group("");
  text(app, "--export-raw", run.export_raw, "Write what was executed, for replaying it on a bare engine",
       "FILE");
  text(app, "--out", run.out, "Write jobs.csv, tasks.csv, summary.json, the trace and run_info.json there",
       "DIR");
  format(app, run.format);
  app->callback([this] {
    sim::RunOptions& options = sim_.run;
    if (!queue_.empty()) options.overrides.push_back("/policies/queue=" + queue_);
    if (!scheduler_.empty()) options.overrides.push_back("/policies/scheduler=" + scheduler_);
    if (!seed_.empty()) options.overrides.push_back("/seed=" + seed_);
    options.trace_jsonl = trace_kind_ == "jsonl";
    result_.command = sim_;
  });
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
  gives(app, policies_);
}

void CommandLine::add_replay() {
  CLI::App* app =
      command(&app_, "replay", "Feed a trace's inputs to the machines again and compare every command");
  text(app, "trace", replay_.trace, "The trace, trace.duet", "TRACE")->required();
  app->add_flag("--verify", replay_.verify, "Compare every command (what it always does)");
  format(app, replay_.format);
  gives(app, replay_);
}

void CommandLine::add_explain() {
  CLI::App* app = command(&app_, "explain", "Say why a task is where it is, or why it waits");
  text(app, "run", explain_.run, "The folder of a run, or its trace", "DIR")->required();
  text(app, "task", explain_.task, "The task, as tasks.csv names it, or one attempt of it: 17.0 or 17.0#2",
       "TASK")
      ->required();
  format(app, explain_.format);
  gives(app, explain_);
}

void CommandLine::add_trace() {
  CLI::App* trace = command(&app_, "trace", "Look into traces");
  const auto one = [&](const char* name, const char* summary, std::string& path) {
    CLI::App* app = command(trace, name, summary);
    text(app, "trace", path, "The trace, trace.duet", "TRACE")->required();
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
  text(diff, "other", diff_.right, "The other trace", "TRACE")->required();
  format(diff, diff_.format);
  gives(diff, diff_);

  CLI::App* verify =
      command(trace, "verify", "Check that traces are whole and unaltered; exit 1 if one is not");
  verify->add_option("traces", trace_verify_.traces, "The traces")->type_name("TRACE")->required();
  format(verify, trace_verify_.format);
  gives(verify, trace_verify_);

  CLI::App* stats = one("stats", "Count what is in a trace", stats_.trace);
  format(stats, stats_.format);
  gives(stats, stats_);

  CLI::App* dot = command(trace, "dot", "Draw cluster or lifecycle for Graphviz");
  text(dot, "trace", dot_.trace, "The trace, trace.duet", "TRACE");
  text(dot, "--at", dot_.at, "The cluster at this instant, in seconds, instead of the busiest", "S");
  dot->add_flag("--lifecycle", dot_.lifecycle, "The states of jobs, tasks and nodes instead");
  text(dot, "--out", dot_.out, "Instead of standard output", "FILE");
  gives(dot, dot_);

  CLI::App* perfetto = one("perfetto", "Chrome trace JSON, one track per slot", perfetto_.trace);
  text(perfetto, "--out", perfetto_.out, "Instead of standard output", "FILE");
  gives(perfetto, perfetto_);
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
  among(text(completion, "shell", completion_.shell, "Which shell", ""), {"bash", "zsh", "fish"})->required();
  gives(completion, completion_);

  CLI::App* version = command(&app_, "version", "Print what this program is made of");
  format(version, version_.format);
  gives(version, version_);

  CLI::App* internal = command(&app_, "internal", "What documentation is generated from");
  internal->group("");
  among(text(internal, "what", internal_.what, "Which of them", ""), {"schema", "fields"})->required();
  gives(internal, internal_);
}

const CLI::App* CommandLine::deepest() const {
  const CLI::App* app = &app_;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
}

std::string CommandLine::complaint(const CLI::ParseError& error) const {
  const CLI::App* app = deepest();
  std::string text = error.what();
  const std::vector<std::string> extras = app_.remaining(true);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !extras.empty()) {
    Choices known;
    if (extras.front().starts_with('-')) {
      for (const CLI::Option* option : app->get_options())
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    } else {
      for (const CLI::App* sub : visible_commands(app)) known.push_back(sub->get_name());
    }
    text = unknown(extras.front(), known);
  }
  return full_name(app) + ": " + text + "\n  = " + full_name(app) + " --help shows what there is\n";
}

Parsed CommandLine::parse(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const std::vector<std::string> all(argv, argv + argc);
  // `duet help sim` is `duet sim --help`.
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  if (words.empty()) return {Overview{}, 0, {}, {}};
  sim_.run.command_line = all;
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app_.parse(words);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, 0, deepest()->help(), {}};
  } catch (const CLI::CallForVersion& version) {
    return {std::nullopt, 0, std::string(version.what()) + '\n', {}};
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, sim::kExitUsage, {}, complaint(error)};
  }
  // A command that only holds others was named without one of them.
  if (!result_.command) return {std::nullopt, sim::kExitUsage, {}, deepest()->help()};
  return std::move(result_);
}

void add_specs(const CLI::App* app, const std::map<const CLI::Option*, Choices>& choices,
               std::vector<std::string> words, std::vector<CommandSpec>& specs) {
  words.push_back(app->get_name());
  CommandSpec spec{words, app->get_description(), {}, {}};
  const auto visible = visible_commands(app);
  for (const CLI::App* sub : visible) spec.subcommands.push_back(sub->get_name());
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_group().empty() && !option->get_positional()) continue;
    OptionSpec out{{}, option->get_description(), option->get_items_expected_max() > 0, {}};
    for (const std::string& name : option->get_lnames()) out.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) out.names.push_back("-" + name);
    if (const auto found = choices.find(option); found != choices.end()) out.choices = found->second;
    spec.options.push_back(std::move(out));
  }
  specs.push_back(std::move(spec));
  for (const CLI::App* sub : visible) add_specs(sub, choices, words, specs);
}

std::vector<CommandSpec> CommandLine::tree() const {
  std::vector<CommandSpec> specs;
  add_specs(&app_, choices_, {}, specs);
  return specs;
}

}  // namespace

Parsed parse(int argc, const char* const* argv) { return CommandLine().parse(argc, argv); }

std::vector<CommandSpec> command_tree() { return CommandLine().tree(); }

}  // namespace duet::front
