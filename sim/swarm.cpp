#include "sim/swarm.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iomanip>
#include <map>
#include <new>
#include <ostream>
#include <string_view>

#include <sys/mman.h>

#include "core/check.h"
#include "core/codec/atomic_file.h"
#include "core/rng.h"
#include "sim/check_trace.h"
#include "sim/run.h"
#include "sim/scenario_write.h"
#include "sim/shrink.h"
#include "sim/swarm_draw.h"
#include "sim/swarm_workers.h"

namespace duet::sim {
namespace {

std::string seconds_text(Instant at) {
  std::string text = std::to_string(to_ns(at) / 1'000'000);
  text.insert(0, text.size() < 4 ? 4 - text.size() : 0, '0');
  return text.insert(text.size() - 3, ".") + " s";
}

/// I16: the trace reads back, and a flipped bit anywhere in it is noticed.
void check_trace_of(const Scenario& scenario, std::vector<Violation>& violations) {
  std::string bytes = trace_of(scenario);
  if (const auto wrong = check_trace(bytes))
    violations.push_back({"I16", {}, "the trace is broken: " + *wrong});
  const std::uint64_t at = keyed_draw(scenario.seed, 16, 0) % bytes.size();
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
  if (!check_trace(bytes)) violations.push_back({"I16", {}, "a changed byte in the trace was not noticed"});
}

bool has(const std::vector<Violation>& violations, const std::string& invariant) {
  return std::any_of(violations.begin(), violations.end(),
                     [&](const Violation& v) { return v.invariant == invariant; });
}

/// A tally to which all processes of a swarm add.
class SharedTally {
 public:
  SharedTally() {
    void* page =
        ::mmap(nullptr, sizeof(SwarmTally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    DUET_CHECK(page != MAP_FAILED);
    sum_ = new (page) SwarmTally;
  }
  ~SharedTally() { ::munmap(sum_, sizeof(SwarmTally)); }
  SharedTally(const SharedTally&) = delete;
  SharedTally& operator=(const SharedTally&) = delete;

  void add(const SwarmTally& one) {
    std::vector<std::uint64_t> values;
    SwarmTally::fields(one, [&](const char*, std::uint64_t value) { values.push_back(value); });
    auto next = values.begin();
    SwarmTally::fields(*sum_, [&](const char*, std::uint64_t& sum) {
      std::atomic_ref(sum).fetch_add(*next++, std::memory_order_relaxed);
    });
  }
  const SwarmTally& sum() const { return *sum_; }

 private:
  SwarmTally* sum_;
};

class Swarm {
 public:
  Swarm(const SwarmOptions& options, std::ostream& out) : options_(options), out_(out) {}

  SwarmReport run() {
    const auto start = std::chrono::steady_clock::now();
    const auto elapsed_s = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    run_workers(
        options_.first_seed, options_.seeds, options_.workers,
        [this](std::uint64_t seed) {
          SwarmTally tally;
          auto violations = check_scenario(draw_scenario(seed), depth(seed), &tally);
          tally_.add(tally);
          return violations;
        },
        [&](std::uint64_t ran, SeedResult result) {
          report_.ran = ran;
          if (!result.violations.empty()) failed(std::move(result));
          if (options_.progress) out_ << "\r" << ran << " of " << options_.seeds << " seeds" << std::flush;
          return report_.failures.size() < options_.stop_after;
        });
    const double s = elapsed_s();
    if (options_.progress) out_ << '\r';
    std::sort(report_.failures.begin(), report_.failures.end(),
              [](const SwarmFailure& a, const SwarmFailure& b) { return a.seed < b.seed; });
    if (options_.shrink)
      for (SwarmFailure& failure : report_.failures) write_small(failure);
    report_.seeds_per_s = s > 0 ? static_cast<double>(report_.ran) / s : 0;
    report_.tally = tally_.sum();
    write_tally();
    out_ << report_.ran << " seeds ran, " << report_.failures.size() << " failed, "
         << static_cast<std::uint64_t>(report_.seeds_per_s) << " seeds/s\n";
    return std::move(report_);
  }

 private:
  void write_tally() {
    out_ << "in them:";
    SwarmTally::fields(report_.tally, [&](std::string_view name, std::uint64_t value) {
      if (name == "digest")
        out_ << " digest " << std::hex << std::setw(16) << std::setfill('0') << value << std::dec << '\n';
      else
        out_ << ' ' << value << ' ' << name << ',';
    });
  }

  CheckDepth depth(std::uint64_t seed) const {
    const auto due = [&](std::uint64_t every) { return every > 0 && seed % every == 0; };
    return {due(options_.twice_every), due(options_.trace_every)};
  }

  void failed(SeedResult result) {
    for (const Violation& v : result.violations) out_ << "seed " << result.seed << ": " << text_of(v) << '\n';
    out_ << "  again: duet swarm --first-seed " << result.seed << " --seeds 1\n" << std::flush;
    report_.failures.push_back({result.seed, std::move(result.violations), {}});
  }

  /// Shrinks the failure and leaves it as a scenario file.
  void write_small(SwarmFailure& failure) {
    const std::string invariant = failure.violations.front().invariant;
    const CheckDepth as_deep = depth(failure.seed);
    const CheckDepth needed{as_deep.twice && invariant == "I18", as_deep.trace && invariant == "I16"};
    ShrinkStats stats;
    Scenario small = shrink(
        draw_scenario(failure.seed),
        [&](const Scenario& candidate) { return has(check_apart(candidate, needed), invariant); }, 3000,
        &stats);
    small.description = "Found by the swarm as seed " + std::to_string(failure.seed) + ": " + invariant +
                        ", " + failure.violations.front().what + ".";
    const std::string path = options_.folder + "/swarm-" + std::to_string(failure.seed) + ".json";
    auto file = codec::AtomicFile::create(path);
    if (file) {
      file->write(canonical_json(small));
      if (file->commit()) failure.file = path;
    }
    out_ << "  " << (failure.file.empty() ? "could not be written: " : "made small in ") << path << " ("
         << invariant << ", " << small.nodes.size() << " nodes, "
         << std::get<std::vector<Arrival>>(small.workload).size() << " jobs, " << small.faults.size()
         << " faults, " << stats.runs << " runs)\n"
         << std::flush;
  }

  const SwarmOptions& options_;
  std::ostream& out_;
  SharedTally tally_;
  SwarmReport report_;
};

}  // namespace

std::vector<Violation> check_scenario(const Scenario& scenario, CheckDepth depth, SwarmTally* tally) {
  Checkers checkers(scenario);
  StepDigest first;
  WorldOptions options;
  options.observer = &checkers;
  if (depth.twice) {
    options.controller_sink = &first;
    options.agent_sink = &first;
  }
  auto results = run(scenario, make_loop_engine, options);
  if (!results)
    return {{"CHECK", {}, "the loop engine refuses the scenario: " + results.problems().front().what}};
  checkers.finish(*results);
  if (tally != nullptr)
    *tally = {.jobs = results->jobs.size(),
              .tasks = results->tasks.size(),
              .attempts = results->attempts,
              .attempts_lost = results->attempts_lost,
              .faults = scenario.faults.size(),
              .requests = scenario.events.size(),
              .messages = results->messages,
              .steps = results->steps,
              .simulated_s = static_cast<std::uint64_t>(to_ns(results->end) / 1'000'000'000),
              .digest = depth.twice ? first.value() : 0};
  std::vector<Violation> violations = checkers.violations();
  if (depth.twice) {
    StepDigest second;
    WorldOptions again;
    again.controller_sink = &second;
    again.agent_sink = &second;
    if (!run(scenario, make_loop_engine, again) || first.value() != second.value())
      violations.push_back({"I18", results->end, "a second run of the same scenario went another way"});
  }
  if (depth.trace) check_trace_of(scenario, violations);
  return violations;
}

std::string text_of(const Violation& v) { return v.invariant + " at " + seconds_text(v.at) + ": " + v.what; }

std::vector<Violation> check_apart(const Scenario& scenario, CheckDepth depth) {
  std::vector<Violation> found;
  run_workers(
      scenario.seed, 1, 1, [&](std::uint64_t) { return check_scenario(scenario, depth); },
      [&](std::uint64_t, SeedResult result) {
        if (!result.violations.empty()) found = std::move(result.violations);
        return true;
      });
  return found;
}

SwarmReport run_swarm(const SwarmOptions& options, std::ostream& out) { return Swarm(options, out).run(); }

}  // namespace duet::sim
