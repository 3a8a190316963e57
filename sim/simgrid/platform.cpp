#include "sim/simgrid/platform.h"

#include <algorithm>
#include <string>

#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/NetZone.hpp>

#include "core/check.h"
#include "sim/engine.h"

namespace duet::sim {

namespace sg = simgrid::s4u;

namespace {

/// More than these would cost more memory than they save time: 10 KB each.
constexpr std::uint32_t kMaxSeats = 4096;

}  // namespace

Platform::Platform(const Scenario& scenario, bool with_processors) : types_(scenario.node_types) {
  sg::NetZone* const zone = sg::create_star_zone("lan");
  control_ = zone->create_host("control", 1e9);
  if (with_processors) {
    nodes_.resize(scenario.nodes.size());
    const bool seats = undisturbed(scenario);
    std::uint32_t cores = 0;
    for (const Node& node : scenario.nodes) cores += types_[node.type].cores();
    cores_ = std::make_unique<Core[]>(cores);
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      NodeModel& node = nodes_[i];
      node.type = &types_[scenario.nodes[i].type];
      node.cores = node.type->cores();
      node.offered_cores = node.type->offer.cores;
      node.threads_per_core = node.type->offer.threads_per_core;
      for (const Fault& fault : scenario.faults)
        if (fault.kind == Fault::Kind::kSlowNode && fault.node == i &&
            std::find(node.factors.begin(), node.factors.end(), fault.factor) == node.factors.end())
          node.factors.push_back(fault.factor);
      if (node.type->plain())
        add_plain(*zone, node, i, seats);
      else
        add_cores(*zone, node, i);
    }
  }
  zone->seal();
}

std::vector<double> Platform::NodeModel::speeds() const {
  std::vector<double> all;
  for (const double factor : factors)
    for (const double speed : type->speed) all.push_back(speed / factor);
  return all;
}

void Platform::slow(std::uint32_t number, double factor) {
  NodeModel& node = nodes_[number];
  const auto at = std::find(node.factors.begin(), node.factors.end(), factor);
  DUET_CHECK(at != node.factors.end());
  node.slowed = static_cast<std::uint32_t>(at - node.factors.begin());
  tune(node);
}

void Platform::add_plain(sg::NetZone& zone, NodeModel& node, std::uint32_t number, bool with_seats) {
  const std::uint32_t threads = node.type->offer.threads();
  const auto add = [&](const std::string& name) {
    sg::Host* const host = zone.create_host(name, node.speeds());
    host->set_core_count(static_cast<int>(threads));
    return host;
  };
  const std::string name = "n" + std::to_string(number);
  node.host = add(name);
  if (!with_seats || node.type->offer.threads_placed()) return;
  node.seats.push_back({node.host});
  while (node.seats.size() < std::min(threads, kMaxSeats))
    node.seats.push_back({add(name + "s" + std::to_string(node.seats.size()))});
  for (auto seat = static_cast<std::uint32_t>(node.seats.size()); seat-- > 0;)
    node.empty_seats.push_back(seat);
}

std::uint32_t Platform::take_seat(std::uint32_t number) {
  NodeModel& node = nodes_[number];
  std::uint32_t seat = 0;
  if (node.empty_seats.empty()) {
    seat = node.next_seat++ % static_cast<std::uint32_t>(node.seats.size());
  } else {
    seat = node.empty_seats.back();
    node.empty_seats.pop_back();
  }
  ++node.seats[seat].executions;
  return seat;
}

void Platform::add_cores(sg::NetZone& zone, NodeModel& node, std::uint32_t number) {
  node.first_core = core_count_;
  node.first_thread = static_cast<std::uint32_t>(load_.size());
  load_.resize(load_.size() + node.type->offer.threads());
  const double together = node.type->smt_yield / node.threads_per_core;
  const double alone = 1.0 / node.threads_per_core;
  for (std::uint32_t c = 0; c < node.cores; ++c) {
    Core& core = cores_[core_count_++];
    core.host = zone.create_host("n" + std::to_string(number) + "c" + std::to_string(c), node.speeds());
    if (node.threads_per_core == 1) continue;
    core.host->set_core_count(static_cast<int>(node.threads_per_core));
    // `bound` is threads_per_core times the current speed of a thread that is alone, and no execution gets
    // more than that speed. SimGrid counts executions; several of them may share one thread, which then does
    // the work of one.
    core.host->set_sharing_policy(sg::Host::SharingPolicy::NONLINEAR,
                                  [&core, together, alone](double bound, int executions) {
                                    if (executions <= 1) return bound;
                                    return bound * (core.busy_threads > 1 ? together : alone);
                                  });
  }
}

Platform::Core& Platform::core_of(const NodeModel& node, std::uint32_t thread) {
  return cores_[node.first_core + node.type->reserved_cores + thread % node.offered_cores];
}

sg::Host* Platform::occupy(std::uint32_t number, std::uint32_t thread) {
  NodeModel& node = nodes_[number];
  DUET_CHECK(node.host == nullptr && thread < threads(number));
  Core& core = core_of(node, thread);
  if (load_[node.first_thread + thread]++ == 0 && core.busy_threads++ == 0) {
    ++node.active_cores;
    tune(node);
  }
  return core.host;
}

void Platform::vacate(std::uint32_t number, std::uint32_t place) {
  NodeModel& node = nodes_[number];
  if (node.host != nullptr) {
    DUET_CHECK(node.seats[place].executions > 0);
    if (--node.seats[place].executions == 0) node.empty_seats.push_back(place);
    return;
  }
  DUET_CHECK(load_[node.first_thread + place] > 0);
  Core& core = core_of(node, place);
  if (--load_[node.first_thread + place] == 0 && --core.busy_threads == 0) {
    --node.active_cores;
    tune(node);
  }
}

std::uint32_t Platform::idlest_thread(std::uint32_t number) const {
  const auto first = load_.begin() + nodes_[number].first_thread;
  return static_cast<std::uint32_t>(std::min_element(first, first + threads(number)) - first);
}

// Also in between, when one core falls idle and another gets busy at one instant: the solver then rounds as
// it does for a program that handles these events one by one, such as bench/raw/raw_simgrid_replay.
void Platform::tune(NodeModel& node) {
  const auto speeds = static_cast<std::uint32_t>(node.type->speed.size());
  const std::uint32_t pstate = node.slowed * speeds + std::min(std::max(node.active_cores, 1U), speeds) - 1;
  if (pstate == node.pstate) return;
  node.pstate = pstate;
  for (const Seat& seat : node.seats) seat.host->set_pstate(pstate);
  if (node.host != nullptr) return void(node.host->set_pstate(pstate));
  for (std::uint32_t c = 0; c < node.cores; ++c) cores_[node.first_core + c].host->set_pstate(pstate);
}

}  // namespace duet::sim
