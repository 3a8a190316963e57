// cube: the command line of an older system, with its words, flags and columns.
#include <array>
#include <cmath>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>

#include <nlohmann/json.hpp>

#include "live/http/client.h"
#include "sim/diagnostics.h"
#include "sim/terminal.h"
#include "tools/duet/completion.h"
#include "tools/duet/flag_set.h"
#include "tools/duet/human_duration.h"
#include "tools/duet/live_client.h"
#include "tools/duet/names.h"
#include "tools/duet/programs.h"

namespace duet::front {
namespace {

using live::http::Method;
using CubeJson = nlohmann::json;
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

int fail(const std::string& what) {
  sim::say("Error: " + what + '\n');
  return sim::kExitNegative;
}

int misuse(const std::string& command, const std::string& what) {
  sim::say("Error: " + what + "\nSee 'cube " + command + " --help'\n");
  return sim::kExitUsage;
}

// ---- Talking to a manager

struct Answered {
  unsigned status = 0;
  std::string body;
};

/// Nothing, and said so: it cannot be reached. The exit code is in `code`.
std::optional<Answered> ask(const FlagSet& flags, Method method, const std::string& target,
                            const std::string& body, int& code) {
  const std::string& manager = flags.value("manager");
  auto client = live::http::Client::make(manager);
  if (!client) {
    code = misuse("", "--manager " + manager + ": " + sim::to_text(client.problems()));
    return std::nullopt;
  }
  live::http::Reply reply = client->send({.method = method, .target = target, .body = body, .headers = {}});
  if (!reply.arrived()) {
    sim::say("Error: no manager answers at " + manager + ": " + reply.why +
             "\n  = cube manager --workers localhost:5556 starts one\n");
    code = kExitUnreachable;
    return std::nullopt;
  }
  return Answered{reply.status, std::move(reply.body)};
}

/// Says what the manager objects to. The exit code for it.
int object(const Answered& answer) {
  const auto said = CubeJson::parse(answer.body, nullptr, false);
  std::string message = "the manager answers " + std::to_string(answer.status);
  if (said.is_object()) message = said.value("Message", said.value("detail", message));
  sim::say("Error: " + message + '\n');
  return answer.status == 400 ? sim::kExitUsage : sim::kExitNegative;
}

std::optional<CubeJson> list(const FlagSet& flags, const std::string& target, int& code) {
  const auto answer = ask(flags, Method::kGet, target, {}, code);
  if (!answer) return std::nullopt;
  auto json = CubeJson::parse(answer->body, nullptr, false);
  if (answer->status == 200 && json.is_array()) return json;
  code = answer->status == 200 ? fail("what answers there is no manager of cube") : object(*answer);
  return std::nullopt;
}

/// Left-aligned, five blanks between columns, the first at least nineteen wide.
int print_columns(const std::vector<Words>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Words& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + 5);
  widths.front() = std::max<std::size_t>(widths.front(), 19);
  std::string text;
  for (const Words& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size(), ' ');
    }
    text += line + '\n';
  }
  return sim::print(text) ? sim::kExitOk : sim::kExitUsage;
}

std::string ago(const std::string& instant) {
  std::tm utc{};
  std::int64_t seconds = 0;
  if (!instant.starts_with("0001") && strptime(instant.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) != nullptr)
    seconds = std::max<std::int64_t>(0, std::time(nullptr) - timegm(&utc));
  return human_duration(seconds) + " ago";
}

std::string state_text(int state) {
  constexpr std::array<const char*, 5> kStates = {"Pending", "Scheduled", "Running", "Completed", "Failed"};
  return state >= 0 && state < 5 ? kStates[static_cast<std::size_t>(state)] : std::to_string(state);
}

// ---- Commands

int cube_run(const FlagSet& flags) {
  const std::string& path = flags.value("filename");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail("file " + path + " cannot be read");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  int code = 0;
  const auto answer = ask(flags, Method::kPost, "/tasks", text, code);
  if (!answer) return code;
  if (answer->status != 201) return object(*answer);
  const auto task = CubeJson::parse(answer->body, nullptr, false);
  const std::string id = task.is_object() ? task.value("ID", "") : "";
  return sim::print("Successfully sent task request to manager: " + id + '\n') ? sim::kExitOk
                                                                               : sim::kExitUsage;
}

int cube_stop(const FlagSet& flags) {
  if (flags.rest().size() != 1) return misuse("stop", "one task ID is needed: cube stop bb1d59ef");
  const std::string& id = flags.rest().front();
  int code = 0;
  const auto answer = ask(flags, Method::kDelete, "/tasks/" + id, {}, code);
  if (!answer) return code;
  if (answer->status != 204) return object(*answer);
  return sim::print("Task " + id + " has been stopped.\n") ? sim::kExitOk : sim::kExitUsage;
}

int cube_status(const FlagSet& flags) {
  int code = 0;
  const auto tasks = list(flags, "/tasks", code);
  if (!tasks) return code;
  std::vector<Words> rows = {{"ID", "NAME", "CREATED", "STATE", "CONTAINERNAME", "IMAGE"}};
  const bool wide = flags.value("output") == "wide";
  if (wide) rows.front().insert(rows.front().end(), {"WORKER", "TASK", "REASON"});
  if (flags.value("output") == "json")
    return sim::print(tasks->dump(2) + '\n') ? sim::kExitOk : sim::kExitUsage;
  for (const auto& task : *tasks) {
    rows.push_back({task.value("ID", "").substr(0, 8), task.value("Name", ""),
                    ago(task.value("StartTime", "0001")), state_text(task.value("State", 0)),
                    task.value("Name", ""), task.value("Image", "")});
    if (wide)
      rows.back().insert(rows.back().end(),
                         {task.value("Worker", ""), task.value("Duet", ""), task.value("Reason", "")});
  }
  return print_columns(rows);
}

int cube_node(const FlagSet& flags) {
  int code = 0;
  const auto nodes = list(flags, "/nodes", code);
  if (!nodes) return code;
  if (flags.value("output") == "json")
    return sim::print(nodes->dump(2) + '\n') ? sim::kExitOk : sim::kExitUsage;
  std::vector<Words> rows = {{"NAME", "MEMORY (MiB)", "DISK (GiB)", "ROLE", "TASKS"}};
  const bool wide = flags.value("output") == "wide";
  if (wide) rows.front().insert(rows.front().end(), {"STATE", "CORES"});
  for (const auto& node : *nodes) {
    rows.push_back({node.value("Name", ""), std::to_string(node.value("Memory", std::uint64_t{0}) >> 10),
                    std::to_string(node.value("Disk", std::uint64_t{0}) >> 30), node.value("Role", ""),
                    std::to_string(node.value("TaskCount", std::uint64_t{0}))});
    if (wide)
      rows.back().insert(rows.back().end(),
                         {node.value("State", ""), std::to_string(node.value("Cores", std::uint64_t{0}))});
  }
  return print_columns(rows);
}

/// "memory" and "persistent" are cube's names of stores. Empty: it is neither.
std::string store_of(const std::string& kind) {
  return kind == "memory" ? "memory" : kind == "persistent" ? "sqlite" : "";
}

/// Becomes the program. Addresses beyond this machine only if it is said loudly.
int become_program(const char* program, const Words& words) {
  const std::string path = helper_path(program);
  const std::string why = path.empty() ? "it was not built" : become(path, words);
  return fail(std::string(program) + ": " + why);
}

int cube_manager(const FlagSet& flags) {
  constexpr std::array<std::array<const char*, 2>, 3> kSchedulers = {
      {{"epvm", "e_pvm_cube"}, {"roundrobin", "round_robin"}, {"greedy", "lowest_cpu"}}};
  std::string scheduler;
  for (const auto& [theirs, ours] : kSchedulers)
    if (flags.value("scheduler") == theirs) scheduler = ours;
  if (scheduler.empty())
    return misuse("manager", "--scheduler: '" + flags.value("scheduler") + "': epvm, roundrobin or greedy");
  const std::string store = store_of(flags.value("dbType"));
  if (store.empty())
    return misuse("manager", "--dbType: '" + flags.value("dbType") + "': memory or persistent");
  const std::string& port = flags.value("port");
  Words words = {
      "--cube=" + flags.value("host") + ':' + port,
      "--cube-workers=" + flags.value("workers"),
      "--cube-sync-ms=" + flags.value("sync-ms"),
      "--cube-stats-s=" + flags.value("stats-s"),
      "--listen=127.0.0.1:0",
      "--agents=127.0.0.1:0",
      "--scheduler=" + scheduler,
      "--store=" + store,
      "--data=" + (flags.given("data") ? flags.value("data") : data_folder({}) + "/cube/manager-" + port)};
  if (flags.on("insecure")) words.emplace_back("--insecure");
  return become_program("duet-controller", words);
}

std::string fresh_name() {
  std::random_device device;
  std::string name = "worker-";
  for (int i = 0; i < 8; ++i) name += "0123456789abcdef"[device() % 16];
  return name;
}

int cube_worker(const FlagSet& flags) {
  const std::string store = store_of(flags.value("dbtype"));
  if (store.empty())
    return misuse("worker", "--dbtype: '" + flags.value("dbtype") + "': memory or persistent");
  const std::string& port = flags.value("port");
  const std::string name = flags.given("name") ? flags.value("name") : fresh_name();
  Words words = {
      "--nodes=1",
      "--node-name=" + name,
      "--cube=" + flags.value("host") + ':' + port,
      "--listen=127.0.0.1:0",
      "--store=" + store,
      "--port-base=" + flags.value("port-base"),
      "--data=" + (flags.given("data") ? flags.value("data") : data_folder({}) + "/cube/worker-" + port)};
  if (flags.on("insecure")) words.emplace_back("--insecure");
  return become_program("duet-up", words);
}

int cube_completion(const FlagSet& flags);

const std::vector<CubeCommand>& commands() {
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

std::vector<CommandSpec> tree() {
  std::vector<CommandSpec> specs = {
      {{"cube"}, "cube orchestrator", {}, {{{"--help", "-h"}, "Help", false, {}}}}};
  for (const CubeCommand& command : commands()) {
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
      rest.size() == 1 ? completion_script("cube", tree(), rest.front()) : std::string();
  if (script.empty()) return misuse("completion", "which shell? bash, zsh, fish or powershell");
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
  for (const CubeCommand& command : commands()) names.push_back(command.name);
  for (const CubeCommand& command : commands()) {
    if (command.name != rest.front()) continue;
    FlagSet flags(FlagSet::Style::kPosix, command.flags);
    const Problems problems = flags.parse({rest.begin() + 1, rest.end()});
    if (help || flags.wants_help()) return sim::print(help_of(command)) ? sim::kExitOk : sim::kExitUsage;
    if (!problems.empty()) return misuse(rest.front(), sim::to_text(problems));
    const bool takes_words = command.name == "stop" || command.name == "completion";
    if (!takes_words && !flags.rest().empty())
      return misuse(rest.front(), "'" + flags.rest().front() + "' is one word too many");
    return command.run(flags);
  }
  sim::say("Error: unknown command \"" + rest.front() +
           "\" for \"cube\"\n  = " + sim::did_you_mean(rest.front(), names, "cube --help lists them") + '\n');
  return sim::kExitUsage;
}

}  // namespace duet::front
