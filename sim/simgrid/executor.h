// How single SimGrid executions are started, stopped and seen to end. There are two ways, which must agree.
#pragma once

#include <cstdint>
#include <memory>

#include <simgrid/forward.h>

namespace duet::sim {

/// One SimGrid execution, by a small number that is used again after its end.
using PartId = std::uint32_t;

/// Learns of ends. Called at the simulated time of the end, between SimGrid's steps or in one of its actors.
class PartListener {
 public:
  virtual ~PartListener() = default;
  virtual void on_part_ended(PartId part) = 0;
  /// After the last on_part_ended() of a simulated time; never inside an actor.
  virtual void on_parts_settled() = 0;
};

struct PartSpec {
  simgrid::s4u::Host* host = nullptr;
  std::uint32_t threads = 1;
  double operations = 0;  ///< On each of them.
  double top_speed = 0;   ///< Operations per second, at most; 0: as the host allows.
  std::uint32_t priority = 1;
};

class PartExecutor {
 public:
  virtual ~PartExecutor() = default;
  /// Executes it, from now on.
  virtual PartId start(const PartSpec& spec) = 0;
  /// Stops a part that has not ended; nobody hears of it again.
  virtual void cancel(PartId part) = 0;
  /// Called whenever the simulated time has moved on.
  virtual void on_time_advance() = 0;
  /// True while parts have ended that the listener has not been told of.
  virtual bool is_settling() const = 0;
  /// Lets SimGrid's main loop end. Nothing may be running.
  virtual void shut_down() = 0;
};

/// The fast way: reused executions that belong to no actor, their ends read from the processor model.
std::unique_ptr<PartExecutor> make_shell_executor(PartListener& listener);

/// The textbook way: an actor for each execution in progress, blocked until its end.
std::unique_ptr<PartExecutor> make_actor_executor(PartListener& listener, simgrid::s4u::Host* control);

/// SimGrid's model of the processors. There is one once a platform exists.
simgrid::kernel::resource::Model& cpu_model();

}  // namespace duet::sim
