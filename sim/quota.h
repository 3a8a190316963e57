// What a task that asked for a share of a thread may use of it.
#pragma once

#include <cstdint>

#include "core/model.h"

namespace duet::sim {

/// In thousandths of a thread. A task that asks for nothing, for whole threads or for a core is held back by
/// nothing.
inline std::uint32_t quota_of(std::int64_t cpu_m) {
  return static_cast<std::uint32_t>(cpu_m > 0 && cpu_m < kThread ? cpu_m : kThread);
}
inline std::uint32_t quota_of(const TaskSpec& task) {
  return task.exclusive ? static_cast<std::uint32_t>(kThread) : quota_of(task.need.cpu_m);
}

/// The operations per second that a quota allows on a thread of this top speed: a frequency, not a part of
/// the current one, so what a quota gives does not change with the turbo. The one place where it is rounded.
inline double quota_speed(std::uint32_t quota_m, double top_speed) {
  return quota_m == kThread ? top_speed : top_speed * quota_m / static_cast<double>(kThread);
}

}  // namespace duet::sim
