// What an engine does for the simulated world: it passes time and executes operations. It decides nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/resources.h"
#include "core/result.h"
#include "core/time.h"
#include "sim/scenario.h"

namespace duet::sim {

/// An execution in progress, named by a small number that the world uses again after its end.
using ExecId = std::uint32_t;

/// What an execution is to do, and where.
struct ExecSpec {
  ExecId id = 0;
  std::uint32_t node = 0;           ///< Index into Scenario::nodes.
  ThreadSet threads = {};           ///< Of that node; empty: where the engine likes.
  std::uint32_t width = 1;          ///< How many threads, i.e. the size of `threads` if that is not empty.
  std::int64_t operations = 0;      ///< On each of them.
  std::uint32_t quota_m = kThread;  ///< At most this share of a thread's top speed, in thousandths; above 0.
  std::uint32_t priority = 1;       ///< Its weight against others on the same core; above 0.
};

/// The world, as an engine sees it.
class World {
 public:
  virtual ~World() = default;
  /// The earliest instant at which something other than an execution is due; kNever if nothing is.
  virtual Instant next_due() const = 0;
  /// Plays everything that happens at `now`: what is due, and the executions that ended at this instant (in
  /// any order, each once). Called at most once per instant; instants ascend. May call Engine::start and
  /// Engine::cancel; an ExecId in `ended` may be started again during the call.
  virtual void play(Instant now, std::span<const ExecId> ended) = 0;
  /// True when there is nothing left to play; the engine then returns from run().
  virtual bool over() const = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;

  /// Starts an execution. It ends when all its threads are done.
  virtual void start(const ExecSpec& spec) = 0;
  /// Stops an execution that has not been reported as ended. It will not be reported.
  virtual void cancel(ExecId id) = 0;

  /// From now on the node is slower by this factor than it is by nature; 1 = as it is. The scenario has a
  /// fault that says so.
  virtual void slow(std::uint32_t node, double factor) = 0;

  /// The time at which World::play() is being called, as exactly as the engine knows it: an instant is that
  /// rounded to nanoseconds.
  virtual double clock_s() const = 0;

  /// Plays the world from instant 0 until it is over.
  virtual void run(World& world) = 0;
};

/// True if no task can slow down another where threads do not share cores: all that run on a node together
/// never want more than it has.
bool undisturbed(const Scenario& scenario);

/// The bare event loop: every thread runs at its type's first speed, undisturbed. Refuses what would make
/// that untrue: tasks with operations that take parts of threads and, if `needs_cpu_model`, i.e. if some task
/// has operations, nodes whose speed depends on their load.
Result<std::unique_ptr<Engine>> make_loop_engine(const Scenario& scenario, bool needs_cpu_model);

/// The one place where the engines' seconds become nanoseconds: to the nearest.
Instant instant_of_seconds(double seconds);
double seconds_of(Instant instant);

}  // namespace duet::sim
