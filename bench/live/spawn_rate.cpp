// How fast a runner runs processes for its agent: N times EXE, at most K at once, from launch to the end
// told.
//   spawn_rate RUNNER EXE N K [CGROUPS [BALLAST_MB]]
// On every processor of this machine, as what it is compared with.
#include <chrono>
#include <vector>

#include "bench/live/bench_runner.h"

namespace {

using namespace duet;
using Clock = std::chrono::steady_clock;

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "spawn_rate RUNNER EXE N K [CGROUPS [BALLAST_MB]]\n");
    return 2;
  }
  const std::vector<char> ballast(argc > 6 ? std::strtoull(argv[6], nullptr, 10) << 20 : 0, 1);
  const std::uint64_t all = std::strtoull(argv[3], nullptr, 10);
  const std::uint64_t at_once = std::strtoull(argv[4], nullptr, 10);
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
  Clock::time_point begin;
  bench::BenchRunner runner(argv[1], argc > 5 ? argv[5] : "", {argv[2]}, [&](const agent::Event& event) {
    const auto* exited = std::get_if<agent::Exited>(&event);
    if (exited == nullptr) return;
    failed += exited->exit_code == 0 ? 0U : 1U;
    runner.runtime().forget(exited->attempt);
    if (runner.launched() < all) runner.launch();
    if (++ended < all) return;
    seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    runner.end();
  });
  runner.run([&] {
    begin = Clock::now();
    while (runner.launched() < all && runner.launched() < at_once) runner.launch();
  });
  if (ended < all) return 1;
  std::printf("runner    exe=%s N=%llu K=%llu: %.0f/s, %llu failed\n", argv[2],
              static_cast<unsigned long long>(all), static_cast<unsigned long long>(at_once),
              static_cast<double>(all) / seconds, static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
