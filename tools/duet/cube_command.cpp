// cube: the command line of an older system, with its words, flags and columns.
#include "sim/diagnostics.h"
#include "sim/terminal.h"
#include "tools/duet/completion.h"
#include "tools/duet/cube_commands.h"
#include "tools/duet/flag_set.h"
#include "tools/duet/names.h"

namespace duet::front {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kHeader =
    "A Cli to interact with cube orchestrator.\n"
    "\n"
    "Cube is an orchestrator based on containers.\n"
    "\n"
    "Usage:\n"
    "  cube [command]\n"
    "\n"
    "Available Commands:\n"
    "  completion  Generate the autocompletion script for the specified shell\n"
    "  help        Help about any command\n"
    "  manager     Manager command to operate a Cube manager node.\n"
    "  node        Node command to list nodes.\n"
    "  run         Run a new task.\n"
    "  status      Status command to list tasks.\n"
    "  stop        Stop a running task.\n"
    "  worker      Worker command to operate a Cube worker node.\n"
    "\n"
    "Flags:\n"
    "  -h, --help   help for cube\n"
    "\n"
    "Use \"cube [command] --help\" for more information about a command.\n";

struct CubeCommand {
  std::string_view name;
  std::string_view summary;
  std::string_view usage;  ///< After "cube NAME".
  std::vector<Flag> flags;
  int (*run)(const FlagSet& flags);
};

int cube_completion(const FlagSet& flags);

const std::vector<CubeCommand>& cube_commands() {
  const Flag manager{.name = "manager",
                     .type = "string",
                     .standard = "localhost:5555",
                     .help = "Manager to talk to",
                     .letter = 'm'};
  const Flag output{
      .name = "output", .type = "string", .standard = "table", .help = "table, wide or json", .letter = 'o'};
  const Flag data{
      .name = "data", .type = "string", .help = "Its folder (default ~/.local/state/duet/cube/...)"};
  const Flag insecure{.name = "insecure", .help = "Let other machines in, without TLS"};
  const Flag host{.name = "host",
                  .type = "string",
                  .standard = "127.0.0.1",
                  .help = "Hostname or IP address; 0.0.0.0 only with --insecure",
                  .letter = 'H'};
  static const std::vector<CubeCommand> all = {
      {"completion",
       "Generate the autocompletion script for the specified shell",
       "[bash|zsh|fish|powershell]",
       {},
       cube_completion},
      {"manager",
       "Manager command to operate a Cube manager node.",
       "[flags]",
       {host,
        {.name = "port", .type = "int", .standard = "5555", .help = "Port on which to listen", .letter = 'p'},
        {.name = "workers",
         .type = "string",
         .standard = "localhost:5556",
         .help = "Workers on which the manager runs tasks: HOST:PORT,...",
         .letter = 'w'},
        {.name = "scheduler",
         .type = "string",
         .standard = "epvm",
         .help = "epvm, roundrobin or greedy",
         .letter = 's'},
        {.name = "dbType",
         .type = "string",
         .standard = "persistent",
         .help = "memory or persistent",
         .letter = 'd'},
        {.name = "sync-ms",
         .type = "int",
         .standard = "500",
         .help = "Between two looks at the workers' tasks"},
        {.name = "stats-s", .type = "int", .standard = "15", .help = "Between two looks at their stats"},
        {.name = "health-s", .type = "int", .standard = "15", .help = "Between two probes of a HealthCheck"},
        data,
        insecure},
       cube_manager},
      {"node", "Node command to list nodes.", "[flags]", {manager, output}, cube_node},
      {"run",
       "Run a new task.",
       "[flags]",
       {manager,
        {.name = "filename",
         .type = "string",
         .standard = "task.json",
         .help = "Task specification file",
         .letter = 'f'}},
       cube_run},
      {"status", "Status command to list tasks.", "[flags]", {manager, output}, cube_status},
      {"stop", "Stop a running task.", "ID [flags]", {manager}, cube_stop},
      {"worker",
       "Worker command to operate a Cube worker node.",
       "[flags]",
       {host,
        {.name = "port", .type = "int", .standard = "5556", .help = "Port on which to listen", .letter = 'p'},
        {.name = "name",
         .type = "string",
         .help = "Name of the worker (default worker-<random>)",
         .letter = 'n'},
        {.name = "dbtype",
         .type = "string",
         .standard = "persistent",
         .help = "memory or persistent",
         .letter = 'd'},
        {.name = "port-base", .type = "int", .standard = "8000", .help = "First port that tasks get"},
        data,
        insecure},
       cube_worker},
  };
  return all;
}

std::string help_of(const CubeCommand& command) {
  std::string text = std::string(command.summary) + "\n\nUsage:\n  cube " + std::string(command.name) + ' ' +
                     std::string(command.usage) + "\n\nFlags:\n";
  return text + FlagSet(FlagSet::Style::kPosix, command.flags).usage() + "  -h, --help   help for " +
         std::string(command.name) + '\n';
}

std::vector<CommandSpec> cube_tree() {
  std::vector<CommandSpec> specs = {
      {{"cube"}, "cube orchestrator", {}, {{{"--help", "-h"}, "Help", false, {}}}}};
  for (const CubeCommand& command : cube_commands()) {
    specs.front().subcommands.emplace_back(command.name);
    CommandSpec spec{{"cube", std::string(command.name)}, std::string(command.summary), {}, {}};
    for (const Flag& flag : command.flags) {
      OptionSpec option{{"--" + flag.name}, flag.help, !flag.type.empty(), {}};
      if (flag.letter != '\0') option.names.push_back(std::string("-") + flag.letter);
      if (flag.name == "scheduler") option.choices = {"epvm", "roundrobin", "greedy"};
      if (flag.name == "dbType" || flag.name == "dbtype") option.choices = {"memory", "persistent"};
      if (flag.name == "output") option.choices = {"table", "wide", "json"};
      spec.options.push_back(std::move(option));
    }
    if (command.name == "completion") spec.options.push_back({{}, "Shell", true, completion_shells()});
    specs.push_back(std::move(spec));
  }
  specs.front().subcommands.emplace_back("help");
  specs.push_back({{"cube", "help"}, "Help about any command", {}, {}});
  return specs;
}

int cube_completion(const FlagSet& flags) {
  const Words& rest = flags.rest();
  const std::string script =
      rest.size() == 1 ? completion_script("cube", cube_tree(), rest.front()) : std::string();
  if (script.empty()) return cube_misuse("completion", "which shell? bash, zsh, fish or powershell");
  return sim::print(script) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace

int cube_main(const std::vector<std::string>& words) {
  Words rest = words;
  bool help = false;
  if (!rest.empty() && rest.front() == "help") {
    help = true;
    rest.erase(rest.begin());
  }
  if (rest.empty() || rest.front() == "-h" || rest.front() == "--help")
    return sim::print(kHeader) ? sim::kExitOk : sim::kExitUsage;
  std::vector<std::string_view> names = {"help"};
  for (const CubeCommand& command : cube_commands()) names.push_back(command.name);
  for (const CubeCommand& command : cube_commands()) {
    if (command.name != rest.front()) continue;
    FlagSet flags(FlagSet::Style::kPosix, command.flags);
    const Problems problems = flags.parse({rest.begin() + 1, rest.end()});
    if (help || flags.wants_help()) return sim::print(help_of(command)) ? sim::kExitOk : sim::kExitUsage;
    if (!problems.empty()) return cube_misuse(rest.front(), sim::to_text(problems));
    const bool takes_words = command.name == "stop" || command.name == "completion";
    if (!takes_words && !flags.rest().empty())
      return cube_misuse(rest.front(), "'" + flags.rest().front() + "' is one word too many");
    return command.run(flags);
  }
  sim::say("Error: unknown command \"" + rest.front() +
           "\" for \"cube\"\n  = " + sim::did_you_mean(rest.front(), names, "cube --help lists them") + '\n');
  return sim::kExitUsage;
}

}  // namespace duet::front
