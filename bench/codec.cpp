// codec/WHAT/NODES: the steps of a loaded controller as bytes. One iteration is one step.
#include <memory>
#include <string>
#include <vector>

#include "bench/load/lifecycle.h"
#include "bench/suite.h"
#include "core/check.h"

namespace duet::bench {
namespace {

struct Recorded {
  Instant now;
  controller::Event event;
  controller::Commands commands;
};

/// Steps as they come, until there are enough.
class Steps final : public StepSink<Controller> {
 public:
  void record(MachineIndex, Instant now, const controller::Event& event, const controller::Commands& commands,
              std::size_t first) override {
    all.push_back({now, event, {commands.begin() + static_cast<std::ptrdiff_t>(first), commands.end()}});
  }
  std::vector<Recorded> all;
};

/// What is measured: the steps of 500 lives, and the trace that has them.
struct Sample {
  explicit Sample(std::uint32_t nodes) {
    LifecycleOptions options;
    options.nodes = nodes;
    options.trace = false;
    Lifecycle lives(options);
    Steps sink;
    lives.listen(&sink);
    lives.run(500);
    steps = std::move(sink.all);
    auto made = codec::TraceWriter::create({}, codec::TraceOutput::memory(trace));
    DUET_CHECK(made);
    for (const Recorded& step : steps) (*made)->record(0, step.now, step.event, step.commands, 0);
    DUET_CHECK((*made)->finish());
  }
  std::vector<Recorded> steps;
  std::string trace;
};

const Sample& sample(std::uint32_t nodes) {
  static std::uint32_t of = 0;
  static std::unique_ptr<Sample> kept;
  if (of != nodes) {
    kept.reset();
    kept = std::make_unique<Sample>(nodes);
    of = nodes;
  }
  return *kept;
}

/// Without the hashes.
void encode_all(const Sample& sample, codec::ByteBuffer& buffer) {
  for (const Recorded& step : sample.steps) {
    codec::Encoder encoder(buffer, codec::EncodeContext{.base = step.now});
    encoder.put(step.event);
    encoder.put_number(step.commands.size());
    for (const auto& command : step.commands) encoder.put(command);
    encoder.finish();
  }
}

/// With the hashes, which a reader checks.
void decode_all(const Sample& sample) {
  auto reader = codec::TraceReader::from_memory(sample.trace);
  DUET_CHECK(reader);
  codec::Frame frame;
  codec::Step<Controller> step;
  controller::Commands commands;
  for (;;) {
    const auto more = reader->next(frame);
    DUET_CHECK(more);
    if (!*more) return;
    commands.clear();
    const bool read = codec::decode(frame, step) && codec::decode_commands(step, commands);
    DUET_CHECK(read);
    benchmark::DoNotOptimize(commands.data());
  }
}

void add(const char* what, void (*run)(benchmark::State&, const Sample&)) {
  for (const std::uint32_t nodes : kSizes)
    benchmark::RegisterBenchmark(("codec/" + std::string(what) + '/' + std::to_string(nodes)).c_str(),
                                 [nodes, run](benchmark::State& state) { run(state, sample(nodes)); });
}

}  // namespace

void add_codec() {
  add("encode", [](benchmark::State& state, const Sample& of) {
    codec::ByteBuffer buffer;
    measure(state, of.steps.size(), [&](std::uint64_t) {
      buffer.clear();
      encode_all(of, buffer);
    });
  });
  add("decode", [](benchmark::State& state, const Sample& of) {
    measure(state, of.steps.size(), [&](std::uint64_t) { decode_all(of); });
  });
  add("hash", [](benchmark::State& state, const Sample& of) {
    const auto bytes = codec::as_bytes(of.trace);
    const std::size_t step = bytes.size() / of.steps.size();
    codec::Sha256 sha;
    measure(state, of.steps.size(), [&](std::uint64_t) {
      std::uint64_t chain = 0;
      for (std::size_t at = 0; at + step <= bytes.size(); at += step)
        chain = codec::xxh3(bytes.subspan(at, step), chain);
      sha.update(bytes);
      benchmark::DoNotOptimize(chain);
      benchmark::DoNotOptimize(sha.finish());
    });
  });
}

}  // namespace duet::bench
