// Nodes of the simulated world, and what runs on them.
#include <algorithm>

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
  step(node, agent::Boot{BootNonce{(std::uint64_t{host.lives} << 32) + node}});
}

void ClusterWorld::crash(std::uint32_t node) {
  Host& host = hosts_[node];
  // Off before its first start: nothing to lose, and it stays off until a restart.
  if (host.lives == 0) ++host.lives;
  host.agent.reset();
  while (!host.runs.empty()) {
    const ExecId id = *std::min_element(host.runs.begin(), host.runs.end(), [this](ExecId a, ExecId b) {
      return runs_[a].attempt < runs_[b].attempt;
    });
    if (runs_[id].executing && std::find(ended_.begin(), ended_.end(), id) == ended_.end())
      engine_.cancel(id);
    runs_[id].outcome = Outcome::kLost;
    note_end(runs_[id]);
    retire(id);
  }
}

void ClusterWorld::begin(std::uint32_t node, const agent::Launch& launch) {
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
  run.node = node;
  run.active = true;
  run.width = threads_for(launch.cpu_m);
  run.threads = launch.threads;
  run.began = now_;
  run.operations = launch.work.operations;
  run.outcome = Outcome::kSucceeded;
  run.exit_code = 0;
  run.executing = launch.work.duration == Duration{0};
  const auto failures = decode_failures(launch.work.payload);
  DUET_CHECK(failures.has_value());
  if (launch.attempt.number <= failures->fail_attempts) {
    run.outcome = Outcome::kFailed;
    run.exit_code = failures->exit_code;
  }
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
                   .quota_m = quota_of(launch.cpu_m)});
  else
    push(saturating_add(now_, launch.work.duration), Timer::Kind::kRunEnd, id, run.generation);
  step(node, agent::Started{launch.attempt});
}

void ClusterWorld::terminate(std::uint32_t node, const agent::Terminate& order) {
  const auto& here = hosts_[node].runs;
  const auto it = std::find_if(here.begin(), here.end(),
                               [&](ExecId other) { return runs_[other].attempt == order.attempt; });
  if (it == here.end()) return;
  const ExecId id = *it;
  Run& run = runs_[id];
  if (run.executing) engine_.cancel(id);
  run.executing = false;
  run.outcome = Outcome::kFailed;
  run.exit_code = order.force ? -9 : -15;
  complete(id);
}

/// The run is over, as its outcome says; its agent learns of it.
void ClusterWorld::complete(ExecId id) {
  const Run run = runs_[id];
  note_end(run);
  retire(id);
  step(run.node, agent::Exited{run.attempt, run.outcome, run.exit_code});
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
