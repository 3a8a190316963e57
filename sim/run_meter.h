// What a run's metrics need beside its rows: free and waiting capacity over time, pools against their demand,
// how failures of nodes were noticed. Constant time per change; the driver's own, so no trace knows of it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "sim/results.h"
#include "sim/scenario.h"

namespace duet::sim {

/// Free CPU of the nodes that are on, and whether what waits could use it. A node is of no use to any waiting
/// task if less is free there than the smallest of them asks for. After Weng et al., "Beware of
/// fragmentation: scheduling GPU-sharing workloads with fragmentation gradient descent", USENIX ATC 2023, who
/// hold the free resources of a node against the tasks of a whole workload; here it is the tasks that wait,
/// by CPU alone. Sizes are told apart in steps of at least a 1024th of the largest node.
class CapacityMeter {
 public:
  explicit CapacityMeter(const Scenario& scenario);

  /// Until `now` everything was as it is; to be called before the first change of an instant.
  void advance(Instant now) {
    if (waiting_ > 0 && now > since_) integrate(now);
    since_ = now;
  }
  void turn(std::uint32_t node, bool on);
  /// An attempt takes, or with a negative sign gives back, so much of a node's CPU.
  void take(std::uint32_t node, std::int64_t cpu_m);
  /// So many more, or fewer, tasks wait that ask for so much each.
  void wait(std::uint32_t need_m, std::int64_t tasks);

  double waited_s() const { return waited_s_; }
  /// Mean share of the free CPU that was of no use, over the time in which tasks waited; 0 if none ever did.
  double fragmentation() const { return waited_s_ > 0 ? unusable_share_s_ / waited_s_ : 0; }

 private:
  static constexpr std::size_t kSteps = 1025;
  struct NodeFree {
    std::int64_t free_m = 0;
    bool on = false;
  };
  void integrate(Instant now);
  std::size_t step_of(std::int64_t m) const;
  void count_free(const NodeFree& node, int sign);
  void set_smallest(std::size_t step);

  std::int64_t step_m_ = 1;
  std::vector<NodeFree> nodes_;
  std::array<std::int64_t, kSteps>
      free_by_step_{};  ///< Sum of free CPU of the nodes whose free CPU is so much.
  std::array<std::int64_t, kSteps> waiting_by_step_{};  ///< Tasks.
  std::int64_t free_m_ = 0;
  std::int64_t unusable_m_ = 0;  ///< Of nodes below `smallest_`.
  std::size_t smallest_ = 0;     ///< Step of the smallest need that waits, or waited last.
  std::int64_t waiting_ = 0;
  Instant since_;
  double waited_s_ = 0;
  double unusable_share_s_ = 0;
};

/// The workers of the pools against the workers that their operations want. Demand: as many workers as all
/// accepted operations need to be executed at once, each worker with as many of one kind as do not load it
/// beyond `full`; within the pool's bounds. Areas between supply and demand: Herbst, Kounev, Reussner,
/// "Elasticity in cloud computing: what it is, and what it is not", ICAC 2013; the metrics of the SPEC
/// Research Group.
class PoolMeters {
 public:
  static constexpr std::uint16_t kNone = 0xffff;

  /// The pool of this name.
  std::uint16_t named(const std::string& name);
  void open(std::uint16_t pool, const PoolSpec& spec, Instant now);
  void close(std::uint16_t pool, Instant now);
  /// A worker began (+1) or ended (-1) to run.
  void supply(std::uint16_t pool, int workers, Instant now);
  /// Operations of this expected load, in thousandths of a worker, were accepted (+) or are over (-).
  void demand(std::uint16_t pool, std::int64_t load, std::int64_t operations, Instant now);
  void scaled(JobId job, bool up, Instant now);

  bool any() const { return !pools_.empty(); }
  std::uint64_t flaps() const { return flaps_; }
  /// Sums over the pools of the mean number of workers too many, and too few, while each was open.
  void finish(Instant end, Results& results);

 private:
  struct PoolMeter {
    bool open = false;
    bool pull = false;
    std::int64_t full = 800;
    double least = 0;
    double most = 0;
    double wanted = 0;  ///< Workers' worth of operations.
    std::int64_t supply = 0;
    Instant since;
    double open_s = 0;
    double over_s = 0;
    double under_s = 0;
  };
  struct Scaling {
    bool up = false;
    Instant at;
  };
  static void advance(PoolMeter& pool, Instant now);

  std::map<std::string, std::uint16_t> names_;
  std::vector<PoolMeter> pools_;
  std::map<JobId, Scaling> last_;  ///< By the service whose replicas the workers are.
  std::uint64_t flaps_ = 0;
};

/// A scaling that the opposite follows within this time was for nothing.
inline constexpr Duration kFlapWindow = std::chrono::seconds(60);

/// What was wrong with nodes in truth, against what the controller declared.
class DetectionMeter {
 public:
  explicit DetectionMeter(std::size_t nodes) : nodes_(nodes) {}

  /// From now on the node, its agent or its link is (not) broken by one more cause.
  void trouble(std::uint32_t node, bool begins, Instant now);
  /// What the controller says of it; the same as before is no news.
  void declared(std::uint32_t node, bool down, Instant now);

  void finish(Results& results) const;

 private:
  struct Trouble {
    std::uint32_t causes = 0;
    bool noticed = false;
    bool down = false;  ///< As declared.
    Instant since;
  };
  std::vector<Trouble> nodes_;
  std::uint64_t noticed_ = 0;
  std::uint64_t declarations_ = 0;
  std::uint64_t false_alarms_ = 0;
  double sum_s_ = 0;
  double max_s_ = 0;
};

}  // namespace duet::sim
