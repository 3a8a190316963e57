#include "sim/run.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "sim/energy_watch.h"

namespace duet::sim {
namespace {

bool has_operations(const JobSpec& spec) {
  return std::any_of(spec.groups.begin(), spec.groups.end(),
                     [](const TaskGroup& group) { return group.spec.work.operations > 0; });
}

struct HasOperations {
  bool operator()(const std::vector<Arrival>& jobs) const {
    return std::any_of(jobs.begin(), jobs.end(), [](const Arrival& a) { return has_operations(*a.spec); });
  }
  bool operator()(const JobTable& table) const {
    return std::any_of(table.jobs.begin(), table.jobs.end(),
                       [](const TableJob& job) { return job.operations > 0; });
  }
  bool operator()(const PoissonWorkload& poisson) const { return poisson.mean_operations > 0; }
  bool operator()(const LublinWorkload&) const { return false; }
};

}  // namespace

bool needs_cpu_model(const Scenario& scenario) { return std::visit(HasOperations{}, scenario.workload); }

Result<Results> run(const Scenario& scenario, const EngineMaker& make_engine, const WorldOptions& options) {
  auto engine = make_engine(scenario, needs_cpu_model(scenario));
  if (!engine) return engine.problems();
  std::optional<EnergyWatch> energy;
  WorldOptions watched = options;
  if (EnergyWatch::wanted(scenario)) watched.observer = &energy.emplace(scenario, options.observer);
  ClusterWorld world(scenario, **engine, watched);
  (*engine)->run(world);
  Results results = world.take_results();
  if (energy) {
    results.energy_j = energy->joules(results.end);
    results.energy_idle_j = energy->idle_joules(results.end);
  }
  return results;
}

}  // namespace duet::sim
