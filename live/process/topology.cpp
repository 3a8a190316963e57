#include "live/process/topology.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>

namespace duet::live {
namespace {

constexpr std::string_view kI5 = "i5-1135G7";
constexpr std::array<const char*, 3> kZones = {"A", "B", "C"};
/// Processors of the zones; 0 and 4 are the core that is kept for the system.
constexpr std::array<std::array<std::uint32_t, 2>, 3> kZoneProcessors = {{{1, 5}, {2, 6}, {3, 7}}};

using Cores = std::vector<std::vector<std::uint32_t>>;

std::int64_t offered_memory(std::int64_t total) {
  const std::int64_t kept = std::max(total / 16, 512 * kMiB);
  return std::max(total - kept, total / 2);
}

/// Threads per core that make the most of cores which have different numbers of them.
std::uint32_t best_width(const Cores& cores) {
  std::size_t best = 1;
  std::size_t most = 0;
  for (std::size_t width = 1; width <= ThreadSet::kMaxThreads; ++width) {
    const auto fits = [&](const auto& core) { return core.size() >= width; };
    const std::size_t threads = width * static_cast<std::size_t>(std::ranges::count_if(cores, fits));
    if (threads < most || threads == 0) continue;
    most = threads;
    best = width;
  }
  return static_cast<std::uint32_t>(best);
}

/// Lays `cores` out as threads: thread i on core i modulo their number.
void lay_out(Topology& topology, const Cores& cores, std::uint32_t width) {
  topology.offer.cores = static_cast<std::uint32_t>(cores.size());
  topology.offer.threads_per_core = width;
  topology.offer.capacity.cpu_m = std::int64_t{topology.offer.threads()} * kThread;
  for (std::uint32_t k = 0; k < width; ++k)
    for (const auto& core : cores) topology.cpus.push_back(core[k % core.size()]);
}

/// What remains of the machine: reserved for the system.
void reserve_rest(Topology& topology, const Processors& machine) {
  const std::set<std::uint32_t> used(topology.cpus.begin(), topology.cpus.end());
  for (const auto& core : machine.cores)
    for (const std::uint32_t cpu : core)
      if (!used.contains(cpu)) topology.reserved.push_back(cpu);
  std::ranges::sort(topology.reserved);
}

/// The cores beside the first, which is kept for the system; it alone if there is no other.
Cores beside_the_first(const Processors& machine) {
  if (machine.cores.size() == 1) return machine.cores;
  return {machine.cores.begin() + 1, machine.cores.end()};
}

bool is_i5(const Processors& machine) {
  return std::ranges::all_of(kZoneProcessors, [&](const auto& zone) {
    return std::ranges::find(machine.cores, std::vector<std::uint32_t>(zone.begin(), zone.end())) !=
           machine.cores.end();
  });
}

/// "thread 0 is processor 1, ..." would be long: cores, with the processors of each.
std::string layout_words(const Topology& topology) {
  std::string out;
  for (std::uint32_t core = 0; core < topology.offer.cores; ++core) {
    out += out.empty() ? "" : ", ";
    if (core < topology.zones.size()) out += topology.zones[core] + " ";
    out += "(";
    for (std::uint32_t k = 0; k < topology.offer.threads_per_core; ++k)
      out += (k == 0 ? "" : ",") + std::to_string(topology.cpus[core + k * topology.offer.cores]);
    out += ")";
  }
  return out;
}

void describe(Topology& topology) {
  const std::set<std::uint32_t> real(topology.cpus.begin(), topology.cpus.end());
  const std::uint32_t threads = topology.offer.threads();
  std::string& words = topology.words;
  words = topology.mode + ": " + std::to_string(topology.offer.cores) +
          (topology.offer.cores == 1 ? " core of " : " cores of ") +
          std::to_string(topology.offer.threads_per_core) +
          (topology.offer.threads_per_core == 1 ? " thread, processors " : " threads, processors ") +
          layout_words(topology);
  if (real.size() < threads)
    words += "; " + std::to_string(threads) + " threads share " + std::to_string(real.size()) +
             (real.size() == 1 ? " processor" : " processors");
  words += topology.reserved.empty() ? "; nothing is kept for the system"
                                     : "; kept for the system: " + processor_list(topology.reserved);
}

void choose_i5(Topology& topology, const Processors& machine) {
  Cores zones;
  topology.zones.assign(kZones.begin(), kZones.end());
  if (is_i5(machine)) {
    topology.mode = "exact";
    for (const auto& zone : kZoneProcessors) zones.emplace_back(zone.begin(), zone.end());
  } else {
    topology.mode = "emulated";
    const Cores there = beside_the_first(machine);
    for (std::size_t z = 0; z < kZones.size(); ++z) zones.push_back(there[z % there.size()]);
  }
  lay_out(topology, zones, 2);
}

void choose_cores(Topology& topology, Cores cores) {
  topology.mode = "derived";
  const std::uint32_t width = best_width(cores);
  std::erase_if(cores, [&](const auto& core) { return core.size() < width; });
  lay_out(topology, cores, width);
}

}  // namespace

std::vector<std::uint32_t> Topology::processors_of(const ThreadSet& threads) const {
  std::set<std::uint32_t> found;
  if (threads.empty()) {
    found.insert(cpus.begin(), cpus.end());
  } else {
    threads.for_each([&](std::uint32_t thread) {
      if (thread < cpus.size()) found.insert(cpus[thread]);
    });
  }
  return {found.begin(), found.end()};
}

Result<Topology> plan_topology(std::string_view choice, const Processors& machine,
                               std::int64_t memory_bytes) {
  Problems problems;
  if (choice != "auto" && choice != "all" && choice != kI5)
    problems.push_back({"topology", "\"" + std::string(choice) + "\" is not known", "auto, all, i5-1135G7"});
  if (memory_bytes < 0 || memory_bytes > machine.memory_bytes)
    problems.push_back({"memory", std::to_string(memory_bytes) + " bytes are not there",
                        "0 to " + std::to_string(machine.memory_bytes)});
  if (machine.cores.empty()) problems.push_back({"processors", "none may be used", ""});
  if (!problems.empty()) return problems;
  Topology topology;
  if (choice == kI5) {
    choose_i5(topology, machine);
  } else {
    choose_cores(topology, choice == "all" ? machine.cores : beside_the_first(machine));
  }
  topology.offer.capacity.memory_bytes =
      memory_bytes > 0 ? memory_bytes : offered_memory(machine.memory_bytes);
  reserve_rest(topology, machine);
  describe(topology);
  return topology;
}

Topology emulate_offer(const NodeOffer& offer, const Processors& machine, std::uint32_t first) {
  Topology topology;
  topology.mode = "emulated";
  topology.offer = offer;
  std::vector<std::uint32_t> real;
  for (const auto& core : beside_the_first(machine)) real.insert(real.end(), core.begin(), core.end());
  for (std::uint32_t thread = 0; thread < offer.threads(); ++thread)
    topology.cpus.push_back(real[(first + thread) % real.size()]);
  reserve_rest(topology, machine);
  describe(topology);
  return topology;
}

Result<Topology> detect_topology(std::string_view choice, const std::vector<std::uint32_t>& allowed,
                                 std::int64_t memory_bytes) {
  const auto machine = find_processors(allowed);
  if (!machine) return machine.problems();
  return plan_topology(choice, *machine, memory_bytes);
}

std::string processor_list(const std::vector<std::uint32_t>& ascending) {
  std::string out;
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t last = i;
    while (last + 1 < ascending.size() && ascending[last + 1] == ascending[last] + 1) ++last;
    if (!out.empty()) out += ',';
    out += std::to_string(ascending[i]);
    if (last > i) out += "-" + std::to_string(ascending[last]);
    i = last + 1;
  }
  return out;
}

}  // namespace duet::live
