// Planted bugs in the core, each of which some checker must notice: a check that cannot fail is worth
// nothing.
#include <algorithm>
#include <iostream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/mutation.h"
#include "sim/scenario_parse.h"
#include "sim/swarm.h"
#include "sim/swarm_draw.h"
#include "sim/swarm_workers.h"

namespace duet::sim {
namespace {

static_assert(kMutationsCompiled, "this test needs the core with its mutants");

/// Of an ordinary run; the slowest mutant needs a third of it.
constexpr std::uint64_t kMostSeeds = 1000;

struct Planted {
  Mutant mutant;
  const char* name;
  const char* invariant;  ///< By whose checker it is to be caught.
};

const Planted kPlanted[] = {
    {Mutant::kAcceptStaleAttempt, "AcceptStaleAttempt", "I2"},
    {Mutant::kNoEndResend, "NoEndResend", "L1"},
    {Mutant::kNoKillOnRegister, "NoKillOnRegister", "I9"},
    {Mutant::kForgetFailures, "ForgetFailures", "I4"},
    {Mutant::kDuplicateLaunchRuns, "DuplicateLaunchRuns", "I4"},
    {Mutant::kHeartbeatRevives, "HeartbeatRevives", "I9"},
    {Mutant::kIgnoreNonce, "IgnoreNonce", "I10"},
    {Mutant::kPlaceOnSuspect, "PlaceOnSuspect", "I8"},
    {Mutant::kPlaceOnDraining, "PlaceOnDraining", "I8"},
    {Mutant::kOvercommit, "Overcommit", "I5"},
    {Mutant::kLoseTaskOfDeadNode, "LoseTaskOfDeadNode", "I3"},
    {Mutant::kIllegalTransition, "IllegalTransition", "I1"},
    {Mutant::kEndBeforeStart, "EndBeforeStart", "I17"},
    {Mutant::kNoLaunchResend, "NoLaunchResend", "L1"},
    {Mutant::kNeverDetect, "NeverDetect", "L3"},
    {Mutant::kNoRejoin, "NoRejoin", "L4"},
    {Mutant::kNonDeterministic, "NonDeterministic", "I18"},
    {Mutant::kNoPassAfterRelease, "NoPassAfterRelease", "L2"},
    {Mutant::kCancelBlocksQueue, "CancelBlocksQueue", "L2"},
    {Mutant::kAnyRegisterAnswer, "AnyRegisterAnswer", "I10"},
    {Mutant::kForgetLosses, "ForgetLosses", "I4"},
    {Mutant::kKillVoidsNothing, "KillVoidsNothing", "I9"},
    {Mutant::kGangInPieces, "GangInPieces", "GANG"},
    {Mutant::kOldLifeStaysOut, "OldLifeStaysOut", "L4"},
    {Mutant::kIdsGivenAgain, "IdsGivenAgain", "I3"},
    {Mutant::kEpochsGivenAgain, "EpochsGivenAgain", "I9"},
    {Mutant::kRestoreForgetsFailures, "RestoreForgetsFailures", "I4"},
    {Mutant::kRestoreForgetsTasks, "RestoreForgetsTasks", "I3"},
    {Mutant::kRestoreForgetsCancel, "RestoreForgetsCancel", "I25"},
    {Mutant::kRestoreWatchesNobody, "RestoreWatchesNobody", "L3"},
    {Mutant::kRestoreForgetsVersion, "RestoreForgetsVersion", "L2"},
    {Mutant::kRestoreForgetsDag, "RestoreForgetsDag", "I3"},
    {Mutant::kPlacedNotPersisted, "PlacedNotPersisted", "I14"},
    {Mutant::kAnswersTwice, "AnswersTwice", "I13"},
    {Mutant::kSharesThreads, "SharesThreads", "I6"},
    {Mutant::kThreadBeyondOffer, "ThreadBeyondOffer", "I7"},
    {Mutant::kAvoidsNothing, "AvoidsNothing", "I24"},
    {Mutant::kNoBackoff, "NoBackoff", "BACKOFF"},
    {Mutant::kDagAllAtOnce, "DagAllAtOnce", "DAG"},
    {Mutant::kKeepsSurplus, "KeepsSurplus", "I20"},
    {Mutant::kReplacesUpToDate, "ReplacesUpToDate", "I21"},
    {Mutant::kUpdateStalls, "UpdateStalls", "L2"},
    {Mutant::kChainUnchecked, "ChainUnchecked", "I16"},
    {Mutant::kNoTimeout, "NoTimeout", "TIMEOUT"},
    {Mutant::kOverloadsWorkers, "OverloadsWorkers", "POOL"},
    {Mutant::kAsksOnce, "AsksOnce", "POOL"},
    {Mutant::kOrphansRunOn, "OrphansRunOn", "POOL"},
    {Mutant::kScalesAnyTime, "ScalesAnyTime", "I20"},
    {Mutant::kAdoptsNothing, "AdoptsNothing", "I9"},
    {Mutant::kNoBrake, "NoBrake", "I23"},
    {Mutant::kNeverStuck, "NeverStuck", "L6"},
    {Mutant::kKeyIgnored, "KeyIgnored", "I13"},
    {Mutant::kKeyOfAnotherJob, "KeyOfAnotherJob", "I13"},
    {Mutant::kRestoreForgetsKeys, "RestoreForgetsKeys", "I13"},
    {Mutant::kSickRunsOn, "SickRunsOn", "HEALTH"},
    {Mutant::kReadyAtOnce, "ReadyAtOnce", "HEALTH"},
    {Mutant::kRestartsForEver, "RestartsForEver", "RESTART"},
};

/// Failures that the swarm once found, kept as scenarios: each still shows them when its mutant brings the
/// bug back.
struct Kept {
  Mutant mutant;
  const char* name;  ///< Of the file.
  const char* invariant;
};

const Kept kKept[] = {
    {Mutant::kCancelBlocksQueue, "cancelled_head", "L2"},
    {Mutant::kAnyRegisterAnswer, "earlier_answer", "I10"},
    {Mutant::kIdleSlotsAreFree, "idle_slot_without_cpu", "I5"},  // Too rare to wait for.
    {Mutant::kOldLifeStaysOut, "old_life_pushed_out", "L4"},
    {Mutant::kRestoreForgetsEviction, "evicted_gang_restored", "I4"},  // As rare.
    {Mutant::kScaleStallsUpdate, "scaled_update", "L2"},
    {Mutant::kBrakeByNumber, "overtaken_under_brake", "L3"},
};

bool has(const std::vector<Violation>& violations, const std::string& invariant) {
  return std::any_of(violations.begin(), violations.end(),
                     [&](const Violation& v) { return v.invariant == invariant; });
}

TEST(Mutants, AllAreTried) {
  std::set<Mutant> tried;
  for (const Planted& planted : kPlanted) tried.insert(planted.mutant);
  for (const Kept& kept : kKept) tried.insert(kept.mutant);
  EXPECT_EQ(tried.size(), static_cast<std::size_t>(kLastMutant));
}

TEST(Mutants, WithoutOneNothingIsFound) {
  run_workers(
      1, kMostSeeds, 1,
      [](std::uint64_t seed) { return check_scenario(draw_scenario(seed), {.twice = true}); },
      [](std::uint64_t, const SeedResult& result) {
        for (const Violation& v : result.violations)
          ADD_FAILURE() << "seed " << result.seed << ": " << v.invariant << ": " << v.what;
        return true;
      });
}

class MutantTest : public testing::TestWithParam<Planted> {};

TEST_P(MutantTest, IsCaught) {
  const Planted& planted = GetParam();
  std::uint64_t seeds = 0;
  run_workers(
      1, kMostSeeds, 1,
      [&](std::uint64_t seed) {
        set_active_mutant(planted.mutant);  // In the worker's process only.
        return check_scenario(draw_scenario(seed), {.twice = planted.mutant == Mutant::kNonDeterministic,
                                                    .trace = planted.mutant == Mutant::kChainUnchecked});
      },
      [&](std::uint64_t, const SeedResult& result) {
        if (!has(result.violations, planted.invariant)) return true;
        seeds = result.seed;
        return false;
      });
  ASSERT_GT(seeds, 0U) << planted.name << " lives through " << kMostSeeds << " seeds";
  std::cout << planted.name << ": " << planted.invariant << " after " << seeds << " seeds\n";
  RecordProperty("seeds", std::to_string(seeds));
}

INSTANTIATE_TEST_SUITE_P(All, MutantTest, testing::ValuesIn(kPlanted),
                         [](const auto& of) { return of.param.name; });

class KeptTest : public testing::TestWithParam<Kept> {};

TEST_P(KeptTest, StillShowsItsBug) {
  const Kept& kept = GetParam();
  const std::string path = std::string(DUET_SOURCE_DIR "/tests/regress/") + kept.name + ".json";
  const ParsedScenario parsed = load_scenario(path);
  ASSERT_TRUE(parsed) << parsed.rendered;
  std::vector<Violation> found;
  run_workers(
      1, 1, 1,
      [&](std::uint64_t) {
        set_active_mutant(kept.mutant);
        return check_scenario(*parsed.scenario, {});
      },
      [&](std::uint64_t, SeedResult result) {
        if (!result.violations.empty()) found = std::move(result.violations);
        return true;
      });
  EXPECT_TRUE(has(found, kept.invariant)) << path;
}

INSTANTIATE_TEST_SUITE_P(All, KeptTest, testing::ValuesIn(kKept),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace duet::sim
