// Nodes of the simulated world, and what runs on them.
#include <algorithm>
#include <utility>

#include "core/check.h"
#include "sim/cluster_world.h"
#include "sim/payload.h"
#include "sim/quota.h"

namespace duet::sim {

void ClusterWorld::boot(std::uint32_t node) {
  Host& host = hosts_[node];
  if (host.agent) return;  // It is on.
  host.agent =
      std::make_unique<Traced<Agent>>(Agent(agent_config(scenario_, node)), 1 + node, options_.agent_sink);
  ++host.lives;
  capacity_.turn(node, true);
  agent::Boot event{BootNonce{(std::uint64_t{host.lives} << 32) + node}, host.exits};
  const Instant shown = clock_of(host);
  for (const ExecId id : runs_of(host)) {
    const Run& run = runs_[id];
    agent::Adopted adopted{run.attempt, run.worker};
    if (run.times_out != kNever)
      adopted.timeout_left = run.times_out > shown ? run.times_out - shown : Duration{1};
    adopted.health = run.health;
    if (run.health)
      adopted.health->start_period = std::max(run.health->start_period - (now_ - run.began), Duration{0});
    event.adopted.push_back(adopted);
  }
  std::sort(event.adopted.begin(), event.adopted.end(),
            [](const agent::Adopted& a, const agent::Adopted& b) { return a.attempt < b.attempt; });
  const std::vector<agent::Adopted> adopted = event.adopted;
  step(node, event);
  for (const agent::Adopted& one : adopted) ask_if_pulling(node, one.attempt);
}

void ClusterWorld::switch_on(std::uint32_t node) {
  Host& host = hosts_[node];
  if (!host.off && host.lives > 0) return;
  if (host.off) detection_.trouble(node, false, now_);
  host.off = false;
  boot(node);
}

/// What runs there, by attempt.
std::vector<ExecId> ClusterWorld::runs_of(const Host& host) const {
  std::vector<ExecId> runs = host.runs;
  std::sort(runs.begin(), runs.end(),
            [this](ExecId a, ExecId b) { return runs_[a].attempt < runs_[b].attempt; });
  return runs;
}

/// The agent is gone, and what it runs goes on.
void ClusterWorld::kill_agent(std::uint32_t node) {
  if (hosts_[node].lives == 0) return;
  hosts_[node].agent.reset();
  hosts_[node].parked.clear();  // Nobody knows of it any more.
}

/// The runtime starts nothing, or starts again what it is told.
void ClusterWorld::set_stuck(std::uint32_t node, bool stuck) {
  hosts_[node].stuck = stuck;
  if (stuck) return;
  for (const agent::Launch& launch : std::exchange(hosts_[node].parked, {})) begin(node, launch);
}

/// A worker that pulls, and does nothing, asks for an operation.
void ClusterWorld::ask_if_pulling(std::uint32_t node, AttemptId worker) {
  const std::vector<ExecId>& here = hosts_[node].runs;
  const auto asks = [&](ExecId id) { return runs_[id].attempt == worker && runs_[id].pulls; };
  const auto serves = [&](ExecId id) { return runs_[id].worker == worker; };
  if (hosts_[node].agent && std::any_of(here.begin(), here.end(), asks) &&
      std::none_of(here.begin(), here.end(), serves))
    step(node, agent::Asked{worker});
}

void ClusterWorld::crash(std::uint32_t node) {
  Host& host = hosts_[node];
  // Off before its first start: nothing to lose, and it stays off until a restart.
  if (host.lives == 0) ++host.lives;
  if (!host.off) detection_.trouble(node, true, now_);
  host.off = true;
  capacity_.turn(node, false);
  host.agent.reset();
  host.parked.clear();
  host.exits.clear();
  for (const ExecId id : runs_of(host)) {
    interrupt(id);
    runs_[id].outcome = Outcome::kLost;
    note_end(runs_[id]);
    retire(id);
  }
}

/// The engine has no more to do with it. It may have let go of it at this very instant.
void ClusterWorld::interrupt(ExecId id) {
  if (runs_[id].executing && std::find(ended_.begin(), ended_.end(), id) == ended_.end()) engine_.cancel(id);
  runs_[id].executing = false;
  runs_[id].cut_short = true;
}

void ClusterWorld::begin(std::uint32_t node, const agent::Launch& launch) {
  if (hosts_[node].stuck) return hosts_[node].parked.push_back(launch);
  ExecId id = 0;
  if (free_runs_.empty()) {
    id = static_cast<ExecId>(runs_.size());
    runs_.emplace_back();
  } else {
    id = free_runs_.back();
    free_runs_.pop_back();
  }
  Run& run = runs_[id];
  run.attempt = launch.attempt;
  run.worker = launch.worker;
  run.node = node;
  run.active = true;
  run.width = threads_for(launch.cpu_m);
  run.cpu_m = launch.cpu_m;
  run.serving = 0;
  run.threads = launch.threads;
  run.began = now_;
  run.began_s = engine_.clock_s();
  run.operations = launch.work.operations;
  run.outcome = Outcome::kSucceeded;
  run.ordered.reset();
  run.exit_code = 0;
  run.cut_short = false;
  run.executing = launch.work.duration == Duration{0};
  const auto behaviour = decode_behaviour(launch.work.payload);
  DUET_CHECK(behaviour.has_value());
  run.pulls = behaviour->pulls;
  if (launch.attempt.number <= behaviour->fail_attempts) {
    run.outcome = Outcome::kFailed;
    run.exit_code = behaviour->exit_code;
  }
  run.times_out =
      launch.timeout > Duration{0} ? saturating_add(clock_of(hosts_[node]), launch.timeout) : kNever;
  run.health = launch.work.health;
  run.host_slot = static_cast<std::uint32_t>(hosts_[node].runs.size());
  hosts_[node].runs.push_back(id);
  ++active_runs_;
  last_change_ = now_;
  note_begin(run);
  if (run.executing)
    engine_.start({.id = id,
                   .node = node,
                   .threads = launch.threads,
                   .width = run.width,
                   .operations = launch.work.operations,
                   .quota_m = quota_of(launch.cpu_m),
                   .priority = launch.work.weight});
  else
    push(saturating_add(now_, launch.work.duration), Timer::Kind::kRunEnd, id, run.generation);
  const bool pulls = run.pulls;
  step(node, agent::Started{launch.attempt});
  if (pulls) ask_if_pulling(node, launch.attempt);
}

void ClusterWorld::terminate(std::uint32_t node, const agent::Terminate& order) {
  auto& parked = hosts_[node].parked;
  const auto waits = std::find_if(parked.begin(), parked.end(), [&](const agent::Launch& launch) {
    return launch.attempt == order.attempt;
  });
  if (waits != parked.end()) {
    parked.erase(waits);
    hosts_[node].exits.push_back({order.attempt, {}, order.why, false, Outcome::kFailed, -15});
    return step(node, agent::Exited{order.attempt, Outcome::kFailed, order.force ? -9 : -15});
  }
  const auto& here = hosts_[node].runs;
  const auto it = std::find_if(here.begin(), here.end(),
                               [&](ExecId other) { return runs_[other].attempt == order.attempt; });
  if (it == here.end()) return;
  const ExecId id = *it;
  Run& run = runs_[id];
  interrupt(id);
  run.outcome = Outcome::kFailed;
  run.exit_code = order.force ? -9 : -15;
  run.ordered = order.why;
  complete(id);
}

/// Whether a fault makes it fail its health check.
bool ClusterWorld::sick(const Run& run) const {
  const std::uint64_t job = run.attempt.task.job.value;
  if (job == 0 || job > rows_.size()) return false;
  const std::string& key = results_.jobs[rows_[job - 1].job].key;
  return std::any_of(scenario_.faults.begin(), scenario_.faults.end(), [&](const Fault& fault) {
    return fault.kind == Fault::Kind::kUnhealthy && fault.at <= now_ && now_ < fault.until &&
           fault.job == key && fault.task.value_or(run.attempt.task.index) == run.attempt.task.index &&
           (fault.new_attempts || run.began < fault.at);
  });
}

/// What runs is asked, and says at once how it is. What does not run yet says nothing.
void ClusterWorld::answer(std::uint32_t node, const agent::Probe& probe) {
  for (const ExecId id : hosts_[node].runs)
    if (runs_[id].attempt == probe.attempt)
      return step(node, agent::Probed{probe.attempt, probe.number, !sick(runs_[id])});
}

/// The run is over, as its outcome says; its agent learns of it.
void ClusterWorld::complete(ExecId id) {
  note_end(runs_[id]);
  const Run run = runs_[id];
  retire(id);
  // Kept until the agent says that the controller knows: it may die before.
  hosts_[run.node].exits.push_back({run.attempt, run.worker, run.ordered, false, run.outcome, run.exit_code});
  if (!hosts_[run.node].agent) {
    // Operations die with the process that executes them; else the agent says so.
    for (const ExecId other : runs_of(hosts_[run.node])) {
      if (runs_[other].worker != run.attempt) continue;
      interrupt(other);
      runs_[other].outcome = Outcome::kLost;
      complete(other);
    }
    return;
  }
  step(run.node, agent::Exited{run.attempt, run.outcome, run.exit_code});
  if (run.worker) ask_if_pulling(run.node, *run.worker);
}

void ClusterWorld::retire(ExecId id) {
  Run& run = runs_[id];
  auto& here = hosts_[run.node].runs;
  here[run.host_slot] = here.back();
  runs_[here.back()].host_slot = run.host_slot;
  here.pop_back();
  run.active = false;
  ++run.generation;
  --active_runs_;
  free_runs_.push_back(id);
}

}  // namespace duet::sim
