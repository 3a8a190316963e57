// The utilisation that bin_pack maximises and spread minimises.
#pragma once

#include "core/index.h"

namespace duet {

/// 0.7 of the CPU and 0.3 of the memory that would be allocated with `request` placed, as fractions of
/// capacity, in IEEE double and in this order of operations. A dimension without capacity counts as empty:
/// nothing that needs it fits there anyway.
inline double utilisation_with(const Target& target, const Request& request) {
  const std::int64_t cpu_need = request.exclusive ? target.slot_cpu_m : request.need.cpu_m;
  const std::int64_t cpu_used = target.capacity.cpu_m - target.room.free.cpu_m;
  const std::int64_t memory_used = target.capacity.memory_bytes - target.room.free.memory_bytes;
  const auto fraction = [](std::int64_t used, std::int64_t capacity) {
    return capacity == 0 ? 0.0 : static_cast<double>(used) / static_cast<double>(capacity);
  };
  const double cpu = fraction(cpu_used + cpu_need, target.capacity.cpu_m);
  const double memory = fraction(memory_used + request.need.memory_bytes, target.capacity.memory_bytes);
  return 0.7 * cpu + 0.3 * memory;
}

}  // namespace duet
