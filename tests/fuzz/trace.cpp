// Any bytes as a trace: with the hashes checked, and without, so that the decoder behind them is reached too.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "core/codec/trace_file.h"

namespace {

using namespace duet;

template <class M>
void read_step(const codec::Frame& frame) {
  codec::Step<M> step;
  if (!codec::decode<M>(frame, step)) return;
  typename M::Commands commands;
  if (!codec::decode_commands<M>(step, commands)) return;
  std::string line;
  codec::render_step<M>(line, frame.number, frame.machine, frame.now, step.event, commands);
  DUET_CHECK(!line.empty());
}

void read_all(std::string_view bytes, bool check_hashes) {
  auto reader = codec::TraceReader::from_memory(bytes, "input", {.check_hashes = check_hashes});
  if (!reader) return;
  codec::Frame frame;
  for (;;) {
    const auto more = reader->next(frame);
    if (!more || !*more) return;
    if (frame.machine == 0)
      read_step<Controller>(frame);
    else
      read_step<Agent>(frame);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_all(bytes, true);
  read_all(bytes, false);
  return 0;
}
