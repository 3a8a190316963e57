// Drives one machine: gathers what comes in one turn of the loop into a round, and wakes it when it is due.
#pragma once

#include <functional>
#include <memory>

#include "live/asio.h"
#include "live/driver/clock.h"

namespace duet::live {

class Pump {
 public:
  struct Machine {
    /// Plays all that has come, at this instant. True if something is left for the next round.
    std::function<bool(Instant)> play;
    /// When it next wants to be played; kNever if only an event can bring news.
    std::function<Instant()> due;
    /// A round that the timer called for begins so late; may be empty.
    std::function<void(LiveClock::Steady::duration)> late{};
  };

  /// Rounds happen on the thread that runs `io`; none before the first schedule().
  Pump(asio::io_context& io, Machine machine) : io_(io), timer_(io), machine_(std::move(machine)) {}
  ~Pump() { *alive_ = false; }
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  /// Something has come: a round soon. Cheap when one is on its way already.
  void schedule();
  LiveClock& clock() { return clock_; }
  const LiveClock& clock() const { return clock_; }
  /// How often, and for how long in all, the loop was held up by more than a tenth of a second.
  struct HeldUp {
    std::uint64_t times = 0;
    Duration together{0};
  };
  const HeldUp& held_up() const { return held_up_; }

 private:
  void play();
  void arm();

  asio::io_context& io_;
  asio::steady_timer timer_;
  Machine machine_;
  LiveClock clock_;
  LiveClock::Steady::time_point armed_ = LiveClock::Steady::time_point::max();
  HeldUp held_up_;
  bool scheduled_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
