// The progress bar of a long run: on standard error, after a second, at most ten times a second, and only on
// a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "sim/cluster_world.h"

namespace duet::sim {

/// Jobs the scenario will submit.
std::uint64_t count_jobs(const Scenario& scenario);

struct ProgressState {
  double elapsed_s = 0;  ///< Of real time.
  double simulated_s = 0;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  double until_s = 0;  ///< The run is not over before; 0 = not known.
};

/// The instant before which the run cannot be over, as far as the scenario says: its last submission, or the
/// horizon if that is earlier or there are services; 0 if it does not.
double known_end_s(const Scenario& scenario);

/// One line of at most `columns` characters, without a line break.
std::string progress_line(const ProgressState& state, unsigned columns);

class Progress final : public Observer {
 public:
  explicit Progress(const Scenario& scenario);
  /// Wipes the bar away.
  ~Progress() override;

  void on_step(Instant now, const Controller& controller, const controller::Event& event,
               const controller::Commands& commands, std::size_t first) override;
  void on_instant(Instant now, const Controller& controller) override;

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + std::chrono::seconds(1);
  double until_s_;
  std::uint64_t total_;
  std::uint64_t submitted_ = 0;
  std::uint32_t instants_ = 0;
  bool shown_ = false;
};

}  // namespace duet::sim
