// The hosts of a scenario in SimGrid, and the part of the processor model that SimGrid does not have: turbo.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <simgrid/forward.h>

#include "sim/scenario.h"

namespace duet::sim {

/// One flat star zone. A plain node is one host with as many cores as the node has threads. A node with turbo
/// or SMT is one host per core, reserved ones included: the threads of a core share it nonlinearly, and the
/// speed of all cores of the node follows the number of busy ones (a change of pstate). Threads are numbered
/// as in placements, over the cores that tasks may use.
///
/// SimGrid computes the speeds of all executions of a host whenever one of them begins or ends. On a pool of
/// thousands of threads that takes long and finds nothing, if tasks cannot slow each other down: such a pool
/// is many hosts, each as large as the pool, and whatever runs takes one for itself, a seat.
class Platform {
 public:
  /// Without `with_processors` only the control host exists: then nothing is executed, only time passes.
  Platform(const Scenario& scenario, bool with_processors);

  simgrid::s4u::Host* control_host() const { return control_; }
  bool by_core(std::uint32_t node) const { return nodes_[node].host == nullptr; }
  /// Of a plain node.
  simgrid::s4u::Host* host(std::uint32_t node) const { return nodes_[node].host; }
  bool has_seats(std::uint32_t node) const { return !nodes_[node].seats.empty(); }
  simgrid::s4u::Host* seat(std::uint32_t node, std::uint32_t seat) const {
    return nodes_[node].seats[seat].host;
  }
  /// Notes one more execution on a seat: on an empty one, as long as there are any.
  std::uint32_t take_seat(std::uint32_t node);
  std::uint32_t threads(std::uint32_t node) const {
    return nodes_[node].offered_cores * nodes_[node].threads_per_core;
  }
  /// Operations per second of a thread when nothing else runs on the node.
  double top_speed(std::uint32_t node) const { return nodes_[node].type->speed.front(); }

  /// The node is slower by this factor from now on: 1, or one that a fault of the scenario names.
  void slow(std::uint32_t node, double factor);

  /// Notes one execution less, on a thread or a seat.
  void vacate(std::uint32_t node, std::uint32_t place);

  // Of a node that is modelled by core.

  /// Notes one more execution on a thread; the node's speed follows. Returns the host of the thread's core.
  simgrid::s4u::Host* occupy(std::uint32_t node, std::uint32_t thread);
  /// The thread with the fewest executions, the lowest of those.
  std::uint32_t idlest_thread(std::uint32_t node) const;

 private:
  struct Seat {
    simgrid::s4u::Host* host = nullptr;
    std::uint32_t executions = 0;
  };
  struct NodeModel {
    const NodeType* type = nullptr;
    simgrid::s4u::Host* host = nullptr;      // null if modelled by core
    std::vector<Seat> seats;                 // of some pools
    std::vector<std::uint32_t> empty_seats;  // the last one is taken first: it is still in the cache
    std::uint32_t next_seat = 0;             // to be shared, when none is empty
    std::uint32_t first_core = 0;
    std::uint32_t first_thread = 0;
    std::uint32_t cores = 0;  // the reserved ones come first
    std::uint32_t offered_cores = 0;
    std::uint32_t threads_per_core = 0;
    std::uint32_t active_cores = 0;
    std::uint32_t pstate = 0;
    std::vector<double> factors{1};  // by which it may be slowed: for each the speeds follow one another
    std::uint32_t slowed = 0;        // which of them holds
    std::vector<double> speeds() const;
  };
  struct Core {
    simgrid::s4u::Host* host = nullptr;
    std::uint32_t busy_threads = 0;
  };

  void add_plain(simgrid::s4u::NetZone& zone, NodeModel& node, std::uint32_t number, bool with_seats);
  void add_cores(simgrid::s4u::NetZone& zone, NodeModel& node, std::uint32_t number);
  Core& core_of(const NodeModel& node, std::uint32_t thread);
  void tune(NodeModel& node);

  std::vector<NodeType> types_;
  simgrid::s4u::Host* control_ = nullptr;
  std::vector<NodeModel> nodes_;
  std::unique_ptr<Core[]> cores_;  // the sharing callbacks point into it
  std::uint32_t core_count_ = 0;
  std::vector<std::uint32_t> load_;  // executions, by thread
};

}  // namespace duet::sim
