// index/WHAT/NODES: TargetIndex with 80 % of its CPU taken.
#include "core/index.h"

#include <memory>
#include <string>
#include <vector>

#include "bench/suite.h"
#include "core/rng.h"

namespace duet::bench {
namespace {

constexpr std::int64_t kCpuM = 8 * kThread;
constexpr std::int64_t kMemory = 32 * 1024 * kMiB;

struct Targets {
  explicit Targets(std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) {
      index.add({kCpuM, kMemory, {}}, kThread);
      change(i);
    }
    for (std::size_t i = 0; i < 4096; ++i) {
      Request request;
      request.need.cpu_m = 100 * rng.between(1, 40);
      request.need.memory_bytes = rng.between(128, 4224) * kMiB;
      requests.push_back(request);
    }
  }
  void change(std::uint64_t i) {
    Room room;
    room.free.cpu_m = 100 * rng.between(0, 32);  // A fifth of what there is, on average.
    room.free.memory_bytes = kMiB * rng.between(0, 32 * 1024);
    room.slots = room.free.cpu_m / kThread;
    index.set(NodeId{i}, room, true, static_cast<std::uint32_t>(rng.below(8)));
  }
  Rng rng{42};
  TargetIndex index;
  std::vector<Request> requests;
  std::size_t next = 0;
};

Targets& targets(std::uint32_t nodes) {
  static std::uint32_t of = 0;
  static std::unique_ptr<Targets> kept;
  if (of != nodes) kept = std::make_unique<Targets>(of = nodes);
  return *kept;
}

void add(const char* what, std::uint64_t batch, void (*once)(Targets&)) {
  for (const std::uint32_t nodes : kSizes)
    benchmark::RegisterBenchmark(("index/" + std::string(what) + '/' + std::to_string(nodes)).c_str(),
                                 [=](benchmark::State& state) {
                                   Targets& of = targets(nodes);
                                   measure(state, batch, [&](std::uint64_t n) {
                                     for (; n > 0; --n) once(of);
                                   });
                                 });
}

}  // namespace

void add_index() {
  // Before anything asks for the best: from then on classes are kept, too.
  add("update", 256, [](Targets& of) { of.change(of.rng.below(of.index.size())); });
  add("first_fit", 256, [](Targets& of) {
    const NodeId from{of.rng.below(of.index.size())};
    benchmark::DoNotOptimize(of.index.first_fit(of.requests[of.next++ & 4095], from));
  });
  add("best", 16, [](Targets& of) {
    const auto score = [](const Target& target) { return target.room.free.cpu_m; };
    benchmark::DoNotOptimize(of.index.best(of.requests[of.next++ & 4095], score));
    of.change(of.rng.below(of.index.size()));
  });
}

}  // namespace duet::bench
