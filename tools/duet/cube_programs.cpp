// cube manager, cube worker: Duet's own programs, told what cube's flags mean.
#include <array>
#include <random>

#include "tools/duet/cube_commands.h"
#include "tools/duet/live_client.h"
#include "tools/duet/programs.h"

namespace duet::front {
namespace {

using ProgramWords = std::vector<std::string>;

/// "memory" and "persistent" are cube's names of stores. Empty: it is neither.
std::string store_of(const std::string& kind) {
  return kind == "memory" ? "memory" : kind == "persistent" ? "sqlite" : "";
}

/// Becomes the program. Addresses beyond this machine only if it is said loudly.
int become_program(const char* program, const ProgramWords& words) {
  const std::string path = helper_path(program);
  const std::string why = path.empty() ? "it was not built" : become(path, words);
  return cube_fail(std::string(program) + ": " + why);
}

std::string fresh_name() {
  std::random_device device;
  std::string name = "worker-";
  for (int i = 0; i < 8; ++i) name += "0123456789abcdef"[device() % 16];
  return name;
}

}  // namespace

int cube_manager(const FlagSet& flags) {
  constexpr std::array<std::array<const char*, 2>, 3> kSchedulers = {
      {{"epvm", "e_pvm_cube"}, {"roundrobin", "round_robin"}, {"greedy", "lowest_cpu"}}};
  std::string scheduler;
  for (const auto& [theirs, ours] : kSchedulers)
    if (flags.value("scheduler") == theirs) scheduler = ours;
  if (scheduler.empty())
    return cube_misuse("manager",
                       "--scheduler: '" + flags.value("scheduler") + "': epvm, roundrobin or greedy");
  const std::string store = store_of(flags.value("dbType"));
  if (store.empty())
    return cube_misuse("manager", "--dbType: '" + flags.value("dbType") + "': memory or persistent");
  const std::string& port = flags.value("port");
  ProgramWords words = {
      "--cube=" + flags.value("host") + ':' + port,
      "--cube-workers=" + flags.value("workers"),
      "--cube-sync-ms=" + flags.value("sync-ms"),
      "--cube-stats-s=" + flags.value("stats-s"),
      "--cube-health-s=" + flags.value("health-s"),
      "--listen=127.0.0.1:0",
      "--agents=127.0.0.1:0",
      "--scheduler=" + scheduler,
      "--store=" + store,
      "--data=" + (flags.given("data") ? flags.value("data") : data_folder({}) + "/cube/manager-" + port)};
  if (flags.on("insecure")) words.emplace_back("--insecure");
  return become_program("duet-controller", words);
}

int cube_worker(const FlagSet& flags) {
  const std::string store = store_of(flags.value("dbtype"));
  if (store.empty())
    return cube_misuse("worker", "--dbtype: '" + flags.value("dbtype") + "': memory or persistent");
  const std::string& port = flags.value("port");
  const std::string name = flags.given("name") ? flags.value("name") : fresh_name();
  ProgramWords words = {
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

}  // namespace duet::front
