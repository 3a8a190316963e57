// What a scenario owes its users once it is left in peace: when a crash must be seen, a node be back, all
// jobs have ended. Computed from the scenario alone, never from what the controller thinks.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/scenario.h"

namespace duet::sim {

struct Promise {
  Instant calm;        ///< From here on no fault, request, submission or disturbed message comes any more.
  Duration detect{0};  ///< A node that went silent is Down after this; 0 = never.
  Duration brake{0};   ///< In a mass loss it may take so much longer.
  Duration rejoin{0};  ///< A node that is on is Ready so long after its boot and after the network is clean.
  Instant clean;       ///< From then on all messages arrive once, in time, and find whom they are for.
  Duration late{0};    ///< The most that a disturbed message is late on top of the latency.
  /// All jobs have ended by then; kNever if nothing is owed: some job fits nowhere for ever, or faults never
  /// stop.
  Instant done_by = kNever;
  std::vector<bool> survives;  ///< By node: on and not draining for ever after `calm`.
};

/// `arrivals` are the scenario's jobs, listed.
Promise promise_of(const Scenario& scenario, const std::vector<Arrival>& arrivals);

/// The listed jobs of a scenario; a generated or imported workload is drawn.
std::vector<Arrival> list_arrivals(const Scenario& scenario);

/// How many tasks of `spec` an empty node of this offer holds, at most `limit`.
std::uint32_t copies_on_empty(const TaskSpec& spec, const NodeOffer& offer, std::uint32_t limit);

/// True if the job can run on the nodes that survive, when they are empty.
bool fits_survivors(const Scenario& scenario, const std::vector<bool>& survives, const JobSpec& job);

/// By node: on and not draining after all faults and requests.
std::vector<bool> survivors(const Scenario& scenario);

/// A parameter of the detector in seconds, or `fallback`.
Duration detector_parameter(const ControllerConfig& config, std::string_view name, Duration fallback);

}  // namespace duet::sim
