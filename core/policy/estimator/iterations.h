// How long a number of iterations takes at a rate.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>

#include "core/model.h"
#include "core/time.h"

namespace duet {

/// value * numerator / denominator, all above 0, in whole nanoseconds: at least one, at most what fits.
constexpr Duration scaled(std::int64_t value, std::int64_t numerator, std::int64_t denominator) {
  __extension__ using Wide = __int128;
  const Wide ns = Wide{value} * numerator / denominator;
  return Duration(
      static_cast<std::int64_t>(std::clamp<Wide>(ns, 1, std::numeric_limits<std::int64_t>::max())));
}

inline constexpr std::int64_t kDefaultRate = 100'000'000;  ///< Iterations per second.
inline constexpr std::int64_t kMaxRate = 1'000'000'000'000'000;

/// iterations / rate if the task says how many, else what was declared, else nothing.
inline std::optional<Duration> predict_by_rate(const TaskSpec& spec, std::int64_t rate) {
  if (spec.iterations > 0) return scaled(spec.iterations, 1'000'000'000, rate);
  if (spec.estimate == Duration{0}) return std::nullopt;
  return spec.estimate;
}

}  // namespace duet
