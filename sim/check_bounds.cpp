#include "sim/check_bounds.h"

#include <algorithm>
#include <limits>

#include "core/params.h"
#include "sim/quota.h"

namespace duet::sim {
namespace {

/// How long one attempt runs on the slowest node.
double attempt_s(const Scenario& scenario, const TaskSpec& spec) {
  double seconds = static_cast<double>(to_ns(spec.work.duration)) * 1e-9;
  if (spec.work.duration == Duration{0}) {
    double slowest = std::numeric_limits<double>::max();
    for (const NodeType& type : scenario.node_types) slowest = std::min(slowest, type.speed.front());
    seconds = static_cast<double>(spec.work.operations) / quota_speed(quota_of(spec), slowest);
  }
  if (spec.timeout > Duration{0})
    seconds = std::min(seconds, static_cast<double>(to_ns(spec.timeout)) * 1e-9);
  return seconds;
}

/// What all jobs take one after the other, every attempt used. `extra_s` comes on top of each attempt.
double serial_work_s(const Scenario& scenario, const std::vector<Arrival>& arrivals, double extra_s) {
  // Beside the retries: what still ran on a node that has yet to be found dead is lost and starts again.
  constexpr double kSpareAttempts = 3;
  double total = 0;
  for (const Arrival& arrival : arrivals)
    for (const TaskGroup& group : arrival.spec->groups) {
      // A service runs until it is cancelled; what comes after that is the end of its replicas.
      const bool service = arrival.spec->kind == JobKind::kService;
      const double once = (service ? 0 : attempt_s(scenario, group.spec)) + extra_s;
      const double side_by_side = arrival.spec->kind == JobKind::kRigid ? 1 : group.count;
      const double retries = service ? 0 : static_cast<double>(arrival.spec->retries);
      total += once * side_by_side * (retries + kSpareAttempts);
    }
  return total;
}

/// What is said while the fault lasts may not be heard, or late.
void disturb(Promise& promise, const Fault& fault) {
  Duration late{0};
  if (fault.kind == Fault::Kind::kNetwork) late = fault.messages.max_delay;
  if (fault.kind == Fault::Kind::kStoreDelay) late = fault.delay;
  promise.late = std::max(promise.late, late);
  if (fault.kind != Fault::Kind::kSlowNode && fault.kind != Fault::Kind::kUnhealthy)
    promise.clean = std::max(promise.clean, saturating_add(fault.until, late));
}

}  // namespace

Duration detector_parameter(const ControllerConfig& config, std::string_view name, Duration fallback) {
  ParamReader reader(config.detector.params);
  return reader.seconds(name, fallback);
}

std::vector<Arrival> list_arrivals(const Scenario& scenario) {
  std::vector<Arrival> all;
  const auto source = open_workload(scenario);
  while (auto arrival = source->next()) all.push_back(std::move(*arrival));
  // What is submitted again is another job, if the key of the first is forgotten by then.
  for (const OperatorEvent& event : scenario.events)
    if (event.kind == OperatorEvent::Kind::kSubmitAgain) all.push_back({event.at, event.spec});
  std::stable_sort(all.begin(), all.end(), [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  return all;
}

std::uint32_t copies_on_empty(const TaskSpec& spec, const NodeOffer& offer, std::uint32_t limit) {
  std::int64_t most = limit;
  const auto bound = [&](std::int64_t need, std::int64_t have) {
    if (need > 0) most = std::min(most, have / need);
  };
  if (spec.exclusive)
    bound(1, offer.cores);
  else
    bound(spec.need.cpu_m, offer.capacity.cpu_m);
  bound(spec.need.memory_bytes, offer.capacity.memory_bytes);
  for (std::size_t i = 0; i < kCountableKinds; ++i) bound(spec.need.count[i], offer.capacity.count[i]);
  return static_cast<std::uint32_t>(most);
}

std::vector<bool> survivors(const Scenario& scenario) {
  std::vector<bool> on(scenario.nodes.size(), true);
  std::vector<bool> open(scenario.nodes.size(), true);
  for (const Fault& fault : scenario.faults)
    if (!fault.lasts()) on[fault.node] = fault.kind == Fault::Kind::kRestart;
  for (const OperatorEvent& event : scenario.events)
    if (!event.of_job()) open[event.node] = event.kind == OperatorEvent::Kind::kUndrain;
  for (std::size_t i = 0; i < on.size(); ++i) on[i] = on[i] && open[i];
  return on;
}

bool fits_survivors(const Scenario& scenario, const std::vector<bool>& survives, const JobSpec& job) {
  for (const TaskGroup& group : job.groups) {
    if (!group.spec.pool.empty()) continue;  // That is its workers' affair.
    const std::uint32_t wanted = job.kind == JobKind::kRigid ? group.count : 1;
    std::uint32_t room = 0;
    for (std::size_t i = 0; i < survives.size() && room < wanted; ++i)
      if (survives[i])
        room += copies_on_empty(group.spec, scenario.node_types[scenario.nodes[i].type].offer, wanted - room);
    if (room < wanted) return false;
  }
  return true;
}

Promise promise_of(const Scenario& scenario, const std::vector<Arrival>& arrivals) {
  using std::chrono::seconds;
  Promise promise;
  const NetworkFaults& network = scenario.network;
  promise.late = network.any() ? network.max_delay : Duration{0};
  promise.clean = !network.any() ? Instant{} : saturating_add(network.until, promise.late);
  promise.calm = Instant{};
  for (const Fault& fault : scenario.faults) {
    promise.calm = std::max(promise.calm, fault.lasts() ? fault.until : fault.at);
    if (fault.lasts()) disturb(promise, fault);
  }
  promise.calm = std::max(promise.calm, promise.clean);
  if (!arrivals.empty()) promise.calm = std::max(promise.calm, arrivals.back().at);
  for (const OperatorEvent& event : scenario.events) promise.calm = std::max(promise.calm, event.at);

  const Duration dead_after = detector_parameter(scenario.controller, "dead_after_s", seconds(30));
  const Duration trip = scenario.latency * 2 + scenario.commit_delay;
  const Duration resend = std::max(scenario.agent.resend_after, scenario.controller.resend_after);
  if (dead_after > Duration{0}) promise.detect = dead_after + scenario.latency;
  if (scenario.controller.mass_loss.percent > 0)
    promise.brake = scenario.controller.mass_loss.interval * static_cast<std::int64_t>(scenario.nodes.size());
  // A late Fenced or heartbeat, two registrations, and the end of what does not belong there.
  promise.rejoin =
      scenario.agent.heartbeat * 2 + resend * 3 + trip * 6 + scenario.agent.kill_grace + seconds(1);

  promise.survives = survivors(scenario);
  const bool all_fit = std::all_of(arrivals.begin(), arrivals.end(), [&](const Arrival& arrival) {
    return fits_survivors(scenario, promise.survives, *arrival.spec);
  });
  bool seen = true;  // Without a detector the tasks of a node that stays off are waited for in vain.
  for (const Fault& fault : scenario.faults)
    seen = seen && (fault.lasts() || dead_after > Duration{0} || promise.survives[fault.node]);
  // A service that nobody cancels never ends.
  const bool all_end = std::all_of(arrivals.begin(), arrivals.end(), [&](const Arrival& arrival) {
    return arrival.spec->kind != JobKind::kService ||
           std::any_of(scenario.events.begin(), scenario.events.end(), [&](const OperatorEvent& event) {
             return event.kind == OperatorEvent::Kind::kCancel && event.job == arrival.spec->key &&
                    event.at > arrival.at;
           });
  });
  if (!all_fit || !all_end || !seen || promise.clean == kNever) return promise;
  const double extra_s = static_cast<double>(to_ns(trip * 4 + resend * 3 + scenario.agent.kill_grace)) * 1e-9;
  const double work_s = 2 * serial_work_s(scenario, arrivals, extra_s) +
                        static_cast<double>(to_ns(promise.detect + promise.brake + promise.rejoin)) * 2e-9 +
                        10;
  if (work_s < 4e9)
    promise.done_by = saturating_add(promise.calm, Duration(static_cast<std::int64_t>(work_s * 1e9)));
  return promise;
}

}  // namespace duet::sim
