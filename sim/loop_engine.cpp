// The bare event loop: a heap of ends, computed when an execution starts. Its arithmetic is SimGrid's on the
// same platform, operation by operation, so that both engines report the same nanoseconds.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/engine.h"
#include "sim/engine_limits.h"
#include "sim/quota.h"

namespace duet::sim {

namespace {

constexpr double never_s = std::numeric_limits<double>::infinity();

/// Ends nearer than this to the clock count as reached: SimGrid's surf/precision.
constexpr double precision_s = 1e-9;

class LoopEngine final : public Engine {
 public:
  explicit LoopEngine(const Scenario& scenario) {
    speed_.reserve(scenario.nodes.size());
    for (const Node& node : scenario.nodes) speed_.push_back(scenario.node_types[node.type].speed.front());
    slow_.resize(scenario.nodes.size(), 1);
  }

  std::string_view name() const override { return "loop"; }

  // Priorities say who gets more of a core that two want; here everyone has what it may use.
  void start(const ExecSpec& spec) override {
    DUET_CHECK(spec.quota_m > 0 && spec.priority > 0);
    if (spec.id >= runs_.size()) runs_.resize(spec.id + 1);
    Run& run = runs_[spec.id];
    DUET_CHECK(!run.active);
    run.active = true;
    const double speed = speed_[spec.node];
    const double work = std::max(static_cast<double>(spec.operations), shortest_execution_s * speed);
    run.node = spec.node;
    run.most = quota_speed(spec.quota_m, speed);
    end_after(spec.id, work);
  }

  void cancel(ExecId id) override {
    DUET_CHECK(id < runs_.size() && runs_[id].active);
    retire(id);
  }

  // What is left of an execution is done at the new speed.
  void slow(std::uint32_t node, double factor) override {
    std::vector<std::pair<ExecId, double>> left;
    for (const End& end : heap_)
      if (!is_void(end) && runs_[end.id].node == node)
        left.emplace_back(end.id, std::max(0.0, end.at_s - clock_s_) * rate(runs_[end.id]));
    slow_[node] = factor;
    for (const auto& [id, work] : left) {
      ++runs_[id].number;
      end_after(id, work);
    }
  }

  double clock_s() const override { return clock_s_; }

  void run(World& world) override {
    Instant last = instant_ns(-1);
    while (!world.over()) {
      drop_cancelled();
      const Instant due = world.next_due();
      if (heap_.empty() && due == kNever) return;
      const double due_s = due == kNever ? never_s : seconds_of(due);
      clock_s_ = std::max(clock_s_, heap_.empty() ? due_s : std::min(due_s, heap_.front().at_s));
      collect_ended();
      const Instant now =
          due_s <= clock_s_ ? due : std::max(instant_of_seconds(clock_s_), last + Duration{1});
      last = now;
      world.play(now, ended_);
    }
  }

 private:
  /// One ExecId. `number` tells its successive executions apart: an end on the heap with another one is void.
  struct Run {
    std::uint32_t number = 0;
    bool active = false;
    std::uint32_t node = 0;
    double most = 0;  ///< Operations per second at most.
  };
  struct End {
    double at_s;
    ExecId id;
    std::uint32_t number;
  };

  static bool later(const End& a, const End& b) { return std::pair(a.at_s, a.id) > std::pair(b.at_s, b.id); }

  double rate(const Run& run) const { return std::min(run.most, speed_[run.node] / slow_[run.node]); }

  /// It ends when it has done this, unless it is void by then.
  void end_after(ExecId id, double work) {
    heap_.push_back({clock_s_ + work / rate(runs_[id]), id, runs_[id].number});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  void retire(ExecId id) {
    runs_[id].active = false;
    ++runs_[id].number;
  }

  bool is_void(const End& end) const { return runs_[end.id].number != end.number; }

  void pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
  }

  void drop_cancelled() {
    while (!heap_.empty() && is_void(heap_.front())) pop();
  }

  void collect_ended() {
    ended_.clear();
    while (!heap_.empty() && heap_.front().at_s - clock_s_ < precision_s) {
      const End end = heap_.front();
      pop();
      if (is_void(end)) continue;
      retire(end.id);
      ended_.push_back(end.id);
    }
  }

  std::vector<double> speed_;  // operations per second of a thread, by node
  std::vector<double> slow_;   // what that is divided by now
  std::vector<Run> runs_;      // by ExecId
  std::vector<End> heap_;      // the earliest first
  std::vector<ExecId> ended_;
  double clock_s_ = 0;
};

/// Says which job's tasks have operations and may slow down a neighbour on a thread; empty if none does.
/// Those below one thread cannot: a quota holds each to its share.
struct SharesThreads {
  static bool shares(const TaskSpec& task) {
    return !task.exclusive &&
           (task.need.cpu_m == 0 || (task.need.cpu_m > kThread && task.need.cpu_m % kThread != 0));
  }

  std::string operator()(const std::vector<Arrival>& jobs) const {
    for (const Arrival& job : jobs)
      for (const TaskGroup& group : job.spec->groups)
        if (group.spec.work.operations > 0 && !group.spec.pool.empty())
          return "job \"" + job.spec->key + "\" has operations, and workers of the pool \"" +
                 group.spec.pool + "\" execute them side by side";
        else if (group.spec.work.operations > 0 && shares(group.spec))
          return "job \"" + job.spec->key + "\" has operations and takes " +
                 std::to_string(group.spec.need.cpu_m) + " millicores";
    return {};
  }
  std::string operator()(const PoissonWorkload& poisson) const {
    if (poisson.mean_operations <= 0 || !shares(poisson.task)) return {};
    return "the generated jobs have operations and take " + std::to_string(poisson.task.need.cpu_m) +
           " millicores";
  }
  // Their jobs take whole threads.
  std::string operator()(const JobTable&) const { return {}; }
  std::string operator()(const LublinWorkload&) const { return {}; }
};
bool is_share(const TaskSpec& task) { return quota_of(task) < kThread; }

/// Shares of a thread that do operations may crowd it where it is slow.
bool has_shares(const Workload& workload) {
  if (const auto* poisson = std::get_if<PoissonWorkload>(&workload)) return is_share(poisson->task);
  const auto* jobs = std::get_if<std::vector<Arrival>>(&workload);
  return jobs != nullptr && std::any_of(jobs->begin(), jobs->end(), [](const Arrival& arrival) {
           return std::any_of(
               arrival.spec->groups.begin(), arrival.spec->groups.end(),
               [](const TaskGroup& group) { return group.spec.work.operations > 0 && is_share(group.spec); });
         });
}

bool slows(const Scenario& scenario) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(),
                     [](const Fault& fault) { return fault.kind == Fault::Kind::kSlowNode; });
}

}  // namespace

bool undisturbed(const Scenario& scenario) {
  return std::visit(SharesThreads{}, scenario.workload).empty() &&
         !(slows(scenario) && has_shares(scenario.workload));
}

Result<std::unique_ptr<Engine>> make_loop_engine(const Scenario& scenario, bool needs_cpu_model) {
  Problems problems;
  if (const std::string shares = std::visit(SharesThreads{}, scenario.workload); !shares.empty())
    problems.push_back({"engine",
                        shares + ": tasks that share a thread slow each other down, and the loop engine does "
                                 "not model that",
                        "the simgrid engine; or whole threads (a multiple of 1000 millicores) or less than "
                        "one; or durations"});
  std::vector<bool> seen(scenario.node_types.size());
  for (const Node& node : scenario.nodes) {
    const NodeType& type = scenario.node_types[node.type];
    if (!needs_cpu_model || seen[node.type] || type.plain()) continue;
    seen[node.type] = true;
    problems.push_back(
        {"engine",
         "tasks have operations, and nodes of type \"" + type.name +
             "\" change speed with their load (turbo or SMT): the loop engine does not model that",
         "the simgrid engine; or one speed and smt_yield = threads_per_core; or durations"});
  }
  if (needs_cpu_model && slows(scenario) && has_shares(scenario.workload))
    problems.push_back({"engine",
                        "shares of a thread that do operations may crowd it on a slow node: the loop engine "
                        "does not model that",
                        "the simgrid engine, or whole threads"});
  if (!problems.empty()) return problems;
  return std::unique_ptr<Engine>(std::make_unique<LoopEngine>(scenario));
}

}  // namespace duet::sim
