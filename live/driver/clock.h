// The time of a live machine: nanoseconds since the Unix epoch as this process experienced them.
#pragma once

#include <algorithm>
#include <chrono>

#include "core/time.h"

namespace duet::live {

/// Starts at the wall clock and goes on steadily, whatever happens to the wall clock later. Time in which
/// this process was held up is taken out, so that nobody is suspected of silence while we were the deaf one,
/// and made good afterwards by running a sixteenth faster.
class LiveClock {
 public:
  using Steady = std::chrono::steady_clock;

  /// Later than every reading before, and `held_up` less than the time that has passed.
  Instant read(Duration held_up = {}) {
    const Steady::time_point at = Steady::now();
    const Duration passed = std::chrono::duration_cast<Duration>(at - read_);
    const Duration taken_out = std::clamp(held_up, Duration{0}, passed);
    owed_ += taken_out;
    const Duration made_good = std::min(owed_, (passed - taken_out) / 16);
    owed_ -= made_good;
    now_ += std::max(passed - taken_out + made_good, Duration{1});
    read_ = at;
    return now_;
  }
  /// What read() would say now, without reading: for what people are shown.
  Instant shown() const { return now_ + std::chrono::duration_cast<Duration>(Steady::now() - read_); }
  /// Counts from `zero` instead of the Unix epoch. To be said before the first reading.
  void count_from(Instant zero) { now_ = Instant{now_ - zero}; }
  /// Goes on from `floor` if that lies ahead: what an earlier process wrote must not lie in the future.
  void not_before(Instant floor) { now_ = std::max(now_, floor); }

  /// When `due` will have come, or a little later.
  Steady::time_point when(Instant due) const { return read_ + std::max(due - now_, Duration{0}); }

 private:
  Steady::time_point read_ = Steady::now();
  Instant now_{std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())};
  Duration owed_{0};
};

}  // namespace duet::live
