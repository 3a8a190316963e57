// What is checked on the trace of a run: the same seed gives the same bytes (I18), and altered bytes are
// noticed (I16).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/agent.h"
#include "core/codec/bytes.h"
#include "core/controller.h"
#include "core/trace.h"
#include "sim/scenario.h"

namespace duet::sim {

/// XXH3 over all steps of a run, events and commands, in order. Cheaper than a trace, and as exact.
class StepDigest final : public StepSink<Controller>, public StepSink<Agent> {
 public:
  void record(MachineIndex machine, Instant now, const controller::Event& event,
              const controller::Commands& commands, std::size_t first) override;
  void record(MachineIndex machine, Instant now, const agent::Event& event, const agent::Commands& commands,
              std::size_t first) override;
  /// Of everything so far.
  std::uint64_t value();

 private:
  template <class Event, class Commands>
  void append(MachineIndex machine, Instant now, const Event& event, const Commands& commands,
              std::size_t first);

  codec::ByteBuffer bytes_;
  std::uint64_t chain_ = 0;
};

/// Plays the scenario on the loop engine and returns its trace file.
std::string trace_of(const Scenario& scenario);

/// Reads a trace file from its bytes. What is wrong with it: a broken chain, a gap, time that goes backwards.
std::optional<std::string> check_trace(std::string_view bytes);

}  // namespace duet::sim
