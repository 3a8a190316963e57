// A scenario as a value: what a scenario file says, validated and with every default filled in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/config.h"
#include "core/energy.h"
#include "core/model.h"

namespace duet::sim {

/// A kind of machine, and how its processor is modelled. One operation is one cycle of useful work.
struct NodeType {
  std::string name;
  NodeOffer offer;  ///< What tasks may use: the machine without its first `reserved_cores` cores.
  std::uint32_t reserved_cores = 0;
  std::vector<std::string> zones;  ///< What its people call the offered cores; empty: nothing in particular.
  /// Operations per second of one thread that has its core to itself, by the number of busy cores of the node
  /// (1, 2, ...; the last entry holds for all above). One entry: no turbo.
  std::vector<double> speed{1e9};
  /// What a core with two or more busy threads does together, as a multiple of one busy thread alone.
  /// Equal to threads_per_core: threads do not disturb each other.
  double smt_yield = 1.0;
  std::optional<PowerModel> power;  ///< Nothing: its energy is not asked for.

  std::uint32_t cores() const { return reserved_cores + offer.cores; }
  /// The number that the machine itself gives to an offered thread: Linux counts the first threads of all
  /// cores, then their second ones.
  std::uint32_t machine_thread(std::uint32_t thread) const {
    return reserved_cores + thread % offer.cores + thread / offer.cores * cores();
  }
  /// True if a thread's speed never depends on its neighbours.
  bool plain() const { return speed.size() == 1 && smt_yield == static_cast<double>(offer.threads_per_core); }
};

struct Node {
  std::string name;
  std::uint32_t type = 0;  ///< Index into Scenario::node_types.
};

/// A job and when it is submitted.
struct Arrival {
  Instant at;
  JobSpecPtr spec;
};

/// One imported rigid job, kept small: logs have millions.
struct TableJob {
  std::int64_t submit_ns = 0;
  std::int64_t duration_ns = 0;  ///< 0 if `operations` is given.
  std::int64_t operations = 0;   ///< Per thread; 0 if `duration_ns` is given.
  std::int64_t estimate_ns = 0;  ///< 0 = none
  std::int64_t timeout_ns = 0;   ///< 0 = never
  std::uint32_t tasks = 1;       ///< Gang width.
  std::uint32_t cores = 1;       ///< Threads of each task.
  std::uint32_t user = 0;        ///< On whose behalf, as the log numbers them; 0 = unknown.
  std::string id;
};
struct JobTable {
  std::vector<TableJob> jobs;  ///< In submission order: ascending submit_ns, then as in the log.
};

/// Independent jobs, exponential gaps and exponential run times (or fixed ones), drawn from the scenario's
/// seed.
struct PoissonWorkload {
  std::uint64_t jobs = 0;
  double mean_gap_s = 1.0;
  double mean_duration_s = 60.0;  ///< Used if mean_operations is 0.
  double mean_operations = 0.0;
  bool fixed_size = false;       ///< Every job exactly the mean instead of an exponential draw.
  double estimate_factor = 1.0;  ///< estimate = factor * the drawn run time; 0 = no estimate.
  TaskSpec task;                 ///< need, exclusive, timeout of each task.
  std::uint32_t tasks = 1;       ///< Gang width.
  std::uint32_t retries = 0;
};

/// Lublin and Feitelson, "The workload on parallel supercomputers: modeling the characteristics of rigid
/// jobs", JPDC 63(11), 2003: the batch part of the model.
struct LublinWorkload {
  std::uint64_t jobs = 0;
  std::uint32_t max_cores = 256;  ///< Size of the machine; jobs need 1 .. max_cores.
  bool gangs = false;  ///< A job of n cores is a gang of n one-core tasks instead of one task of n cores.
  double load_factor = 1.0;      ///< Divides the gaps between arrivals.
  double estimate_factor = 1.0;  ///< As in PoissonWorkload.
};

using Workload = std::variant<std::vector<Arrival>, JobTable, PoissonWorkload, LublinWorkload>;

/// What an operator does during the run.
struct OperatorEvent {
  enum class Kind : std::uint8_t { kCancel, kDrain, kEvict, kUndrain, kScale, kUpdate, kSubmitAgain };
  Instant at;
  Kind kind = Kind::kCancel;
  std::string job;             ///< If of_job(): key of the job (all of that key submitted so far).
  std::uint32_t node = 0;      ///< Index into Scenario::nodes, else.
  std::uint32_t replicas = 0;  ///< kScale.
  JobSpecPtr spec{};           ///< kUpdate: what the service becomes; kSubmitAgain: what is submitted.
  bool changed = false;        ///< kSubmitAgain: `spec` is not what was submitted first.

  /// True if it speaks of a job, not of a node.
  bool of_job() const { return kind != Kind::kDrain && kind != Kind::kEvict && kind != Kind::kUndrain; }
};

/// What may happen to messages. Fate is keyed by (seed, link, number). Probabilities in parts per million.
struct MessageFaults {
  std::uint32_t loss_ppm = 0;
  std::uint32_t duplicate_ppm = 0;
  std::uint32_t delay_ppm = 0;  ///< A message is delayed by up to max_delay on top of the latency.
  Duration max_delay{0};

  bool any() const { return loss_ppm + duplicate_ppm + delay_ppm > 0; }
};

/// Those of the whole network, from the start of the run.
struct NetworkFaults : MessageFaults {
  Instant until = Instant{};  ///< No message sent at or after this instant is touched.
};

/// What breaks during the run. Of the last fields each kind has those that name it.
struct Fault {
  enum class Kind : std::uint8_t {
    kCrash,
    kRestart,
    kSlowNode,
    kPartition,
    kNetwork,
    kClockSkew,
    kControllerRestart,
    kStoreDelay,
    kStoreFailure,
    kAgentRestart,
    kStuckNode,
    kUnhealthy,
  };
  enum class Direction : std::uint8_t { kBoth, kToAgent, kToController };
  Instant at;
  Kind kind = Kind::kCrash;
  std::uint32_t node = 0;                  ///< If of_one_node(): index into the nodes.
  Instant until = kNever;                  ///< All but kCrash and kRestart: from then on it is over.
  std::vector<std::uint32_t> nodes = {};   ///< kPartition, kNetwork: those whose links suffer, ascending.
  Direction direction = Direction::kBoth;  ///< kPartition: of the messages that are lost.
  MessageFaults messages = {};             ///< kNetwork
  double factor = 1;                       ///< kSlowNode: what its speed is divided by.
  std::uint32_t rate_ppm = 1'000'000;      ///< kClockSkew: how fast the clock goes.
  Duration delay{0};                       ///< kClockSkew: how far it jumps; kStoreDelay: of a commit.
  std::string job = {};                    ///< kUnhealthy: key of the job whose attempts fail their checks.
  std::optional<std::uint32_t> task = {};  ///< kUnhealthy: only this one; nothing: all of them.
  bool new_attempts = false;               ///< kUnhealthy: also those that begin while it lasts.

  /// `node` says which one.
  bool of_one_node() const {
    return kind == Kind::kCrash || kind == Kind::kRestart || kind == Kind::kSlowNode ||
           kind == Kind::kClockSkew || kind == Kind::kAgentRestart || kind == Kind::kStuckNode;
  }
  bool lasts() const { return kind != Kind::kCrash && kind != Kind::kRestart; }
  /// One of a node's link, for messages that go there (or else come from there).
  bool cuts(std::uint32_t link, bool to_agent) const {
    return kind == Kind::kPartition && hits(link) &&
           direction != (to_agent ? Direction::kToController : Direction::kToAgent);
  }
  bool hits(std::uint32_t link) const { return std::binary_search(nodes.begin(), nodes.end(), link); }
};

/// `metric relation bound`, e.g. makespan_s <= 120.
struct Assertion {
  std::string metric;
  std::string relation;  ///< One of < <= == != >= >
  double bound = 0;
  std::string text;  ///< As written.
};

struct Scenario {
  std::string name;
  std::string description;
  std::uint64_t seed = 1;
  std::optional<Instant> horizon;  ///< The run stops here; nothing = when all is done.

  std::vector<NodeType> node_types;
  std::vector<Node> nodes;
  std::vector<std::string> countable;  ///< Names of the countable resource kinds, at most kCountableKinds.
  Duration latency{0};                 ///< One way, controller to agent and back.
  Duration commit_delay{0};            ///< Until a Persist is durable.
  AgentConfig agent;            ///< heartbeat, resend_after, kill_grace; name and offer come from the node.
  ControllerConfig controller;  ///< inventory is filled with the names of `nodes`; seed derives from `seed`.

  Workload workload;
  std::vector<OperatorEvent> events;  ///< Ascending in time, as written within one instant.
  std::vector<Fault> faults;          ///< Ascending in time, as written within one instant.
  NetworkFaults network;
  std::vector<Assertion> assertions;

  /// Some fault ends the controller's life, so that another one starts from the store.
  bool controller_dies() const {
    return std::any_of(faults.begin(), faults.end(), [](const Fault& fault) {
      return fault.kind == Fault::Kind::kControllerRestart || fault.kind == Fault::Kind::kStoreFailure;
    });
  }
};

/// Yields the jobs of a scenario in the order of their submission, without holding them all.
class ArrivalSource {
 public:
  virtual ~ArrivalSource() = default;
  /// The next job; nothing when there are no more. Instants never decrease.
  virtual std::optional<Arrival> next() = 0;
  /// How many jobs there will be in all; 0 if that is not known. For reserving storage.
  virtual std::size_t expected() const = 0;
};

/// The work of a replica of which nothing says how long it takes: it runs until it is ended.
inline constexpr Duration kForever = Duration::max();

/// The jobs of `scenario`, which must outlive the source.
std::unique_ptr<ArrivalSource> open_workload(const Scenario& scenario);

}  // namespace duet::sim
