#include "sim/energy_watch.h"

#include <algorithm>

namespace duet::sim {

EnergyWatch::EnergyWatch(const Scenario& scenario, Observer* next)
    : meters_(scenario.nodes.size()), idle_(scenario.nodes.size()), next_(next) {
  for (std::size_t i = 0; i < meters_.size(); ++i) {
    const NodeType& type = scenario.node_types[scenario.nodes[i].type];
    if (!type.power) continue;
    meters_[i].emplace(*type.power, type.offer, type.reserved_cores, Instant{});
    idle_[i] = meters_[i];
  }
}

bool EnergyWatch::wanted(const Scenario& scenario) {
  return std::any_of(scenario.nodes.begin(), scenario.nodes.end(),
                     [&](const Node& node) { return scenario.node_types[node.type].power.has_value(); });
}

std::vector<double> EnergyWatch::joules(Instant end) const {
  std::vector<double> joules;
  for (const auto& meter : meters_) joules.push_back(meter ? meter->joules(end) : 0);
  return joules;
}

double EnergyWatch::idle_joules(Instant end) const {
  double sum = 0;
  for (const auto& meter : idle_) sum += meter ? meter->joules(end) : 0;
  return sum;
}

void EnergyWatch::on_run(Instant now, std::uint32_t node, AttemptId attempt, const ThreadSet& threads,
                         bool begins) {
  // A worker waits; what it executes is seen by itself.
  if (auto& meter = meters_[node]; meter && !pools_.contains(attempt.task.job))
    threads.for_each([&](std::uint32_t thread) {
      if (begins)
        meter->begin(now, thread);
      else
        meter->end(now, thread);
    });
  if (next_ != nullptr) next_->on_run(now, node, attempt, threads, begins);
}

void EnergyWatch::on_fault(Instant now, const Fault& fault) {
  if (auto& meter = meters_[fault.node]; meter && !fault.lasts()) {
    meter->turn(now, fault.kind == Fault::Kind::kRestart);
    idle_[fault.node]->turn(now, fault.kind == Fault::Kind::kRestart);
  }
  if (next_ != nullptr) next_->on_fault(now, fault);
}

void EnergyWatch::on_controller(Instant now, bool begins) {
  if (next_ != nullptr) next_->on_controller(now, begins);
}

void EnergyWatch::on_commit(Instant now) {
  if (next_ != nullptr) next_->on_commit(now);
}

void EnergyWatch::on_step(Instant now, const Controller& controller, const controller::Event& event,
                          const controller::Commands& commands, std::size_t first) {
  if (const auto* submit = std::get_if<controller::Submit>(&event); submit != nullptr && submit->spec->pool)
    for (std::size_t i = first; i < commands.size(); ++i)
      if (const auto* reply = std::get_if<controller::Reply>(&commands[i]);
          reply != nullptr && reply->refusal.empty())
        pools_.insert(reply->job);
  if (next_ != nullptr) next_->on_step(now, controller, event, commands, first);
}

void EnergyWatch::on_agent_step(Instant now, std::uint32_t node, const Agent& agent,
                                const agent::Event& event, const agent::Commands& commands,
                                std::size_t first) {
  if (next_ != nullptr) next_->on_agent_step(now, node, agent, event, commands, first);
}

void EnergyWatch::on_instant(Instant now, const Controller& controller) {
  if (next_ != nullptr) next_->on_instant(now, controller);
}

}  // namespace duet::sim
