#include "tools/duet-live/live_work.h"

#include <algorithm>
#include <cmath>

#include "live/runtime/task_command.h"
#include "sim/payload.h"

namespace duet::live_run {
namespace {

constexpr std::size_t kMostNodes = 64;

Duration faster(Duration duration, double speedup) {
  if (duration == sim::kForever || duration == Duration{0}) return duration;
  return std::max(Duration{1}, Duration(std::llround(static_cast<double>(to_ns(duration)) / speedup)));
}

std::string number(double seconds) {
  char text[48];
  std::snprintf(text, sizeof text, "%.9f", seconds);
  return text;
}

}  // namespace

JobSpecPtr live_spec(const JobSpec& spec, const sim::Scenario& scenario, const Translation& how) {
  auto live = std::make_shared<JobSpec>(spec);
  live->backoff = faster(spec.backoff, how.speedup);
  const double speed = scenario.node_types.empty() ? 1e9 : scenario.node_types.front().speed.front();
  for (TaskGroup& group : live->groups) {
    TaskSpec& task = group.spec;
    Work& work = task.work;
    task.estimate = faster(task.estimate, how.speedup);
    task.timeout = faster(task.timeout, how.speedup);
    work.duration = faster(work.duration, how.speedup);
    const sim::SimulatedBehaviour behaviour =
        sim::decode_behaviour(work.payload).value_or(sim::SimulatedBehaviour{});
    work.payload = nullptr;
    if (work.operations == 0 && behaviour.fail_attempts == 0) continue;  // The runner sleeps by itself.
    live::TaskCommand command;
    command.argv = {how.workload};
    if (work.operations > 0)
      command.argv.push_back("--burn=" + number(static_cast<double>(work.operations) / speed / how.speedup));
    else
      command.argv.push_back("--sleep=" + number(static_cast<double>(to_ns(work.duration)) / 1e9));
    if (behaviour.fail_attempts > 0) {
      command.argv.push_back("--fail-attempts=" + std::to_string(behaviour.fail_attempts));
      command.argv.push_back("--exit-code=" + std::to_string(behaviour.exit_code));
    }
    work.payload = std::make_shared<const std::string>(live::to_payload(command));
    work.duration = Duration{0};
    work.operations = 0;
  }
  return live;
}

Problems only_simulated(const sim::Scenario& scenario) {
  Problems problems;
  const auto not_live = [&](const char* where, const char* what, const char* right) {
    problems.push_back({where, what, right});
  };
  if (!scenario.faults.empty())
    not_live("/faults", "faults are made by the simulator",
             "without faults; or duet up, and kill what is to break");
  if (scenario.network.any()) not_live("/network", "messages are lost by the simulator", "without network");
  if (scenario.nodes.size() > kMostNodes)
    problems.push_back({"/cluster/nodes", std::to_string(scenario.nodes.size()) + " nodes are too many here",
                        "at most " + std::to_string(kMostNodes)});
  bool workers = false;
  bool checks = false;
  const auto source = sim::open_workload(scenario);
  while (const auto arrival = source->next()) {
    workers |= arrival->spec->pool.has_value();
    for (const TaskGroup& group : arrival->spec->groups) {
      workers |= !group.spec.pool.empty();
      checks |= group.spec.work.health.has_value();
    }
  }
  if (workers) not_live("/workload", "workers and their operations are simulated", "jobs of other kinds");
  if (checks) not_live("/workload", "health checks ask simulated tasks", "jobs without health");
  for (const sim::OperatorEvent& event : scenario.events)
    if (event.kind == sim::OperatorEvent::Kind::kSubmitAgain) {
      not_live("/events", "submissions are not repeated live", "without submit_again");
      break;
    }
  return problems;
}

std::string without_effect(const sim::Scenario& scenario) {
  std::string text;
  const auto add = [&](const char* what) { text += (text.empty() ? "" : ", ") + std::string(what); };
  if (scenario.latency > Duration{0}) add("the latency of messages");
  if (scenario.commit_delay > Duration{0}) add("the delay of commits");
  const bool modelled = std::any_of(scenario.node_types.begin(), scenario.node_types.end(),
                                    [](const sim::NodeType& type) { return !type.plain(); });
  if (modelled) add("turbo and the sharing of cores");
  if (std::any_of(scenario.node_types.begin(), scenario.node_types.end(),
                  [](const sim::NodeType& type) { return type.power.has_value(); }))
    add("energy");
  return text;
}

}  // namespace duet::live_run
