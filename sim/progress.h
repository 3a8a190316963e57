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

/// Of many runs, each in a process of its own: a bar on a terminal, else a line every ten seconds.
class BatchProgress {
 public:
  /// `done` of the `total` runs were there before.
  BatchProgress(std::size_t done, std::size_t total);
  BatchProgress(const BatchProgress&) = delete;
  BatchProgress& operator=(const BatchProgress&) = delete;
  /// Wipes the bar away.
  ~BatchProgress();

  void one_done() { ++done_; }
  void show();

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_ = Clock::now();
  const bool terminal_;
  Clock::time_point next_;
  std::size_t before_;
  std::size_t done_;
  std::size_t total_;
  bool shown_ = false;
};

/// "[=====     ] 25 %  6 s left  50 of 200 runs (10 from before)"
std::string batch_line(double elapsed_s, std::size_t before, std::size_t done, std::size_t total);

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
