// decision/SCHEDULER/NODES and step/WHAT/NODES: the controller under load.
#include <memory>
#include <string>

#include "bench/load/lifecycle.h"
#include "bench/suite.h"

namespace duet::bench {
namespace {

/// A cluster takes seconds to fill, and a benchmark is called again and again: the last one is kept.
Lifecycle& kept(const LifecycleOptions& options) {
  static std::string which;
  static std::unique_ptr<Lifecycle> lives;
  const std::string asked =
      options.scheduler + '/' + std::to_string(options.nodes) + (options.trace ? "/trace" : "");
  if (which != asked) {
    lives.reset();
    lives = std::make_unique<Lifecycle>(options);
    lives->run(200);
    which = asked;
  }
  return *lives;
}

Lifecycle& untraced(std::uint32_t nodes) {
  LifecycleOptions options;
  options.nodes = nodes;
  options.trace = false;
  return kept(options);
}

constexpr std::uint64_t kBatch = 64;

template <class Measure>
void add_step(const char* what, Measure measure_it) {
  for (const std::uint32_t nodes : kSizes)
    benchmark::RegisterBenchmark(
        ("step/" + std::string(what) + '/' + std::to_string(nodes)).c_str(),
        [nodes, measure_it](benchmark::State& state) { measure_it(state, untraced(nodes)); })
        ->UseManualTime();
}

}  // namespace

void add_decisions() {
  for (const auto& entry : scheduler_policies())
    for (const std::uint32_t nodes : kSizes)
      benchmark::RegisterBenchmark(
          ("decision/" + std::string(entry.name) + '/' + std::to_string(nodes)).c_str(),
          [name = std::string(entry.name), nodes](benchmark::State& state) {
            LifecycleOptions options;
            options.scheduler = name;
            options.nodes = nodes;
            Lifecycle& lives = kept(options);
            measure(state, 16, [&](std::uint64_t n) { lives.run(n); });
          });
}

void add_steps() {
  add_step("heartbeat", [](benchmark::State& state, Lifecycle& lives) {
    measure(
        state, kBatch, [&](std::uint64_t n) { lives.heartbeats(n); }, [] {});
  });
  add_step("submit", [](benchmark::State& state, Lifecycle& lives) {
    measure(
        state, kBatch, [&](std::uint64_t n) { lives.submits(n); },
        [&] {
          lives.places();
          lives.ends(kBatch);
          lives.places();
        });
  });
  add_step("finish", [](benchmark::State& state, Lifecycle& lives) {
    measure(
        state, kBatch, [&](std::uint64_t n) { lives.ends(n); },
        [&] {
          lives.submits(kBatch);
          lives.places();
        });
  });
}

}  // namespace duet::bench
