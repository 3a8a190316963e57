// Health checks and readiness: who is asked when, what failures cost, and who waits for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/harness.h"
#include "tests/harness/notices.h"
#include "tests/harness/restarts.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

constexpr AttemptId kSick{{JobId{1}, 0}, 1};
constexpr AttemptId kSickAgain{{JobId{1}, 0}, 2};

JobBuilder checked(std::uint32_t replicas) {
  return job("web").service(replicas).runs(1h).health(2s, 3).backoff(1s);
}

std::vector<std::string> probes_of(const Harness& h, const char* type) {
  std::vector<std::string> found;
  for (const Letter& letter : h.letters())
    if (const auto* ready = letter.as<msg::AttemptReady>(); ready != nullptr && type == std::string("ready"))
      found.push_back(time_text(letter.sent) + (ready->ready ? " ready " : " not ready ") +
                      std::to_string(ready->number));
  return found;
}

TEST(CoreHealth, IsReadyAfterTheFirstSuccessAndEndedAfterFailuresInARow) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(checked(1));
  h.at(5s).sicken(kSick);
  h.at(20s).cancel(1);
  h.run();
  // Asked at 2, 4, 6, 8 and 10: the last three fail. The backoff is a second.
  EXPECT_EQ(h.lines("task 1.0"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.0#1 running n0 not ready",
                   "2.000000000 task 1.0#1 running n0", "10.000000000 task 1.0#1 running n0 not ready",
                   "10.000000000 task 1.0#1 pending n0 unhealthy", "11.000000000 task 1.0#2 starting n0",
                   "11.000000000 task 1.0#2 running n0 not ready", "13.000000000 task 1.0#2 running n0",
                   "20.000000000 task 1.0#2 stopping n0", "20.000000000 task 1.0#2 cancelled n0 killed"}));
}

TEST(CoreHealth, S4_14_WithoutACheckATaskIsReadyWhenItRunsAndNeverAsked) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("plain").runs(60s));
  h.run();
  EXPECT_EQ(h.lines("task"), (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.0#1 running n0",
                                    "60.000000000 task 1.0#1 succeeded n0"}));
  EXPECT_EQ(probes_of(h, "ready").size(), 0U);
}

TEST(CoreHealth, FailuresInTheStartPeriodDoNotCountUnlessItWasReadyBefore) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("slow").service(1).runs(1h).health(2s, 2, 10s));
  h.at(0s).sicken(kSick);
  h.at(9s).sicken(kSick, false);  // Asked at 2, 4, 6, 8 in vain; ready at 10.
  h.at(11s).sicken(kSick);        // Fails at 12 and 14.
  h.at(13s).sicken(kSickAgain);   // Its successor never gets ready: fails at 24 and 26.
  h.at(30s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("#1 running"),
            (Lines{"0.000000000 task 1.0#1 running n0 not ready", "10.000000000 task 1.0#1 running n0",
                   "14.000000000 task 1.0#1 running n0 not ready"}));
  EXPECT_EQ(h.lines("unhealthy"), (Lines{"14.000000000 task 1.0#1 pending n0 unhealthy",
                                         "26.000000000 task 1.0#2 pending n0 unhealthy"}));
}

TEST(CoreHealth, ASuccessBetweenFailuresBeginsTheCountAnew) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(checked(1));
  h.at(3s).sicken(kSick);          // 4, 6
  h.at(7s).sicken(kSick, false);   // 8
  h.at(9s).sicken(kSick);          // 10, 12
  h.at(13s).sicken(kSick, false);  // 14
  h.at(20s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("unhealthy").size(), 0U);
}

TEST(CoreHealth, AProbeWithoutAnAnswerHasFailed) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(checked(1));
  h.at(3s).hang(kSick);
  h.at(20s).cancel(1);
  h.run();
  // Given up a tenth of a second after each; the next is asked two seconds later.
  EXPECT_EQ(h.lines("unhealthy"), (Lines{"8.300000000 task 1.0#1 pending n0 unhealthy"}));
}

TEST(CoreHealth, AJobWithoutRetriesFailsOfIt) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("batch").runs(1h).health(1s, 1).retries(1));
  h.at(0s).sicken(kSick).sicken(kSickAgain);
  h.run();
  EXPECT_EQ(h.lines("unhealthy"), (Lines{"1.000000000 task 1.0#1 pending n0 unhealthy",
                                         "2.000000000 task 1.0#2 failed n0 unhealthy"}));
  EXPECT_EQ(h.lines("job 1").back(), "2.000000000 job 1 failed");
}

TEST(CoreHealth, WhoCallsItASuccessToBeEndedIsUnhealthyAllTheSame) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("batch").runs(1h).health(1s, 1).obliging());
  h.at(0s).sicken(kSick);
  h.run();
  EXPECT_EQ(h.lines("failed n0"), (Lines{"1.000000000 task 1.0#1 failed n0 unhealthy"}));
}

TEST(CoreHealth, AnUpdateWaitsForReadyReplicas) {
  Harness h(cluster().nodes(1, cores(8)));
  h.at(0s).submit(checked(2));
  h.at(5s).update(1, checked(2));
  h.at(20s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("stopping"),
            (Lines{"5.000000000 task 1.0#1 stopping n0", "7.000000000 task 1.1#1 stopping n0",
                   "20.000000000 task 1.0#2 stopping n0", "20.000000000 task 1.1#2 stopping n0"}));
}

TEST(CoreHealth, AnUpdateStopsAtAReplicaThatNeverGetsReadyAndTheOthersStay) {
  Harness h(cluster().nodes(1, cores(8)));
  h.at(0s).submit(checked(3));
  h.at(4s).sicken(kSickAgain);
  h.at(5s).update(1, checked(3));
  h.at(11s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("stopping").front(), "5.000000000 task 1.0#1 stopping n0");
  EXPECT_EQ(h.lines("stopping").size(), 4U) << "one by the update, all by the cancel";
  EXPECT_EQ(h.lines("11.000000000 task 1.1#1 stopping").size(), 1U);
}

TEST(CoreHealth, AnUpdateMendsWhatIsNotReadyFirst) {
  Harness h(cluster().nodes(1, cores(8)));
  const AttemptId never{{JobId{1}, 1}, 1};
  h.at(0s).sicken(never);
  h.at(0s).submit(job("web").service(2).runs(1h).health(2s, 3, 600s));
  h.at(5s).update(1, checked(2));
  h.at(20s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("stopping")[0], "5.000000000 task 1.1#1 stopping n0");
  EXPECT_EQ(h.lines("stopping")[1], "7.000000000 task 1.0#1 stopping n0");
}

TEST(CoreHealth, ReadinessIsToldUntilItIsNoted) {
  Harness h(cluster().nodes(1, cores(2)));
  h.fate([](const Letter& letter) {
    const bool lost = letter.as<msg::AttemptReady>() != nullptr && letter.sent < Instant(10s);
    return lost ? std::vector<Duration>{} : std::vector<Duration>{Duration{0}};
  });
  h.at(0s).submit(checked(1));
  h.at(30s).cancel(1);
  h.run();
  EXPECT_EQ(probes_of(h, "ready"),
            (Lines{"2.000000000 ready 1", "7.000000000 ready 1", "12.000000000 ready 1"}));
  EXPECT_EQ(h.lines("#1 running").back(), "12.000000000 task 1.0#1 running n0");
}

TEST(CoreHealth, ALateWordOfReadinessIsNotBelieved) {
  Harness h(cluster().nodes(1, cores(2)).kill_grace(10s));
  // That it is ready comes after that it is not any more.
  h.fate([](const Letter& letter) {
    const auto* ready = letter.as<msg::AttemptReady>();
    const bool late = ready != nullptr && ready->ready;
    return std::vector<Duration>{late ? Duration(9s) : Duration{0}};
  });
  h.at(0s).submit(job("web").service(1).runs(1h).health(2s, 1).stubborn());
  h.at(3s).sicken(kSick);
  h.at(13s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("#1 running"), (Lines{"0.000000000 task 1.0#1 running n0 not ready"}));
}

TEST(CoreHealth, ThroughAgentsAndControllersThatTakeOverItStaysReady) {
  Harness h(cluster().nodes(1, cores(2)).heartbeat(1s));
  h.at(0s).submit(checked(1));
  h.at(5s).kill_agent(0);
  h.at(6s).boot(0);
  h.at(9s).replace_controller();
  h.at(20s).sicken(kSick);
  h.at(40s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("#1 running").front(), "0.000000000 task 1.0#1 running n0 not ready");
  // The agent's new life asks at 8, 10, ...: the controller never doubted it. The new controller learns of it
  // as soon as the agent has registered again.
  EXPECT_THAT(h.lines("#1 running"),
              testing::Contains(testing::HasSubstr("2.000000000 task 1.0#1 running n0")));
  EXPECT_EQ(h.lines("unhealthy"), (Lines{"24.000000000 task 1.0#1 pending n0 unhealthy"}));
  EXPECT_EQ(h.starts().size(), 2U);
}

TEST(CoreHealth, S1_15_AWorkerThatIsNotReadyGetsNoOperations) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(job("workers").service(1).runs(1h).workers_of("math", 1).health(2s, 1));
  h.at(0s).submit(job("sum").runs(1s).in_pool("math"));
  h.at(4s).sicken(kSick);
  h.at(9s).submit(job("sum").runs(1s).in_pool("math"));
  h.at(30s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("starting")[1], "2.000000000 task 2.0#1 starting n0");
  EXPECT_EQ(verdicts(h),
            (std::map<std::uint64_t, std::string>{{1, "cancelled"}, {2, "succeeded"}, {3, "succeeded"}}));
}

TEST(CoreHealth, RefusesWhatCannotBeChecked) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("a").health(0s, 3));
  h.at(0s).submit(job("b").health(1s, 0));
  h.at(0s).submit(job("c").health(1s, 1, Duration(-1)));
  h.run();
  EXPECT_EQ(refusals(h),
            (Lines{"0.000000000 reply 1 refused: a health check needs an interval, a timeout and a number of "
                   "failures above 0",
                   "0.000000000 reply 2 refused: a health check needs an interval, a timeout and a number of "
                   "failures above 0",
                   "0.000000000 reply 3 refused: times cannot be negative"}));
}

// ---- Restart policies

TEST(CoreRestart, OnFailureWhatSucceededStaysEnded) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(job("s")
                      .service(2)
                      .runs(3s)
                      .fails(1)
                      .only_task(1)
                      .backoff(1s)
                      .retries(kUnlimited)
                      .restart(RestartPolicy::kOnFailure));
  h.run();
  EXPECT_EQ(h.lines("succeeded"),
            (Lines{"3.000000000 task 1.0#1 succeeded n0", "7.000000000 task 1.1#2 succeeded n0",
                   "7.000000000 job 1 succeeded"}));
}

TEST(CoreRestart, OnFailureOnlySoManyTimesInARow) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(
      job("s").service(1).runs(1s).fails(9).backoff(1s).retries(2).restart(RestartPolicy::kOnFailure));
  h.run();
  EXPECT_EQ(h.lines("pending"),
            (Lines{"0.000000000 job 1 pending", "1.000000000 task 1.0#1 pending n0 failed",
                   "3.000000000 task 1.0#2 pending n0 failed"}));
  EXPECT_EQ(h.lines("failed").back(), "6.000000000 job 1 failed");
}

TEST(CoreRestart, NeverMeansEndsOfItsOwnNotMoves) {
  Harness h(cluster().nodes(2, cores(2)).dead_after(20, 30));
  h.at(0s).submit(job("s").service(2).runs(100s).obliging().restart(RestartPolicy::kNeverAgain));
  h.at(5s).evict(0);
  h.run();
  EXPECT_EQ(h.lines("5.000000000 task 1.0"),
            (Lines{"5.000000000 task 1.0#1 stopping n0", "5.000000000 task 1.0#1 pending n0 succeeded",
                   "5.000000000 task 1.0#2 starting n1", "5.000000000 task 1.0#2 running n1",
                   "105.000000000 task 1.0#2 succeeded n1"}));
  EXPECT_EQ(h.lines("job 1").back(), "105.000000000 job 1 succeeded");
}

TEST(CoreRestart, ScaledToThoseThatHaveEndedTheServiceEnds) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(0s).submit(job("s").service(3).runs(5s).fails(1).only_task(1).restart(RestartPolicy::kNeverAgain));
  h.at(1s).scale(1, 4);
  h.at(2s).scale(1, 2);
  h.run();
  EXPECT_EQ(h.lines("job 1").back(), "5.000000000 job 1 failed");
}

TEST(CoreRestart, RestoredAnywhereItEndsTheSame) {
  expect_same_after_restarts(cluster().nodes(2, cores(2)), [](Harness& h) {
    h.at(0s).submit(
        job("s").service(2).runs(3s).fails(1).backoff(1s).retries(3).restart(RestartPolicy::kOnFailure));
    h.at(1s).submit(job("t").service(1).runs(2s).restart(RestartPolicy::kNeverAgain));
  });
}

TEST(CoreRestart, RefusesPoliciesThatMeanNothing) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("a").restart(RestartPolicy::kAlways));
  h.at(0s).submit(job("b").restart(RestartPolicy::kNeverAgain).retries(1));
  h.at(0s).submit(job("c").service(1).workers_of("p", 1).restart(RestartPolicy::kNeverAgain));
  h.run();
  EXPECT_EQ(
      refusals(h),
      (Lines{"0.000000000 reply 1 refused: only a service's replicas run again always: this job's tasks "
             "have an end",
             "0.000000000 reply 2 refused: what is never to run again has no retries",
             "0.000000000 reply 3 refused: the workers of a pool run again always"}));
}

}  // namespace
}  // namespace duet::test
