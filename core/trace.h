// Traced<M>: a machine around a machine that hands every step to a sink, so every driver records for free.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "core/machine.h"

namespace duet {

/// Which machine of a run a step belongs to: 0 is the controller, 1 + n the agent of node number n of the
/// driver.
using MachineIndex = std::uint32_t;

template <class M>
class StepSink {
 public:
  virtual ~StepSink() = default;
  /// One step as it happened. `commands[first..]` are those that this step appended.
  virtual void record(MachineIndex machine, Instant now, const typename M::Event& event,
                      const typename M::Commands& commands, std::size_t first) = 0;
};

template <class M>
class Traced {
 public:
  using Event = typename M::Event;
  using Commands = typename M::Commands;

  /// `sink` may be null: then nothing is recorded. It must outlive this.
  Traced(M machine, MachineIndex index, StepSink<M>* sink)
      : machine_(std::move(machine)), sink_(sink), index_(index) {}

  void step(Instant now, const Event& event, Commands& out) {
    const std::size_t first = out.size();
    machine_.step(now, event, out);
    if (sink_ != nullptr) sink_->record(index_, now, event, out, first);
  }
  std::optional<Instant> next_deadline() const { return machine_.next_deadline(); }
  const M& machine() const { return machine_; }

 private:
  M machine_;
  StepSink<M>* sink_;
  MachineIndex index_;
};

}  // namespace duet
