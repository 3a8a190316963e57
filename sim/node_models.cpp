#include "sim/node_models.h"

namespace duet::sim {
namespace {

/// A laptop: four cores, two threads each. Core 0 is the operating system's and Duet's own.
NodeType i5_1135g7() {
  NodeType type;
  type.name = "i5-1135G7";
  type.reserved_cores = 1;
  type.zones = {"A", "B", "C"};
  type.offer.cores = 3;
  type.offer.threads_per_core = 2;
  type.offer.capacity.cpu_m = kThread * type.offer.threads();
  type.offer.capacity.memory_bytes = 8192 * kMiB;
  type.speed = {4.2e9, 4.0e9, 3.8e9, 3.8e9};
  type.smt_yield = 1.25;
  type.power = PowerModel{.core_w = {0.25, 5.5, 6.5}, .uncore_w = 2.0, .off_w = 0.0};
  return type;
}

}  // namespace

const NodeType* find_node_model(std::string_view name) {
  static const NodeType i5 = i5_1135g7();
  return name == i5.name ? &i5 : nullptr;
}

}  // namespace duet::sim
