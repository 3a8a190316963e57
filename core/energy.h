// What a node draws, from how many threads are busy on each of its cores. Constant between two changes, so
// the energy is a sum of products.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model.h"

namespace duet {

/// In watts.
struct PowerModel {
  std::vector<double> core_w;  ///< Of a core with 0, 1, ... busy threads; the last holds for all above.
  double uncore_w = 0;         ///< Of all else in the node, while it is on.
  double off_w = 0;            ///< Of a node that is off.
  bool operator==(const PowerModel&) const = default;
};

/// The energy of one node. Whoever watches the node tells what changes, in the order of time.
class EnergyMeter {
 public:
  /// On and idle from `since` on. Cores that the node has beside those it offers stay idle.
  EnergyMeter(PowerModel model, const NodeOffer& offer, std::uint32_t reserved_cores, Instant since);

  /// A thread (numbered as in placements) got something more to run, or something less. It is busy while it
  /// has anything.
  void begin(Instant now, std::uint32_t thread);
  void end(Instant now, std::uint32_t thread);
  void turn(Instant now, bool on);

  double watts() const;
  double joules(Instant now) const;

 private:
  void move(std::uint32_t thread, int by);
  void advance(Instant now);

  PowerModel model_;
  std::vector<std::uint32_t> running_;       ///< By thread.
  std::vector<std::uint32_t> busy_threads_;  ///< By core.
  std::vector<std::uint32_t> cores_;         ///< How many there are, by the number of their busy threads.
  bool on_ = true;
  Instant since_;
  double joules_ = 0;  ///< Until since_.
};

}  // namespace duet
