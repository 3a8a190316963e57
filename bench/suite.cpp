#include "bench/suite.h"

#include <ctime>

namespace duet::bench {

double cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void measure(benchmark::State& state, std::uint64_t n, const std::function<void(std::uint64_t)>& work,
             const std::function<void()>& between) {
  const auto batch = static_cast<benchmark::IterationCount>(n);
  if (!between) {
    while (state.KeepRunningBatch(batch)) work(n);
    return;
  }
  while (state.KeepRunningBatch(batch)) {
    const double began = cpu_s();
    work(n);
    state.SetIterationTime(cpu_s() - began);
    between();
  }
}

}  // namespace duet::bench

int main(int argc, char** argv) {
  using namespace duet::bench;
  add_decisions();
  add_steps();
  add_codec();
  add_index();
  add_engines();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
