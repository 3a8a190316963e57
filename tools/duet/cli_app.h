// The command line as CLI11 sees it. The one file that includes it, for the three that need it: it takes
// seconds to compile.
#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sim/table.h"
#include "tools/duet/cli.h"

namespace duet::front {

using Choices = std::vector<std::string>;

/// The commands as CLI11 knows them, and where their words go.
class CommandLine {
 public:
  CommandLine();

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
  /// A whole number within bounds, and words that say so.
  template <class N>
  CLI::Option* whole(CLI::App* app, const char* name, N& to, std::int64_t least, std::int64_t most,
                     const char* summary, const char* type) {
    const auto check = [least, most](std::string& word) -> std::string {
      std::int64_t number = 0;
      const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), number);
      if (failed == std::errc{} && end == word.data() + word.size() && number >= least && number <= most)
        return {};
      return "'" + word + "' will not do: a whole number, " + std::to_string(least) + " to " +
             std::to_string(most);
    };
    return app->add_option(name, to, summary)->type_name(type)->check(CLI::Validator(check, ""));
  }
  template <class C>
  void gives(CLI::App* app, const C& command) {
    app->callback([this, &command] { result_.command = command; });
  }
  void policy_options(CLI::App* app, std::string& queue, std::string& scheduler);

  void add_sim();
  void add_compare();
  void add_check();
  void add_import();
  void add_log_format(CLI::App* parent, const char* name, const char* summary, ImportCommand& command);
  void add_policies();
  void add_replay();
  void add_explain();
  void add_trace();
  void add_trace_step(CLI::App* trace);
  void add_trace_dot(CLI::App* trace);
  void add_report();
  void add_record();
  void add_swarm();
  void add_rest();
  // cli_live.cpp
  void connection(CLI::App* app, Connection& to);
  void task_options(CLI::App* app, TaskOptions& task);
  void add_pools(CLI::App* deploy);
  void add_programs();
  void add_live();
  void add_looks();
  void add_live_run();

  std::string complaint(const CLI::ParseError& error) const;
  const CLI::App* deepest() const;

  CLI::App app_;
  std::map<const CLI::Option*, Choices> choices_;
  Parsed result_;

  SimCommand sim_;
  std::string queue_, scheduler_, seed_, trace_kind_, live_queue_, live_scheduler_;
  CompareCommand compare_;
  CheckCommand check_;
  ImportCommand swf_, batsim_;
  PoliciesCommand policies_;
  NewPolicyCommand new_policy_;
  ReplayCommand replay_;
  ExplainCommand explain_;
  TraceCatCommand cat_;
  TraceDiffCommand diff_;
  TraceVerifyCommand trace_verify_;
  TraceStatsCommand stats_;
  TraceStepCommand step_;
  TraceDotCommand dot_;
  TracePerfettoCommand perfetto_;
  ReportCommand report_;
  RecordCommand record_;
  VerifyCommand verify_;
  SwarmCommand swarm_;
  std::string data_;
  ProgramCommand program_;
  RunCommand run_;
  DeployCommand deploy_;
  SubmitCommand submit_;
  ScaleCommand scale_;
  StopCommand stop_;
  DrainCommand drain_, undrain_;
  ListCommand status_, job_, node_, services_;
  LogsCommand logs_;
  EventsCommand events_;
  PlanCommand plan_;
  TopCommand top_;
  LiveCommand live_;
  InstallNamesCommand install_names_;
  CompletionCommand completion_;
  VersionCommand version_;
  InternalCommand internal_;
};

}  // namespace duet::front
