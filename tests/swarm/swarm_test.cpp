// The swarm on the core as it is: quick seeds, the scenarios of old failures, and the machinery itself.
#include "sim/swarm.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/check.h"
#include "core/policy.h"
#include "sim/scenario_parse.h"
#include "sim/scenario_write.h"
#include "sim/shrink.h"
#include "sim/swarm_draw.h"
#include "sim/swarm_workers.h"

namespace duet::sim {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string told(const std::vector<Violation>& violations) {
  std::string all;
  for (const Violation& v : violations) all += v.invariant + ": " + v.what + '\n';
  return all;
}

TEST(Swarm, FiveHundredSeedsKeepEveryPromise) {
  SwarmOptions options;
  options.seeds = 500;
  options.workers = 2;
  options.shrink = false;
  std::ostringstream out;
  const SwarmReport report = run_swarm(options, out);
  EXPECT_EQ(report.ran, 500U);
  EXPECT_THAT(report.failures, IsEmpty()) << out.str();
  EXPECT_THAT(out.str(), testing::MatchesRegex("in them: .* digest [0-9a-f]+\n"
                                               "500 seeds ran, 0 failed, [0-9]+ seeds/s\n"));
}

TEST(Swarm, WhatWasInTheSeedsIsTheSameHoweverTheyAreShared) {
  SwarmOptions options;
  options.seeds = 300;
  std::ostringstream out;
  const SwarmTally alone = run_swarm(options, out).tally;
  options.workers = 2;
  options.seeds = 290;
  SwarmTally shared = run_swarm(options, out).tally;
  EXPECT_NE(shared.digest, alone.digest);
  options.first_seed = 291;
  options.seeds = 10;
  const SwarmTally rest = run_swarm(options, out).tally;
  EXPECT_EQ(shared.digest + rest.digest, alone.digest);
  EXPECT_EQ(shared.attempts + rest.attempts, alone.attempts);
  EXPECT_GT(rest.attempts, 0U);
}

TEST(Swarm, SeedsHaveSixtyFourBits) {
  SwarmOptions options;
  options.first_seed = 18'446'744'073'709'551'610U;
  options.seeds = 6;
  std::ostringstream out;
  EXPECT_THAT(run_swarm(options, out).failures, IsEmpty()) << out.str();
}

class Regression : public testing::TestWithParam<std::string> {};

TEST_P(Regression, StaysFixed) {
  const ParsedScenario parsed = load_scenario(GetParam());
  ASSERT_TRUE(parsed) << parsed.rendered;
  const auto violations = check_apart(*parsed.scenario, {.twice = true, .trace = true});
  EXPECT_THAT(violations, IsEmpty()) << parsed.scenario->description << '\n' << told(violations);
}

std::vector<std::string> regressions() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(DUET_SOURCE_DIR "/tests/regress"))
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

INSTANTIATE_TEST_SUITE_P(Files, Regression, testing::ValuesIn(regressions()),
                         [](const auto& of) { return std::filesystem::path(of.param).stem().string(); });

TEST(SwarmDraw, EveryScenarioIsAScenarioFile) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::string text = canonical_json(draw_scenario(seed));
    const ParsedScenario parsed = parse_scenario(text, "seed " + std::to_string(seed));
    ASSERT_TRUE(parsed) << parsed.rendered;
    EXPECT_EQ(canonical_json(*parsed.scenario), text);
  }
}

TEST(SwarmDraw, CoversWhatItShould) {
  std::map<std::string, int, std::less<>> seen;
  std::map<Fault::Kind, int> faults;
  std::map<OperatorEvent::Kind, int> events;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Scenario s = draw_scenario(seed);
    ASSERT_TRUE(s.horizon.has_value()) << "seed " << seed << " owes no end";
    ++seen[s.controller.queue.name];
    ++seen[s.controller.scheduler.name];
    ++seen[s.controller.estimator.name];
    seen["brakes"] += s.controller.mass_loss.percent > 0;
    seen["short keys"] += s.controller.keys_kept < std::chrono::hours(1);
    seen["gray"] += s.controller.stuck_after > 0;
    seen["crashes"] += !s.faults.empty();
    seen["quiet"] += s.faults.empty() && s.network.until == Instant{};
    seen["seven nodes"] += s.nodes.size() == 7;
    for (const Fault& fault : s.faults) ++faults[fault.kind];
    for (const OperatorEvent& event : s.events) ++events[event.kind];
    for (const Arrival& a : std::get<std::vector<Arrival>>(s.workload)) {
      const bool several = a.spec->groups.front().count > 1;
      seen["gangs"] += several && a.spec->kind == JobKind::kRigid;
      seen["bags"] += a.spec->kind == JobKind::kBag;
      seen["dags"] += a.spec->kind == JobKind::kDag;
      seen["services"] += a.spec->kind == JobKind::kService;
      seen["pools"] += a.spec->pool.has_value();
      seen["pools that pull"] += a.spec->pool && a.spec->pool->pull;
      seen["operations"] += !a.spec->groups.front().spec.pool.empty();
      seen["health checks"] += a.spec->groups.front().spec.work.health.has_value();
      seen["restart policies"] += a.spec->restart.has_value();
      seen["backoffs"] += a.spec->backoff > Duration{0};
      seen["exclusive"] += a.spec->groups.front().spec.exclusive;
      seen["priorities"] += a.spec->priority > 0;
      seen["own schedulers"] += !a.spec->scheduler.empty();
      seen["never end"] += a.spec->groups.front().spec.work.duration > std::chrono::hours(1);
    }
  }
  for (const auto& entry : queue_policies()) EXPECT_GE(seen[std::string(entry.name)], 2) << entry.name;
  for (const auto& entry : scheduler_policies()) EXPECT_GE(seen[std::string(entry.name)], 2) << entry.name;
  for (const auto& entry : estimator_policies()) EXPECT_GE(seen[std::string(entry.name)], 2) << entry.name;
  for (const char* what : {"crashes",
                           "quiet",
                           "brakes",
                           "short keys",
                           "gray",
                           "seven nodes",
                           "gangs",
                           "bags",
                           "exclusive",
                           "dags",
                           "services",
                           "pools",
                           "pools that pull",
                           "operations",
                           "backoffs",
                           "health checks",
                           "restart policies",
                           "priorities",
                           "own schedulers",
                           "never end"})
    EXPECT_GE(seen[what], 2) << what;
  EXPECT_EQ(faults.size(), 12U);  // All that there are.
  EXPECT_EQ(events.size(), 7U);
}

TEST(SwarmWorkers, ADeathCostsOneSeed) {
  std::vector<std::uint64_t> failed;
  std::uint64_t ran = 0;
  std::string words;
  run_workers(
      1, 1000, 2,
      [](std::uint64_t seed) -> std::vector<Violation> {
        DUET_CHECK(seed != 300);
        if (seed == 700) std::_Exit(3);
        if (seed == 5) return {{"I1", Instant{}, "five"}};
        return {};
      },
      [&](std::uint64_t so_far, SeedResult result) {
        ran = so_far;
        if (result.violations.empty()) return true;
        failed.push_back(result.seed);
        if (result.seed == 300) words = result.violations.front().invariant + result.violations.front().what;
        return true;
      });
  EXPECT_EQ(ran, 1000U);
  EXPECT_THAT(failed, testing::UnorderedElementsAre(5, 300, 700));
  EXPECT_THAT(words, testing::AllOf(HasSubstr("CHECK"), HasSubstr("seed != 300")));
}

TEST(Shrink, KeepsOnlyWhatIsNeeded) {
  // A failure we can judge: some crash of node 1 and some bag, nothing else.
  const auto fails = [](const Scenario& s) {
    bool crash = false;
    for (const Fault& fault : s.faults) crash |= fault.kind == Fault::Kind::kCrash && fault.node == 1;
    bool bag = false;
    for (const Arrival& a : std::get<std::vector<Arrival>>(s.workload)) bag |= a.spec->kind == JobKind::kBag;
    return crash && bag;
  };
  std::uint64_t seed = 1;
  while (!fails(draw_scenario(seed))) ++seed;
  const Scenario small = shrink(draw_scenario(seed), fails);
  EXPECT_TRUE(fails(small));
  EXPECT_EQ(small.nodes.size(), 2U);
  EXPECT_EQ(small.faults.size(), 1U);
  EXPECT_EQ(std::get<std::vector<Arrival>>(small.workload).size(), 1U);
  EXPECT_THAT(small.events, IsEmpty());
  EXPECT_EQ(small.network.loss_ppm + small.network.duplicate_ppm + small.network.delay_ppm, 0U);
}

}  // namespace
}  // namespace duet::sim
