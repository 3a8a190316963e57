#include "live/cube/stats.h"

#include <array>
#include <fstream>
#include <sstream>

#include <sys/statvfs.h>

namespace duet::live::cube {
namespace {

Json memory_stats() {
  Json json;
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::string rest;
  while (file >> name) {
    std::uint64_t kilobytes = 0;
    file >> kilobytes;
    std::getline(file, rest);
    if (name == "MemTotal:") json["mem_total"] = kilobytes;
    if (name == "MemFree:") json["mem_free"] = kilobytes;
    if (name == "MemAvailable:") json["mem_available"] = kilobytes;
    if (name == "Buffers:") json["buffers"] = kilobytes;
    if (name == "Cached:") json["cached"] = kilobytes;
    if (name == "SwapTotal:") json["swap_total"] = kilobytes;
    if (name == "SwapFree:") json["swap_free"] = kilobytes;
  }
  return json;
}

Json disk_stats(const std::string& folder) {
  Json json;
  struct statvfs about {};
  const bool read = statvfs(folder.c_str(), &about) == 0;
  const std::uint64_t all = read ? about.f_blocks * about.f_frsize : 0;
  const std::uint64_t available = read ? about.f_bavail * about.f_frsize : 0;
  json["all"] = all;
  json["used"] = all - available;
  json["free"] = available;
  json["freeInodes"] = read ? about.f_favail : 0;
  return json;
}

Json processor_stats() {
  constexpr std::array<const char*, 10> kNames = {"user", "nice",    "system", "idle",  "iowait",
                                                  "irq",  "softirq", "steal",  "guest", "guest_nice"};
  Json json;
  std::ifstream file("/proc/stat");
  std::string id;
  file >> id;
  json["id"] = id;
  for (const char* name : kNames) {
    std::uint64_t ticks = 0;
    file >> ticks;
    json[name] = ticks;
  }
  return json;
}

Json load_stats() {
  Json json;
  std::ifstream file("/proc/loadavg");
  double one = 0;
  double five = 0;
  double fifteen = 0;
  std::string processes;
  std::uint64_t last = 0;
  file >> one >> five >> fifteen >> processes >> last;
  json["last1min"] = one;
  json["last5min"] = five;
  json["last15min"] = fifteen;
  std::istringstream counts(processes);
  std::uint64_t running = 0;
  std::uint64_t total = 0;
  char slash = 0;
  counts >> running >> slash >> total;
  json["process_running"] = running;
  json["process_total"] = total;
  json["last_pid"] = last;
  return json;
}

}  // namespace

Json read_stats(const std::string& folder, const Controller& machine) {
  Json json;
  json["MemStats"] = memory_stats();
  json["DiskStats"] = disk_stats(folder);
  json["CpuStats"] = processor_stats();
  json["LoadStats"] = load_stats();
  std::size_t tasks = 0;
  Resources offered;
  const Cluster& cluster = machine.cluster();
  for (std::uint32_t i = 0; i < cluster.size(); ++i) {
    const ClusterNode& node = cluster.node(NodeId{i});
    tasks += node.tasks.size();
    if (node.known && node.state == NodeState::kReady) offered += node.offer.capacity;
  }
  json["TaskCount"] = tasks;
  json["Offer"] = {{"cpu_m", offered.cpu_m}, {"memory_bytes", offered.memory_bytes}};
  return json;
}

}  // namespace duet::live::cube
