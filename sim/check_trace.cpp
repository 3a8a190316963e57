#include "sim/check_trace.h"

#include "core/codec/encode.h"
#include "core/codec/hash.h"
#include "core/codec/trace_file.h"
#include "sim/cluster_world.h"
#include "sim/run.h"

namespace duet::sim {
namespace {

/// Hashed at once: few calls, and still in the cache.
constexpr std::size_t kBlock = 16 * 1024;

}  // namespace

template <class Event, class Commands>
void StepDigest::append(MachineIndex machine, Instant now, const Event& event, const Commands& commands,
                        std::size_t first) {
  codec::Encoder encoder(bytes_, codec::EncodeContext{.base = now});
  encoder.put_number(machine);
  encoder.put_number(static_cast<std::uint64_t>(to_ns(now)));
  encoder.put(event);
  encoder.put_number(commands.size() - first);
  for (std::size_t i = first; i < commands.size(); ++i) encoder.put(commands[i]);
  encoder.finish();
  if (bytes_.size() >= kBlock) value();
}

std::uint64_t StepDigest::value() {
  if (!bytes_.empty()) chain_ = codec::xxh3(bytes_.span(), chain_);
  bytes_.clear();
  return chain_;
}

void StepDigest::record(MachineIndex machine, Instant now, const controller::Event& event,
                        const controller::Commands& commands, std::size_t first) {
  append(machine, now, event, commands, first);
}

void StepDigest::record(MachineIndex machine, Instant now, const agent::Event& event,
                        const agent::Commands& commands, std::size_t first) {
  append(machine, now, event, commands, first);
}

std::string trace_of(const Scenario& scenario) {
  std::string bytes;
  codec::TraceHeader header;
  header.engine = "loop";
  header.seed = scenario.seed;
  header.controller = scenario.controller;
  for (std::uint32_t node = 0; node < scenario.nodes.size(); ++node)
    header.agents.push_back(agent_config(scenario, node));
  auto writer = codec::TraceWriter::create(std::move(header), codec::TraceOutput::memory(bytes));
  DUET_CHECK(writer);
  WorldOptions options;
  options.controller_sink = writer->get();
  options.agent_sink = writer->get();
  DUET_CHECK(run(scenario, make_loop_engine, options));
  DUET_CHECK((*writer)->finish());
  return bytes;
}

std::optional<std::string> check_trace(std::string_view bytes) {
  auto reader = codec::TraceReader::from_memory(bytes);
  if (!reader) return reader.problems().front().what;
  codec::Frame frame;
  std::uint64_t frames = 0;
  std::vector<Instant> last(reader->header().agents.size() + 1);  // An agent's clock may be wrong.
  while (true) {
    const auto more = reader->next(frame);
    if (!more) return more.problems().front().what;
    if (!*more) return std::nullopt;
    if (frame.number != ++frames) return "a frame is missing";
    if (frame.machine >= last.size()) return "a machine that does not exist acts";
    if (frame.now < last[frame.machine]) return "time goes backwards";
    last[frame.machine] = frame.now;
  }
}

}  // namespace duet::sim
