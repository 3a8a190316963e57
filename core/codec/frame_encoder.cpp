#include "core/codec/frame_encoder.h"

#include <cstring>
#include <utility>

#include "core/codec/encode.h"
#include "core/codec/trace_file.h"

#ifndef DUET_VERSION
#define DUET_VERSION "unknown"
#endif

namespace duet::codec {

/// Flattened: an encoder that is passed to functions that are not inlined keeps its position in memory,
/// which makes it twice as slow. What is not encoding must not be drawn in: close_frame() is never inlined.
template <class Event, class Commands>
[[gnu::flatten]] void FrameEncoder::append(ByteBuffer& to, MachineIndex machine, Instant now,
                                           const Event& event, const Commands& commands, std::size_t first) {
  const std::size_t start = to.size();
  Encoder encoder(to, EncodeContext{.base = now});
  encoder.put(std::uint8_t{0});  // the length, once it is known
  encoder.put_number(machine);
  encoder.put(now - last_);
  encoder.put(event);
  encoder.put_number(commands.size() - first);
  for (std::size_t i = first; i < commands.size(); ++i) encoder.put(commands[i]);
  encoder.finish();
  last_ = now;
  ++steps_;
  close_frame(to, start);
}

void FrameEncoder::close_frame(ByteBuffer& to, std::size_t start) {
  const std::size_t length = to.size() - start - 1;
  const std::size_t digits = varint_size(length);
  if (digits > 1) {
    to.reserve_more(digits);
    std::uint8_t* payload = to.data() + start + 1;
    std::memmove(payload + digits - 1, payload, length);
  }
  // A varint may scribble behind itself, where the payload already is.
  std::uint8_t head[16];
  put_varint(head, length);
  std::memcpy(to.data() + start, head, digits);
  std::uint8_t* payload = to.data() + start + digits;
  chain_ = xxh3({payload, length}, chain_);
  store_u32(payload + length, static_cast<std::uint32_t>(chain_));
  to.set_end(payload + length + kLink);
}

void FrameEncoder::add(ByteBuffer& to, MachineIndex machine, Instant now, const controller::Event& event,
                       const controller::Commands& commands, std::size_t first) {
  append(to, machine, now, event, commands, first);
}
void FrameEncoder::add(ByteBuffer& to, MachineIndex machine, Instant now, const agent::Event& event,
                       const agent::Commands& commands, std::size_t first) {
  append(to, machine, now, event, commands, first);
}

std::array<std::uint8_t, kEnd> trace_end(std::uint64_t steps, std::uint64_t bytes, const Sha256Digest& digest,
                                         std::uint64_t chain) {
  std::array<std::uint8_t, kEnd> end{};
  put_varint(end.data(), 0);
  store_u64(end.data() + 1, steps);
  store_u64(end.data() + 9, bytes);
  std::memcpy(end.data() + 17, digest.data(), digest.size());
  store_u64(end.data() + 49, xxh3({end.data() + 1, 48}, chain));
  return end;
}

std::string trace_start(TraceHeader header) {
  if (header.duet_version.empty()) header.duet_version = DUET_VERSION;
  const std::string json = to_json(header);
  return first_line(json) + json + '\n';
}

}  // namespace duet::codec
