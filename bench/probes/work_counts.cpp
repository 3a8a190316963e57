// Counts what a run does per task: index nodes and queue entries examined, allocations made. Counts, unlike
// times, are the same on every machine. Usage: work_counts JOBS [QUEUE [SCHEDULER]] -> "examined E tried T
// allocations A".
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "sim/run.h"

namespace {
unsigned long long allocations = 0;
}

// Not inlined: else g++ sees free() meet what operator new returned, and objects.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

using namespace duet;
using namespace duet::sim;

namespace {

/// 100 nodes of three cores with two threads, 70 % loaded.
Scenario scenario_of(std::uint64_t jobs) {
  constexpr std::uint32_t kNodes = 100;
  Scenario s;
  NodeType& type = s.node_types.emplace_back();
  type.offer = {3, 2, {}};
  type.offer.capacity.cpu_m = 6000;
  type.smt_yield = 2;
  for (std::uint32_t i = 0; i < kNodes; ++i) {
    s.nodes.push_back({"n" + std::to_string(i), 0});
    s.controller.inventory.push_back(s.nodes.back().name);
  }
  s.agent.heartbeat = Duration{0};
  s.controller.detector.params.items = {{"dead_after_s", std::int64_t{0}},
                                        {"suspect_after_s", std::int64_t{0}}};
  PoissonWorkload poisson;
  poisson.jobs = jobs;
  poisson.mean_gap_s = 60.0 / (kNodes * 6 * 0.7);
  poisson.task.need.cpu_m = kThread;
  s.workload = poisson;
  return s;
}

/// Remembers the counters of the last instant.
class LastCounters final : public Observer {
 public:
  void on_instant(Instant, const Controller& controller) override {
    counters = controller.counters();
    examined = controller.cluster().index().work().examined;
  }
  Controller::Counters counters;
  std::uint64_t examined = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: work_counts JOBS [QUEUE [SCHEDULER]]\n", stderr), 2;
  Scenario s = scenario_of(std::strtoull(argv[1], nullptr, 10));
  if (argc > 2) s.controller.queue.name = argv[2];
  if (argc > 3) s.controller.scheduler.name = argv[3];
  LastCounters last;
  WorldOptions options;
  options.observer = &last;
  allocations = 0;
  const auto results = run(s, make_loop_engine, options);
  if (!results) return std::fprintf(stderr, "%s\n", results.problems().front().what.c_str()), 1;
  const auto per_task = [&](std::uint64_t n) {
    return static_cast<double>(n) / static_cast<double>(results->jobs.size());
  };
  std::printf("examined %.5f tried %.5f allocations %.5f\n", per_task(last.examined),
              per_task(last.counters.entries_tried), per_task(allocations));
}
