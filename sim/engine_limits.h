// What all engines agree on, so that they report the same nanoseconds.
#pragma once

namespace duet::sim {

/// No execution is shorter, in seconds: it must end in a later nanosecond than the one that started it.
inline constexpr double shortest_execution_s = 1.5e-9;

}  // namespace duet::sim
