// From words to a command, or to what is wrong with them.
#include "tools/duet/cli.h"

#include <algorithm>
#include <memory>

#include "sim/diagnostics.h"
#include "sim/terminal.h"
#include "tools/duet/cli_app.h"

namespace duet::front {
namespace {

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

}  // namespace

CommandLine::CommandLine() {
  app_.name("duet");
  app_.description("Runs a cluster: simulated from a scenario file, or live; with one core for both.");
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.set_version_flag("-V,--version", "duet " DUET_VERSION, "Print the version and exit");
  app_.require_subcommand(0, 1);
  add_sim();
  add_compare();
  add_check();
  add_import();
  add_policies();
  add_replay();
  add_explain();
  add_trace();
  add_report();
  add_record();
  add_swarm();
  add_live();
  add_rest();
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
  sim_.run.command_line = compare_.command_line = live_.run.command_line = all;
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

std::vector<CommandSpec> CommandLine::tree() const {
  std::vector<CommandSpec> specs;
  add_specs(&app_, choices_, {}, specs);
  return specs;
}

Parsed parse(int argc, const char* const* argv) { return CommandLine().parse(argc, argv); }

std::vector<CommandSpec> command_tree() { return CommandLine().tree(); }

}  // namespace duet::front
