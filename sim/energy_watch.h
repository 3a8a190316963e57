// Meters the nodes of a run whose types say what they draw.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "core/energy.h"
#include "sim/cluster_world.h"

namespace duet::sim {

/// Passes on to `next`, which may be null, what it sees.
class EnergyWatch final : public Observer {
 public:
  EnergyWatch(const Scenario& scenario, Observer* next);

  /// False if no node has a power model: then nothing need be watched.
  static bool wanted(const Scenario& scenario);

  /// From instant 0 to `end`, by node; 0 of those without a power model.
  std::vector<double> joules(Instant end) const;
  /// What all of them together would have drawn with nothing to run.
  double idle_joules(Instant end) const;

  void on_step(Instant now, const Controller& controller, const controller::Event& event,
               const controller::Commands& commands, std::size_t first) override;
  void on_agent_step(Instant now, std::uint32_t node, const Agent& agent, const agent::Event& event,
                     const agent::Commands& commands, std::size_t first) override;
  void on_run(Instant now, std::uint32_t node, AttemptId attempt, const ThreadSet& threads,
              bool begins) override;
  void on_fault(Instant now, const Fault& fault) override;
  void on_controller(Instant now, bool begins) override;
  void on_commit(Instant now) override;
  void on_instant(Instant now, const Controller& controller) override;

 private:
  std::vector<std::optional<EnergyMeter>> meters_;  ///< By node.
  std::vector<std::optional<EnergyMeter>> idle_;    ///< The same nodes, never told of any work.
  std::set<JobId> pools_;                           ///< Services whose replicas are workers.
  Observer* next_;
};

}  // namespace duet::sim
