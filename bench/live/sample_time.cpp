// How long a sample takes of a runner that has N attempts which sleep, asked by its agent: the best and the
// median of 50, and how many samples it took to measure every attempt once.
//   sample_time RUNNER N [CGROUPS]
#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

#include "bench/live/bench_runner.h"

namespace {

using namespace duet;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kSamples = 50;
/// While attempts still start, there is more to read and less time.
constexpr std::size_t kBefore = 50;

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "sample_time RUNNER N [CGROUPS]\n");
    return 2;
  }
  const std::uint64_t all = std::strtoull(argv[2], nullptr, 10);
  std::uint64_t started = 0;
  std::vector<double> times;
  std::set<AttemptId> seen;
  std::size_t asked = 0;
  std::size_t round = 0;
  std::function<void()> sample;
  bench::BenchRunner runner(argv[1], argc > 3 ? argv[3] : "", {"/bin/sleep", "1000"},
                            [&](const agent::Event& event) {
                              if (std::holds_alternative<agent::Started>(event) && ++started == all) sample();
                            });
  sample = [&] {
    runner.runtime().sample([&, begin = Clock::now()](const std::vector<live::AttemptFacts>& facts) {
      if (++asked <= kBefore) return sample();
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
      for (const live::AttemptFacts& one : facts) seen.insert(one.attempt);
      if (round == 0 && seen.size() == all) round = times.size();
      times.size() < kSamples ? sample() : runner.end();
    });
  };
  runner.run([&] {
    while (runner.launched() < all) runner.launch();
  });
  if (round == 0) return 1;
  std::ranges::sort(times);
  std::printf("sample    N=%llu: best %.2f ms, median %.2f ms, every attempt in %zu samples\n",
              static_cast<unsigned long long>(all), times.front(), times[times.size() / 2], round);
  return 0;
}
