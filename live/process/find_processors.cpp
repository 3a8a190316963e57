// The one file that sees hwloc.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include <hwloc.h>
#include <sched.h>

#include "live/process/topology.h"

namespace duet::live {
namespace {

struct FreeTopology {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
using HwlocTopology = std::unique_ptr<hwloc_topology, FreeTopology>;

/// Processors that this thread may run on, which is what its children inherit. More than cpu_set_t holds may
/// exist, so the set is asked for in growing sizes.
std::vector<std::uint32_t> own_affinity() {
  for (std::size_t count = CPU_SETSIZE; count <= std::size_t{1} << 20; count *= 2) {
    const std::size_t bytes = CPU_ALLOC_SIZE(count);
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(count),
                                                               [](cpu_set_t* s) { CPU_FREE(s); });
    if (sched_getaffinity(0, bytes, set.get()) != 0) {
      if (errno == EINVAL) continue;
      break;
    }
    std::vector<std::uint32_t> cpus;
    for (std::size_t cpu = 0; cpu < count; ++cpu)
      if (CPU_ISSET_S(cpu, bytes, set.get())) cpus.push_back(static_cast<std::uint32_t>(cpu));
    return cpus;
  }
  return {};
}

/// A limit on memory that the process is under, where its control group says one; else `otherwise`.
std::int64_t limited_memory(std::int64_t otherwise) {
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    std::int64_t limit = 0;
    if (file >> limit && limit > 0) otherwise = std::min(otherwise, limit);
  }
  return otherwise;
}

}  // namespace

Result<Processors> find_processors(const std::vector<std::uint32_t>& allowed) {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return Problem{"processors", "cannot be asked for", ""};
  const HwlocTopology topology(raw);
  // Caches, devices and distances are nothing to us, and take memory.
  hwloc_topology_set_all_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
  hwloc_topology_set_type_filter(raw, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
  if (hwloc_topology_load(raw) != 0)
    return Problem{"processors", std::string("cannot be read: ") + std::strerror(errno), ""};
  const auto own = own_affinity();
  const auto usable = [&](std::uint32_t cpu) {
    return std::ranges::binary_search(own, cpu) &&
           (allowed.empty() || std::ranges::find(allowed, cpu) != allowed.end());
  };
  Processors found;
  const hwloc_obj_type_t level =
      hwloc_get_nbobjs_by_type(raw, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
  const auto count = static_cast<unsigned>(std::max(0, hwloc_get_nbobjs_by_type(raw, level)));
  for (unsigned i = 0; i < count; ++i) {
    const hwloc_obj_t object = hwloc_get_obj_by_type(raw, level, i);
    std::vector<std::uint32_t> core;
    for (int cpu = hwloc_bitmap_first(object->cpuset); cpu >= 0; cpu = hwloc_bitmap_next(object->cpuset, cpu))
      if (usable(static_cast<std::uint32_t>(cpu))) core.push_back(static_cast<std::uint32_t>(cpu));
    if (!core.empty()) found.cores.push_back(std::move(core));
  }
  if (found.cores.empty())
    return Problem{"processors", "none of those given may be used by this process",
                   "some of " + processor_list(own)};
  std::ranges::sort(found.cores);
  found.memory_bytes = limited_memory(static_cast<std::int64_t>(hwloc_get_root_obj(raw)->total_memory));
  return found;
}

}  // namespace duet::live
