// What a task that asked for a share of a thread may use of it.
#pragma once

#include <cstdint>

#include "core/model.h"

namespace duet::sim {

/// In thousandths of a thread. A task that asks for nothing, for whole threads or for a core is held back by
/// nothing.
inline std::uint32_t quota_of(const TaskSpec& task) {
  const bool share = !task.exclusive && task.need.cpu_m > 0 && task.need.cpu_m < kThread;
  return static_cast<std::uint32_t>(share ? task.need.cpu_m : kThread);
}

/// The operations per second that a quota allows on a thread of this top speed: a frequency, not a part of
/// the current one, so what a quota gives does not change with the turbo. The one place where it is rounded.
inline double quota_speed(std::uint32_t quota_m, double top_speed) {
  return quota_m == kThread ? top_speed : top_speed * quota_m / static_cast<double>(kThread);
}

}  // namespace duet::sim
