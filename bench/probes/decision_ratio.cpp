// What a decision costs, over what it would cost if only the choice of a node had to be made: for
// bench/ratio.sh. Usage: decision_ratio decision|easy|e_pvm|growth|profile [ROUNDS [SCHEDULER...]]
//
// Everything of one mode runs in this one process, in turns (A B A B), in CPU time of the thread, so that
// what else the machine does hits both. The first lines are for people; the last says `NAME: ratio R (min A,
// max B), gate G`, and the exit code is 1 beyond the gate.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/lifecycle.h"
#include "bench/load/raw_picks.h"
#include "bench/raw/node_selection.h"

using namespace duet;
using namespace duet::bench;

namespace {

constexpr std::uint32_t kNodes = 10'000;
using Names = std::vector<std::string>;
const Names kSix{"first_fit", "round_robin", "bin_pack", "spread", "least_load", "lowest_cpu"};

double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

/// CPU nanoseconds of one of `count` things that `work` does.
double ns_of_one(std::uint64_t count, const std::function<void(std::uint64_t)>& work) {
  const double began = cpu_ns();
  work(count);
  return (cpu_ns() - began) / static_cast<double>(count);
}

struct Spread {
  double median = 0, least = 0, most = 0;
};
Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return {n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2, values.front(),
          values.back()};
}

/// Rounds of both in turn.
struct Turns {
  Spread a, b, ratio;
};
Turns in_turns(unsigned rounds, const std::function<double()>& a, const std::function<double()>& b) {
  std::vector<double> as, bs, ratios;
  for (unsigned i = 0; i < rounds; ++i) {
    as.push_back(a());
    bs.push_back(b());
    ratios.push_back(as.back() / bs.back());
  }
  return {spread_of(as), spread_of(bs), spread_of(ratios)};
}

/// The last line, and the exit code.
int verdict(const char* name, const Spread& ratio, double gate, bool at_least = false) {
  std::printf("%s: ratio %.3f (min %.3f, max %.3f), gate %s%g\n", name, ratio.median, ratio.least, ratio.most,
              at_least ? ">= " : "", gate);
  return at_least ? ratio.median < gate : ratio.median > gate;
}

LifecycleOptions options_of(const std::string& scheduler, LifecycleOptions::Shape shape,
                            std::uint32_t nodes = kNodes) {
  LifecycleOptions options;
  options.scheduler = scheduler;
  options.shape = shape;
  options.nodes = nodes;
  return options;
}

/// The first lives after a cluster was filled in order are not like the later ones. Five for each node
/// replace all that runs; with schedulers that take long, four seconds of them must do.
std::unique_ptr<Lifecycle> settled(const LifecycleOptions& options) {
  auto made = std::make_unique<Lifecycle>(options);
  const double until = cpu_ns() + 4e9;
  while (made->ended() < std::uint64_t{options.nodes} * 5 && cpu_ns() < until) made->run(500);
  return made;
}

/// CPU nanoseconds of a life, over as many as take about a tenth of a second.
std::function<double()> lives_of(Lifecycle& lives) {
  const double about = ns_of_one(200, [&](auto n) { lives.run(n); });
  const auto count = static_cast<std::uint64_t>(std::clamp(1e8 / about, 200.0, 50'000.0));
  return [&lives, count] { return ns_of_one(count, [&](auto n) { lives.run(n); }); };
}

using Shape = LifecycleOptions::Shape;

int decision(unsigned rounds, const Names& schedulers) {
  constexpr std::uint64_t kPicks = 1'000'000;
  const auto raw = make_raw_picks(RawIndex::kBestFit, kNodes);
  const auto worst_fit = make_raw_picks(RawIndex::kWorstFit, kNodes);
  const auto picks = [&] { return ns_of_one(kPicks, [&](auto n) { raw->decide(n); }); };
  picks();
  worst_fit->decide(kPicks);
  std::printf("  one pick in the bucket index, %u nodes: best fit at %.1f %% of CPU, worst fit %.0f ns\n",
              kNodes, 100 * raw->utilisation(), ns_of_one(kPicks, [&](auto n) { worst_fit->decide(n); }));
  Spread worst;
  for (const std::string& name : schedulers) {
    for (const Shape shape : {Shape::kRounds, Shape::kSingle}) {
      const auto lives = settled(options_of(name, shape));
      const Turns t = in_turns(rounds, lives_of(*lives), picks);
      std::printf(
          "  %-12s %-6s life %5.0f ns, pick %3.0f ns: ratio %.2f (min %.2f, max %.2f); "
          "%.1f %% of CPU, %.1f %% turned away\n",
          name.c_str(), shape == Shape::kSingle ? "single" : "rounds", t.a.median, t.b.median, t.ratio.median,
          t.ratio.least, t.ratio.most, 100 * lives->utilisation(),
          100 * static_cast<double>(lives->turned_away()) / static_cast<double>(lives->ended()));
      std::fflush(stdout);
      if (shape == Shape::kSingle && t.ratio.median > worst.median) worst = t.ratio;
    }
  }
  return verdict("decision", worst, 15);
}

int easy(unsigned rounds) {
  LifecycleOptions full = options_of("first_fit", Shape::kSingle);
  full.queue = "easy";
  full.memory = false;
  full.backlog = 100;
  const auto easy_lives = settled(full);
  const auto plain_lives = settled(options_of("first_fit", Shape::kSingle));
  const Turns t = in_turns(rounds, lives_of(*easy_lives), lives_of(*plain_lives));
  std::printf("  easy, %u jobs waiting, %.1f %% of CPU: life %.0f ns; fcfs at %.1f %%: %.0f ns\n",
              full.backlog, 100 * easy_lives->utilisation(), t.a.median, 100 * plain_lives->utilisation(),
              t.b.median);
  return verdict("easy", t.ratio, 8);
}

/// One choice of a target as the cluster is; nothing is allocated.
struct Pick {
  double ns = 0;     ///< Of CPU.
  double found = 0;  ///< Share of the choices for which there was room.
};
Pick pick_of(const std::string& scheduler, const TargetIndex& targets) {
  constexpr std::uint64_t kPicks = 20'000;
  const auto made = make_policy(scheduler_policies(), {scheduler, {}});
  Rng rng(1);
  std::uint64_t seed = 1;
  std::uint64_t found = 0;
  const double ns = ns_of_one(kPicks, [&](std::uint64_t count) {
    for (; count > 0; --count) {
      const Req mix = mkreq(seed);
      Request request;
      request.need.cpu_m = mix.c;
      request.need.memory_bytes = mix.m * kMiB;
      found += (*made)->pick(request, targets, rng).has_value();
    }
  });
  return {ns, static_cast<double>(found) / kPicks};
}

int e_pvm(unsigned rounds) {
  constexpr std::uint64_t kPicks = 100;
  const auto naive = make_raw_picks(RawIndex::kNaiveEpvm, kNodes);
  const auto lives = settled(options_of("e_pvm", Shape::kSingle));
  const Turns t = in_turns(
      rounds, [&] { return ns_of_one(kPicks, [&](auto n) { naive->decide(n); }); }, lives_of(*lives));
  std::printf("  naive e_pvm: one pick %.0f ns; ours, a whole life: %.0f ns, %.1f %% of CPU\n", t.a.median,
              t.b.median, 100 * lives->utilisation());
  const Pick ours = pick_of("e_pvm", lives->controller().cluster().index());
  std::printf(
      "  ours, one pick alone, %.1f %% of them found room: %.0f ns; the naive one takes %.0f times that\n",
      100 * ours.found, ours.ns, t.a.median / ours.ns);
  return verdict("e_pvm", t.ratio, 100, true);
}

/// The exponent of the time of a life in the number of nodes, over three decades.
int growth(unsigned rounds, const Names& schedulers) {
  constexpr std::uint32_t kFew = 100, kMany = 100'000;
  Spread worst{-9, 0, 0};
  for (const std::string& name : schedulers) {
    const auto few = settled(options_of(name, Shape::kSingle, kFew));
    const auto many = settled(options_of(name, Shape::kSingle, kMany));
    const Turns t = in_turns(rounds, lives_of(*many), lives_of(*few));
    const auto exponent = [](double ratio) { return std::log10(ratio) / std::log10(kMany / kFew); };
    const Spread e{exponent(t.ratio.median), exponent(t.ratio.least), exponent(t.ratio.most)};
    std::printf("  %-12s life %.0f ns with %u nodes, %.0f ns with %u: exponent %.3f (min %.3f, max %.3f)\n",
                name.c_str(), t.b.median, kFew, t.a.median, kMany, e.median, e.least, e.most);
    std::fflush(stdout);
    if (e.median > worst.median) worst = e;
  }
  return verdict("growth", worst, 0.25);
}

/// For profilers: nothing but lives, after the cluster was filled.
int profile(std::uint64_t lives, const Names& schedulers) {
  for (const std::string& name : schedulers) {
    Lifecycle one(options_of(name, Shape::kSingle));
    const std::uint64_t filled = one.steps();
    one.run(lives);
    const std::uint64_t steps = one.steps() - filled;
    const std::uint64_t ended = one.ended();
    const auto summary = one.finish();
    std::printf("%s: %llu lives, %llu steps, sha256:%s\n", name.c_str(),
                static_cast<unsigned long long>(ended), static_cast<unsigned long long>(steps),
                summary->digest.c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const unsigned rounds = argc > 2 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : 7;
  const Names named(argv + std::min(argc, 3), argv + argc);
  for (const std::string& name : named) {
    const auto all = scheduler_policies();
    if (std::any_of(all.begin(), all.end(), [&](const auto& entry) { return entry.name == name; })) continue;
    return std::fprintf(stderr, "decision_ratio: there is no scheduler '%s'\n", name.c_str()), 2;
  }
  if (rounds > 0) {
    if (mode == "decision") return decision(rounds, named.empty() ? kSix : named);
    if (mode == "easy") return easy(rounds);
    if (mode == "e_pvm") return e_pvm(rounds);
    if (mode == "growth") return growth(rounds, named.empty() ? kSix : named);
    if (mode == "profile") return profile(rounds, named.empty() ? kSix : named);
  }
  std::fputs(
      "usage: decision_ratio decision|easy|e_pvm|growth [ROUNDS [SCHEDULER...]]\n"
      "       decision_ratio profile LIVES [SCHEDULER...]\n",
      stderr);
  return 2;
}
