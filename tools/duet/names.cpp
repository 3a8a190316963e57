#include "tools/duet/names.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <unistd.h>

#include "sim/diagnostics.h"
#include "sim/terminal.h"
#include "tools/duet/flag_set.h"
#include "tools/duet/live_client.h"
#include "tools/duet/options.h"
#include "tools/duet/programs.h"

namespace duet::front {
namespace {

namespace fs = std::filesystem;

/// Becomes a program of libexec/. Returns only if it cannot.
int be(const std::string& program, const std::vector<std::string>& words) {
  const std::string path = helper_path(program);
  if (path.empty()) {
    sim::say("this build has no " + program + ": libexec/" + program + " is not there\n");
  } else {
    const std::string why = become(path, words);
    sim::say(path + ": " + why + '\n');
  }
  return sim::kExitUsage;
}

/// Reads flags in Go's style. An exit code, if there is nothing more to do.
std::optional<int> read_flags(FlagSet& flags, const char* name, const char* what,
                              const std::vector<std::string>& words) {
  Problems problems = flags.parse(words);
  for (const std::string& word : flags.rest())
    problems.push_back({word, "is one word too many", "flags only: -name=value"});
  if (!problems.empty()) {
    for (const Problem& problem : problems)
      sim::say(std::string(name) + ": " + problem.where + ": " + problem.what +
               (problem.right.empty() ? "" : "; " + problem.right) + '\n');
    return sim::kExitUsage;
  }
  if (!flags.wants_help()) return std::nullopt;
  return sim::print(std::string(what) + "\n\nUsage of " + name + ":\n" + flags.usage()) ? sim::kExitOk
                                                                                        : sim::kExitUsage;
}

std::string folder_of(const FlagSet& flags, const std::string& inner) {
  return flags.given("data") ? flags.value("data") : data_folder({}) + '/' + inner;
}

std::string option(const char* name, const std::string& value) {
  return std::string("--") + name + '=' + value;
}

const Flag kData{.name = "data", .type = "string", .help = "its folder (default ~/.local/state/duet/...)"};
const Flag kProfile{.name = "profile",
                    .type = "string",
                    .standard = "s0",
                    .help = "how fast silence is noticed: s0 (pings every 10 s, dead after 30 s), fast, s3"};
const Flag kHost{.name = "host",
                 .type = "string",
                 .standard = "127.0.0.1",
                 .help = "where it listens; beyond this machine only with -insecure"};
const Flag kInsecure{.name = "insecure", .help = "let other machines in, without TLS"};

/// What both families' controllers take.
std::vector<std::string> controller_words(const FlagSet& flags, const std::string& folder) {
  std::vector<std::string> words = {option("listen", flags.value("host") + ':' + flags.value("port")),
                                    option("profile", flags.value("profile")),
                                    option("store", flags.value("store")),
                                    option("data", folder_of(flags, folder + flags.value("port")))};
  // Agents find the port over HTTP: no second one to choose.
  if (flags.on("insecure")) {
    words.insert(words.end(), {option("agents", flags.value("host") + ":0"), "--insecure"});
  } else {
    words.insert(words.end(), {"--agents=127.0.0.1:0", "--open-agents"});
  }
  return words;
}

int controller_main(const std::vector<std::string>& words) {
  FlagSet flags(FlagSet::Style::kGo,
                {{.name = "port", .type = "int", .standard = "8080", .help = "where HTTP is answered"},
                 kHost,
                 {.name = "store", .type = "string", .standard = "memory", .help = "memory or sqlite"},
                 kProfile,
                 kData,
                 kInsecure});
  if (const auto code =
          read_flags(flags, "controller",
                     "Keeps replicas of a workload running on agents: POST /deploy, GET /status.", words))
    return *code;
  return be("duet-controller", controller_words(flags, "s0/controller-"));
}

int agent_main(const std::vector<std::string>& words) {
  FlagSet flags(
      FlagSet::Style::kGo,
      {{.name = "port",
        .type = "int",
        .standard = "9001",
        .help = "makes it another node than its neighbours"},
       {.name = "node-ip",
        .type = "string",
        .standard = "127.0.0.1",
        .help = "where its workloads can be reached"},
       {.name = "workload-bin",
        .type = "string",
        .help = "the program that is deployed; it gets PORT and DUET_REPLICA_ID (default Duet's own)"},
       {.name = "workload-args",
        .type = "string",
        .standard = "-port={port}",
        .help = "its arguments, or none"},
       {.name = "controller",
        .type = "string",
        .standard = "http://127.0.0.1:8080",
        .help = "the controller; it may start later"},
       {.name = "port-base", .type = "int", .standard = "8000", .help = "the first port that workloads get"},
       {.name = "token-file", .type = "string", .help = "the agents' token, if the controller wants one"},
       kProfile,
       kData});
  if (const auto code =
          read_flags(flags, "agent", "Runs workloads on this node, as the controller says.", words))
    return *code;
  std::vector<std::string> out = {option("controller", flags.value("controller")),
                                  option("port", flags.value("port")),
                                  option("address", flags.value("node-ip")),
                                  option("workload-args", flags.value("workload-args")),
                                  option("port-base", flags.value("port-base")),
                                  option("profile", flags.value("profile")),
                                  option("user", "same"),
                                  "--plain"};
  if (!flags.value("workload-bin").empty()) out.push_back(option("workload", flags.value("workload-bin")));
  if (flags.given("token-file")) out.push_back(option("token-file", flags.value("token-file")));
  out.push_back(option("data", folder_of(flags, "s0/" + flags.value("node-ip") + ':' + flags.value("port"))));
  return be("duet-agent", out);
}

int workload_main(const std::vector<std::string>& words) {
  const char* port = std::getenv("PORT");
  std::vector<std::string> out = words;
  if (words.empty() && (port == nullptr || *port == '\0')) out.emplace_back("-port=8000");
  return be("duet-workload", out);
}

int master_main(const std::vector<std::string>& words) {
  FlagSet flags(
      FlagSet::Style::kGo,
      {{.name = "port", .type = "int", .standard = "8080", .help = "where HTTP is answered"},
       kHost,
       {.name = "scheduler",
        .type = "string",
        .standard = "bin_pack",
        .help = "bin_pack, round_robin, spread"},
       {.name = "store", .type = "string", .standard = "sqlite", .help = "sqlite or memory"},
       {.name = "etcd-endpoints", .type = "string", .help = "refused: this build keeps its truth in SQLite"},
       kProfile,
       kData,
       kInsecure});
  if (const auto code =
          read_flags(flags, "master", "Schedules tasks on workers: /api/v1/tasks, nodes, events.", words))
    return *code;
  if (!flags.value("etcd-endpoints").empty()) {
    sim::say(
        "master: -etcd-endpoints: this build has no store in etcd; leave it out, and truth is kept in "
        "SQLite\n");
    return sim::kExitUsage;
  }
  std::vector<std::string> out = controller_words(flags, "s2/master-");
  out.push_back(option("scheduler", flags.value("scheduler")));
  if (!flags.on("insecure")) out.emplace_back("--open-api");
  return be("duet-controller", out);
}

int worker_main(const std::vector<std::string>& words) {
  FlagSet flags(
      FlagSet::Style::kGo,
      {{.name = "master",
        .type = "string",
        .standard = "http://127.0.0.1:8080",
        .help = "the master; it may start later"},
       {.name = "name",
        .type = "string",
        .help = "of its node (default HOST-N, with the first N that is free)"},
       {.name = "node-ip",
        .type = "string",
        .standard = "127.0.0.1",
        .help = "where its tasks can be reached"},
       {.name = "port-base", .type = "int", .standard = "8000", .help = "the first port that tasks get"},
       {.name = "token-file", .type = "string", .help = "the agents' token, if the master wants one"},
       kProfile,
       kData});
  if (const auto code = read_flags(flags, "worker", "Runs tasks on this node, as the master says.", words))
    return *code;
  std::vector<std::string> out = {
      option("controller", flags.value("master")), option("address", flags.value("node-ip")),
      option("port-base", flags.value("port-base")), option("profile", flags.value("profile"))};
  if (flags.given("token-file")) out.push_back(option("token-file", flags.value("token-file")));
  if (flags.given("name")) out.push_back(option("name", flags.value("name")));
  if (!flags.given("name")) out.emplace_back("--name-free");
  out.push_back(option("data-in", folder_of(flags, "s2/workers")));
  return be("duet-agent", out);
}

/// It has Duet's own options, and its variables say the rest.
int gateway_main(const std::vector<std::string>& words) {
  std::vector<std::string> out = {"gateway"};
  out.insert(out.end(), words.begin(), words.end());
  const std::string path = own_path();
  const std::string why = become(path, out);
  sim::say(path + ": " + why + '\n');
  return sim::kExitUsage;
}

constexpr std::array kNames = {
    ProgramName{"controller", "keeps replicas of a workload running", controller_main},
    ProgramName{"agent", "runs workloads on a node", agent_main},
    ProgramName{"workload", "a web service to deploy", workload_main},
    ProgramName{"master", "schedules tasks on workers", master_main},
    ProgramName{"worker", "runs tasks on a node", worker_main},
    ProgramName{"gateway", "executes operations on workers of this machine", gateway_main},
    ProgramName{"cube", "a manager, its workers and their command line", cube_main},
};

}  // namespace

std::span<const ProgramName> program_names() { return kNames; }

std::optional<int> run_by_name(const std::string& argv0, const std::vector<std::string>& words) {
  const std::string name = argv0.substr(argv0.rfind('/') + 1);
  for (const ProgramName& program : kNames)
    if (program.name == name) return program.main(words);
  return std::nullopt;
}

int run(const InstallNamesCommand& command) {
  std::error_code error;
  fs::create_directories(command.folder, error);
  if (error) {
    sim::say(command.folder + ": cannot be made: " + error.message() + '\n');
    return sim::kExitUsage;
  }
  const fs::path self = own_path();
  Problems problems;
  for (const ProgramName& program : kNames) {
    const fs::path link = fs::path(command.folder) / program.name;
    const bool ours = fs::is_symlink(link, error) && fs::read_symlink(link, error).filename() == "duet";
    if (fs::exists(fs::symlink_status(link, error)) && !ours)
      problems.push_back({link.string(), "is there already, and is no link of this command's",
                          "another folder, or remove it"});
  }
  if (!problems.empty()) {
    sim::say(sim::to_text(problems));
    return sim::kExitUsage;
  }
  std::string text;
  for (const ProgramName& program : kNames) {
    const fs::path link = fs::path(command.folder) / program.name;
    // Under another name first: whoever starts it meanwhile finds the old one or the new one.
    const fs::path fresh = link.string() + ".new";
    fs::remove(fresh, error);
    fs::create_symlink(self, fresh, error);
    if (!error) fs::rename(fresh, link, error);
    if (error) {
      sim::say(link.string() + ": cannot be made: " + error.message() + '\n');
      return sim::kExitUsage;
    }
    text += link.string() + "  " + std::string(program.summary) + '\n';
  }
  return sim::print(text) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace duet::front
