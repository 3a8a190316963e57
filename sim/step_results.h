// Results of a run whose world is not simulated: out of the steps of its controller alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/controller.h"
#include "core/trace.h"
#include "sim/results.h"
#include "sim/run_meter.h"
#include "sim/scenario.h"

namespace duet::sim {

/// What the controller heard is what happened: an attempt began and ended when its agent's messages came. Of
/// what only a simulation knows (energy, failures that were noticed), nothing is told; of a service only
/// the replicas that it had at first or that the scenario's events give it. Nodes are those of the
/// scenario's inventory.
class StepResults final : public StepSink<Controller> {
 public:
  /// `scenario` must outlive this.
  explicit StepResults(const Scenario& scenario);

  /// Instants of the results count from here, and pass `speedup` times as fast; what came before is at 0.
  /// To be called before the first submission.
  void begin(Instant zero, double speedup);

  void record(MachineIndex machine, Instant now, const controller::Event& event,
              const controller::Commands& commands, std::size_t first) override;

  /// Jobs that have been accepted and have not ended.
  std::size_t live() const { return live_; }
  /// To be called once, at the end.
  Results take(Instant now);

 private:
  struct Active {
    std::uint32_t node = 0;
    std::uint32_t width = 1;
    std::int64_t cpu_m = 0;
  };
  Instant shown(Instant now) const;
  void submitted(const controller::Submit& submit);
  void replied(const controller::Reply& reply);
  void note(const controller::JobChanged& change);
  void note(const controller::TaskChanged& change);
  void note(const controller::NodeChanged& change);
  void note(const controller::PoolScaled& change);
  void sent(const msg::Launch& launch);
  void ended(TaskRow& row, const JobRow& job, AttemptId attempt, Outcome outcome);
  TaskRow* row_of(TaskId task);

  const Scenario& scenario_;
  std::optional<Instant> zero_;
  double speedup_ = 1;
  Results results_;
  CapacityMeter capacity_;
  std::map<std::string, std::uint32_t> users_;
  std::map<ThreadSet, std::uint32_t> thread_sets_;
  std::map<RequestId, std::uint32_t> submissions_;  ///< Rows that wait for an answer.
  std::map<JobId, std::uint32_t> rows_;             ///< Of accepted jobs.
  std::map<AttemptId, Active> active_;
  std::uint32_t submitting_ = UINT32_MAX;  ///< Row of the submission of the step in progress, if it is one.
  std::size_t live_ = 0;
  Instant now_;  ///< Shown.
};

}  // namespace duet::sim
