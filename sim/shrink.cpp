#include "sim/shrink.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/check_bounds.h"
#include "sim/swarm_draw.h"

namespace duet::sim {
namespace {

using Arrivals = std::vector<Arrival>;

class Shrinker {
 public:
  Shrinker(const Scenario& scenario, const StillFails& still_fails, std::uint64_t most_runs)
      : best_(scenario), still_fails_(still_fails), most_runs_(most_runs) {}

  Scenario make() {
    bool smaller = true;
    while (smaller && runs_ < most_runs_) {
      smaller = knobs();
      smaller |= drop([](Scenario & s) -> auto& { return std::get<Arrivals>(s.workload); });
      smaller |= drop([](Scenario & s) -> auto& { return s.faults; });
      smaller |= drop([](Scenario & s) -> auto& { return s.events; });
      smaller |= nodes();
      smaller |= jobs();
    }
    return std::move(best_);
  }
  std::uint64_t runs() const { return runs_; }

 private:
  /// Keeps the candidate if it still fails.
  bool take(Scenario candidate) {
    if (runs_ >= most_runs_) return false;
    ++runs_;
    forget_events(candidate);
    if (std::get<Arrivals>(candidate.workload).empty()) return false;
    set_horizon(candidate);
    // Without an owed end the run would go on until it stalls; it must not fail for want of peace either.
    if (!candidate.horizon || !still_fails_(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }

  /// Events of jobs that are gone say nothing, and a scenario file may not hold them.
  static void forget_events(Scenario& scenario) {
    std::erase_if(scenario.events, [&](const OperatorEvent& event) {
      const auto& jobs = std::get<Arrivals>(scenario.workload);
      return event.of_job() && std::none_of(jobs.begin(), jobs.end(),
                                            [&](const Arrival& a) { return a.spec->key == event.job; });
    });
  }

  template <class F>
  bool edit(F&& change) {
    Scenario candidate = best_;
    change(candidate);
    return take(std::move(candidate));
  }

  /// Drops parts of a list: halves, quarters, ... single entries.
  template <class List>
  bool drop(List&& list) {
    bool smaller = false;
    for (std::size_t size = std::max<std::size_t>(1, list(best_).size() / 2); size > 0; size /= 2)
      for (std::size_t at = 0; at < list(best_).size();) {
        const bool gone = edit([&](Scenario& s) {
          auto& all = list(s);
          const auto begin = all.begin() + static_cast<std::ptrdiff_t>(at);
          all.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, all.size() - at)));
        });
        smaller |= gone;
        if (!gone) at += size;
      }
    return smaller;
  }

  template <class T>
  bool zero(T& (*member)(Scenario&), T plain) {
    return member(best_) != plain && edit([&](Scenario& s) { member(s) = plain; });
  }

  bool knobs() {
    bool smaller = zero<std::uint32_t>(
        [](Scenario & s) -> auto& { return s.network.loss_ppm; }, 0);
    smaller |= zero<std::uint32_t>(
        [](Scenario & s) -> auto& { return s.network.duplicate_ppm; }, 0);
    if (best_.network.delay_ppm > 0)
      smaller |= edit([](Scenario& s) { s.network.delay_ppm = 0, s.network.max_delay = Duration{0}; });
    if (!best_.network.any()) best_.network.until = Instant{};
    smaller |= zero<Duration>(
        [](Scenario & s) -> auto& { return s.latency; }, Duration{0});
    smaller |= zero<Duration>(
        [](Scenario & s) -> auto& { return s.commit_delay; }, Duration{0});
    smaller |= zero<std::string>(
        [](Scenario & s) -> auto& { return s.controller.queue.name; }, "fcfs");
    smaller |= zero<std::string>(
        [](Scenario & s) -> auto& { return s.controller.scheduler.name; }, "first_fit");
    smaller |= zero<std::string>(
        [](Scenario & s) -> auto& { return s.controller.estimator.name; }, "declared");
    return smaller;
  }

  /// Removes nodes that are not needed; faults and requests that name them go with them.
  bool nodes() {
    bool smaller = false;
    for (std::size_t i = best_.nodes.size(); i-- > 0 && best_.nodes.size() > 1;)
      smaller |= edit([i](Scenario& s) {
        const auto gone = static_cast<std::uint32_t>(i);
        s.nodes.erase(s.nodes.begin() + static_cast<std::ptrdiff_t>(i));
        s.controller.inventory.erase(s.controller.inventory.begin() + static_cast<std::ptrdiff_t>(i));
        std::erase_if(s.faults, [&](Fault& fault) {
          if (fault.of_one_node()) return fault.node == gone;
          const bool named = fault.hits(gone);
          if (named) std::erase(fault.nodes, gone);
          for (std::uint32_t& node : fault.nodes) node -= node > gone;
          return named && fault.nodes.empty();
        });
        std::erase_if(s.events,
                      [&](const OperatorEvent& event) { return !event.of_job() && event.node == gone; });
        for (Fault& fault : s.faults) fault.node -= fault.of_one_node() && fault.node > gone;
        for (OperatorEvent& event : s.events) event.node -= event.node > gone;
      });
    return smaller;
  }

  template <class F>
  bool edit_job(std::size_t i, F&& change) {
    return edit([&](Scenario& s) {
      Arrival& arrival = std::get<Arrivals>(s.workload)[i];
      JobSpec spec = *arrival.spec;
      change(spec);
      arrival.spec = std::make_shared<const JobSpec>(std::move(spec));
    });
  }

  /// Makes the jobs that are left plainer.
  bool jobs() {
    bool smaller = false;
    for (std::size_t i = 0; i < std::get<Arrivals>(best_.workload).size(); ++i) {
      const auto spec = [&]() -> const JobSpec& { return *std::get<Arrivals>(best_.workload)[i].spec; };
      if (spec().retries > 0) smaller |= edit_job(i, [](JobSpec& s) { s.retries = 0; });
      if (spec().backoff > Duration{0}) smaller |= edit_job(i, [](JobSpec& s) { s.backoff = Duration{0}; });
      if (spec().priority != 0) smaller |= edit_job(i, [](JobSpec& s) { s.priority = 0; });
      if (!spec().scheduler.empty()) smaller |= edit_job(i, [](JobSpec& s) { s.scheduler.clear(); });
      if (spec().groups.size() > 1) smaller |= edit_job(i, [](JobSpec& s) { s.groups.resize(1); });
      while (spec().groups.size() > 1 && edit_job(i, [](JobSpec& s) { s.groups.pop_back(); })) smaller = true;
      for (std::size_t g = 0; g < spec().groups.size(); ++g) {
        const auto group = [&]() -> const TaskGroup& { return spec().groups[g]; };
        while (group().count > 1 && edit_job(i, [g](JobSpec& s) { s.groups[g].count /= 2; })) smaller = true;
        if (group().count > 1) smaller |= edit_job(i, [g](JobSpec& s) { --s.groups[g].count; });
        if (group().spec.timeout > Duration{0})
          smaller |= edit_job(i, [g](JobSpec& s) { s.groups[g].spec.timeout = Duration{0}; });
        if (group().spec.estimate > Duration{0})
          smaller |= edit_job(i, [g](JobSpec& s) { s.groups[g].spec.estimate = Duration{0}; });
        if (group().spec.work.payload)
          smaller |= edit_job(i, [g](JobSpec& s) { s.groups[g].spec.work.payload = nullptr; });
        if (group().spec.need.memory_bytes > 0)
          smaller |= edit_job(i, [g](JobSpec& s) { s.groups[g].spec.need.memory_bytes = 0; });
        while (group().spec.work.duration > std::chrono::seconds(1) &&
               edit_job(i, [g](JobSpec& s) { s.groups[g].spec.work.duration /= 2; }))
          smaller = true;
      }
    }
    return smaller;
  }

  Scenario best_;
  const StillFails& still_fails_;
  std::uint64_t most_runs_;
  std::uint64_t runs_ = 0;
};

}  // namespace

Scenario shrink(const Scenario& scenario, const StillFails& still_fails, std::uint64_t most_runs,
                ShrinkStats* stats) {
  Shrinker shrinker(scenario, still_fails, most_runs);
  Scenario small = shrinker.make();
  if (stats != nullptr) stats->runs = shrinker.runs();
  return small;
}

}  // namespace duet::sim
