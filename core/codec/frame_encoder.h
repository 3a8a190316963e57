// Steps to frames of a trace's body, one chained to the other: what every writer of traces has in common.
#pragma once

#include <array>
#include <cstdint>

#include "core/agent.h"
#include "core/codec/bytes.h"
#include "core/codec/hash.h"
#include "core/codec/trace_header.h"
#include "core/controller.h"
#include "core/trace.h"

namespace duet::codec {

/// Bytes of a frame behind its payload.
inline constexpr std::size_t kLink = 4;
/// The end of the body and what follows it: see trace_file.h.
inline constexpr std::size_t kEnd = 1 + 8 + 8 + 32 + 8;

class FrameEncoder {
 public:
  /// Appends the frame of one step to `to`. Allocates only when that has to grow.
  void add(ByteBuffer& to, MachineIndex machine, Instant now, const controller::Event& event,
           const controller::Commands& commands, std::size_t first);
  void add(ByteBuffer& to, MachineIndex machine, Instant now, const agent::Event& event,
           const agent::Commands& commands, std::size_t first);

  /// Of the last frame: its chain value and its instant; 0 before the first. And how many there are.
  std::uint64_t chain() const { return chain_; }
  Instant last() const { return last_; }
  std::uint64_t steps() const { return steps_; }

 private:
  template <class Event, class Commands>
  void append(ByteBuffer& to, MachineIndex machine, Instant now, const Event& event, const Commands& commands,
              std::size_t first);
  void close_frame(ByteBuffer& to, std::size_t start);

  std::uint64_t chain_ = 0;
  std::uint64_t steps_ = 0;
  Instant last_{};
};

/// The end of a body of so many steps and bytes whose last frame has this chain value.
std::array<std::uint8_t, kEnd> trace_end(std::uint64_t steps, std::uint64_t bytes, const Sha256Digest& digest,
                                         std::uint64_t chain);

/// What a file begins with: the first line and the header. An empty duet_version is filled in.
std::string trace_start(TraceHeader header);

}  // namespace duet::codec
