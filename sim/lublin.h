// Artificial logs that look like those of parallel computers: the batch jobs of the Lublin-Feitelson model.
#pragma once

#include <array>
#include <cstdint>

#include "core/rng.h"
#include "core/time.h"

namespace duet::sim {

/// U. Lublin, D. G. Feitelson, "The workload on parallel supercomputers: modeling the characteristics of
/// rigid jobs", Journal of Parallel and Distributed Computing 63(11), 2003: the batch jobs, with the
/// published parameters.
///
/// * Size: 29.27 % of the jobs are serial. Of a parallel job the logarithm to base 2 is uniform in two
///   stages: with probability 0.875 in [1.2, h - 2], else in [h - 2, h], h = log2 of the machine (published
///   for 128 processors: 1.2, 5, 7). For 66.86 % of the jobs it is rounded to a whole number, and the size so
///   to a power of two.
/// * Run time: its natural logarithm is a mixture of two gammas, Gamma(6.57, 0.823) with probability
///   p = 0.6986 - 0.003 size (bigger jobs run longer) and Gamma(639.1, 0.0156). Draws above 12 (45 h) are
///   repeated.
/// * Arrivals: in rush hours the logarithm of a gap is Gamma(6.0415 * 1.0519, 0.8531), repeated above 13
///   (5 days). The day has 48 half hours, each as busy as a Gamma(6.1271, 5.2740) says, from 5:00 to 5:00 of
///   the next day. A gap passes as much business as it drew seconds, so it lasts longer by night. Time 0 is
///   midnight.
///
/// Deviations: sizes never exceed the machine, and on machines of less than 16 processors the first stage
/// ends at h / 2; times are not cut to whole seconds; the random numbers are Duet's own. Machines of 128
/// processors are loaded to about 0.37; the load factor changes that.
class LublinModel {
 public:
  static constexpr int kHalfHours = 48;

  struct Job {
    Instant at;
    Duration run{0};
    std::uint32_t cores = 1;
  };

  /// `max_cores` >= 1 is the size of the machine. `load_factor` > 0 divides the gaps. Draws from the streams
  /// "gaps", "sizes" and "runs" of `rng`, so that each can be changed without moving the others.
  LublinModel(std::uint32_t max_cores, double load_factor, const Rng& rng);

  /// The next job; instants never decrease.
  Job next();

  /// How busy half hour `i` (from midnight) of the day is, 1 on average.
  double weight(int i) const { return weights_[static_cast<std::size_t>(i)]; }

 private:
  std::uint32_t draw_cores();
  Duration draw_run(std::uint32_t cores);
  void advance();

  std::array<double, kHalfHours> weights_{};
  std::uint32_t max_cores_;
  double load_factor_;
  double low_ = 0.0;  ///< Bounds of the two stages, as logarithms to base 2.
  double middle_ = 0.0;
  double high_ = 0.0;
  Rng gaps_;
  Rng sizes_;
  Rng runs_;
  std::int64_t now_ns_ = 0;
};

}  // namespace duet::sim
