// How full a target is: the measures that schedulers compare.
#pragma once

#include "core/index.h"

namespace duet {

/// `used` of `capacity`, in IEEE double. A dimension without capacity counts as empty: nothing that needs it
/// fits there anyway.
inline double fraction(std::int64_t used, std::int64_t capacity) {
  return capacity == 0 ? 0.0 : static_cast<double>(used) / static_cast<double>(capacity);
}

/// CPU that is allocated on the target, and that `request` would add, in millicores.
inline std::int64_t cpu_used(const Target& target) { return target.capacity.cpu_m - target.room.free.cpu_m; }
inline std::int64_t cpu_added(const Target& target, const Request& request) {
  return request.exclusive ? target.slot_cpu_m : request.need.cpu_m;
}
inline std::int64_t memory_used(const Target& target) {
  return target.capacity.memory_bytes - target.room.free.memory_bytes;
}

/// What bin_pack maximises and spread minimises: 0.7 of the CPU and 0.3 of the memory that would be allocated
/// with `request` placed, as fractions of capacity, in this order of operations.
inline double utilisation_with(const Target& target, const Request& request) {
  const double cpu = fraction(cpu_used(target) + cpu_added(target, request), target.capacity.cpu_m);
  const double memory =
      fraction(memory_used(target) + request.need.memory_bytes, target.capacity.memory_bytes);
  return 0.7 * cpu + 0.3 * memory;
}

/// What least_load and two_choices minimise: the CPU allocated now, as a fraction of capacity.
inline double cpu_load(const Target& target) { return fraction(cpu_used(target), target.capacity.cpu_m); }

}  // namespace duet
