#include "live/api/room.h"

namespace duet::live {
namespace {

std::string amount_words(const Resources& amount) {
  return std::to_string(amount.cpu_m) + " m of CPU and " + std::to_string(amount.memory_bytes / kMiB) +
         " MiB";
}

}  // namespace

std::string too_large(const Controller& machine, const JobSpec& spec) {
  const Cluster& cluster = machine.cluster();
  Resources largest;
  std::size_t known = 0;
  for (std::uint32_t i = 0; i < cluster.size(); ++i) {
    const ClusterNode& node = cluster.node(NodeId{i});
    if (!node.known) continue;
    ++known;
    largest.raise_to(node.offer.capacity);
  }
  if (known == 0) return "there is no node yet";
  for (const TaskGroup& group : spec.groups) {
    if (!group.spec.pool.empty()) continue;
    bool fits = false;
    for (std::uint32_t i = 0; i < cluster.size() && !fits; ++i) {
      const ClusterNode& node = cluster.node(NodeId{i});
      fits = node.known && node.offer.capacity.covers(group.spec.need);
    }
    if (!fits)
      return "no node is large enough: a task needs " + amount_words(group.spec.need) +
             ", and the largest nodes have " + amount_words(largest);
  }
  return {};
}

}  // namespace duet::live
