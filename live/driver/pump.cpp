#include "live/driver/pump.h"

namespace duet::live {
namespace {

/// A timer that is later than this tells of a loop that was held up: stopped, swapped out, or starved.
constexpr auto kLate = std::chrono::milliseconds(100);

}  // namespace

void Pump::schedule() {
  if (std::exchange(scheduled_, true)) return;
  asio::post(io_, [this, alive = alive_] {
    if (!*alive) return;
    scheduled_ = false;
    play();
  });
}

void Pump::play() {
  // Whatever woke us: if the timer should have rung long ago, nothing was heard meanwhile, either.
  const auto at = LiveClock::Steady::now();
  Duration late{0};
  if (armed_ <= at && machine_.late) machine_.late(at - armed_);
  if (armed_ < at - kLate) {
    late = std::chrono::duration_cast<Duration>(at - armed_);
    ++held_up_.times;
    held_up_.together += late;
    armed_ = at;
  }
  const bool more = machine_.play(clock_.read(late));
  if (more) schedule();
  arm();
}

/// One timer, for whatever is due first.
void Pump::arm() {
  const Instant due = machine_.due();
  if (due == kNever) {
    armed_ = LiveClock::Steady::time_point::max();
    timer_.cancel();
    return;
  }
  armed_ = std::min(clock_.when(due), LiveClock::Steady::now() + std::chrono::hours(24));
  timer_.expires_at(armed_);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error) schedule();
  });
}

}  // namespace duet::live
