// Messages lost, late, doubled or forged: nothing runs twice, nothing is believed that should not be.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/rng.h"
#include "tests/harness/harness.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

constexpr AttemptId kAttempt{{JobId{1}, 0}, 1};

/// Loses the first `n` letters that carry a T, and no others.
template <class T>
Harness::Fate lose_first(int n) {
  return [n](const Letter& letter) mutable -> std::vector<Duration> {
    if (letter.as<T>() != nullptr && n-- > 0) return {};
    return {0s};
  };
}

/// Every letter that carries a T arrives as usual and once more so much later.
template <class T>
Harness::Fate repeat(Duration later) {
  return [later](const Letter& letter) -> std::vector<Duration> {
    if (letter.as<T>() != nullptr) return {0s, later};
    return {0s};
  };
}

template <class T>
std::size_t sent(const Harness& h) {
  std::size_t n = 0;
  for (const Letter& letter : h.letters()) n += letter.as<T>() != nullptr;
  return n;
}

struct OneJob : Harness {
  explicit OneJob(Harness::Fate what) : Harness(cluster().nodes(1, cores(1))) {
    fate(std::move(what));
    at(0s).submit(job("a").runs(12s));
  }
};

TEST(CoreMessages, ALostLaunchIsSentAgain) {
  OneJob h(lose_first<msg::Launch>(2));
  h.run();
  EXPECT_EQ(h.lines("running n0"), (Lines{"10.000000000 task 1.0#1 running n0"}));
  EXPECT_EQ(h.lines("job 1").back(), "22.000000000 job 1 succeeded");
  EXPECT_EQ(sent<msg::Launch>(h), 3U);
}

TEST(CoreMessages, ALostStartIsAskedForWithTheNextLaunch) {
  OneJob h(lose_first<msg::AttemptStarted>(1));
  h.run();
  EXPECT_EQ(h.lines("running n0"), (Lines{"5.000000000 task 1.0#1 running n0"}));
  EXPECT_EQ(h.lines("job 1").back(), "12.000000000 job 1 succeeded");
  EXPECT_EQ(h.starts().at(kAttempt), 1U);
}

TEST(CoreMessages, ALostEndIsReportedAgain) {
  OneJob h(lose_first<msg::AttemptEnded>(3));
  h.run();
  EXPECT_EQ(h.lines("job 1").back(), "27.000000000 job 1 succeeded");
}

TEST(CoreMessages, ALostAcknowledgementIsGivenAgain) {
  OneJob h(lose_first<msg::Ack>(2));
  h.run();
  EXPECT_EQ(h.lines("job 1").back(), "12.000000000 job 1 succeeded");
  EXPECT_EQ(sent<msg::AttemptEnded>(h), 3U);
  EXPECT_EQ(h.ended().size(), 1U);
}

TEST(CoreMessages, ALostKillIsSentAgain) {
  OneJob h(lose_first<msg::Kill>(1));
  h.at(3s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("job 1").back(), "8.000000000 job 1 cancelled");
}

TEST(CoreMessages, ARegistrationHasWhatWasLostSaidAgainAtOnce) {
  OneJob kill(lose_first<msg::Kill>(1));
  kill.at(3s).cancel(1);
  kill.at(4s).deliver(0, msg::ToAgent{BootNonce{1001}, Epoch{1}, msg::Fenced{}});
  kill.run();
  EXPECT_EQ(kill.lines("job 1").back(), "4.000000000 job 1 cancelled");

  OneJob start(lose_first<msg::AttemptStarted>(1));
  start.at(2s).deliver(0, msg::ToAgent{BootNonce{1001}, Epoch{1}, msg::Fenced{}});
  start.run();
  EXPECT_EQ(start.lines("running n0"), (Lines{"2.000000000 task 1.0#1 running n0"}));
  EXPECT_EQ(start.starts().at(kAttempt), 1U);
}

TEST(CoreMessages, ALostRegistrationIsSentAgain) {
  OneJob h(lose_first<msg::Register>(2));
  h.run();
  EXPECT_EQ(h.lines("node"), (Lines{"10.000000000 node n0 ready"}));
  EXPECT_EQ(h.lines("job 1").back(), "22.000000000 job 1 succeeded");
}

TEST(CoreMessages, ALostAnswerToARegistrationIsGivenAgain) {
  OneJob h(lose_first<msg::Registered>(1));
  h.run();
  EXPECT_EQ(h.controller().cluster().node(NodeId{0}).epoch, Epoch{1}) << "asking twice is registering once";
  EXPECT_EQ(h.lines("task"), (Lines{
                                 "0.000000000 task 1.0#1 starting n0",
                                 "5.000000000 task 1.0#1 running n0",
                                 "17.000000000 task 1.0#1 succeeded n0",
                             }));
  EXPECT_EQ(sent<msg::Launch>(h), 2U) << "the first came to an agent that was not registered";
}

template <class T>
class CoreDuplicates : public testing::Test {};
using AnyMessage = testing::Types<msg::Register, msg::Heartbeat, msg::AttemptStarted, msg::AttemptEnded,
                                  msg::Registered, msg::Launch, msg::Kill, msg::Ack>;
TYPED_TEST_SUITE(CoreDuplicates, AnyMessage);

TYPED_TEST(CoreDuplicates, LateOnesChangeNothing) {
  // A retried job, a cancelled one and a gang; every message of one kind comes again after these times.
  const auto script = [](Harness& h) -> Harness& {
    h.at(0s).submit(job("retried").runs(12s).fails(1).retries(1)).submit(job("cancelled").runs(60s));
    h.at(7s).cancel(2);
    h.at(9s).submit(job("gang").tasks(2).runs(30s));
    return h.run();
  };
  Harness plain(cluster().nodes(2, cores(2)));
  const Lines expected = script(plain).lines();
  for (const Duration later : {Duration{0}, Duration{1ns}, Duration{1s}, Duration{12s}, Duration{33s}}) {
    Harness h(cluster().nodes(2, cores(2)));
    EXPECT_EQ(script(h.fate(repeat<TypeParam>(later))).lines(), expected) << later.count();
    for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U);
  }
}

TEST(CoreMessages, ALateRegistrationOfAnEarlierLifeIsIgnored) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("a").runs(30s));
  h.at(4s).restart(0);
  h.at(9s).deliver(0, msg::FromAgent{{}, BootNonce{1001}, {}, msg::Register{"n0", 1, cores(1).offer(), {}}});
  h.run();
  EXPECT_EQ(h.lines("task").back(), "34.000000000 task 1.0#2 succeeded n0");
  EXPECT_EQ(h.lines("lost").size(), 1U);
  EXPECT_EQ(h.controller().counters().stale, 1U);
}

TEST(CoreMessages, ALateRegistrationOfALifeManyLivesAgoIsIgnored) {
  Harness h(cluster().nodes(1, cores(1)));
  for (int k = 1; k <= 10; ++k) h.at(Seconds(k)).restart(0);
  h.at(11s).submit(job("a").runs(5s));
  h.at(13s).deliver(0, msg::FromAgent{{}, BootNonce{1001}, {}, msg::Register{"n0", 1, cores(1).offer(), {}}});
  h.run();
  EXPECT_EQ(h.lines("task").back(), "16.000000000 task 1.0#1 succeeded n0");
}

TEST(CoreMessages, ALateAnswerToAnEarlierLifeIsNotBelieved) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(4s).crash(0);
  h.at(50s).cut(0).boot(0);  // Nobody hears it: it is not registered.
  h.at(51s).deliver(0, msg::ToAgent{BootNonce{1001}, Epoch{1}, msg::Registered{NodeId{0}, 1}});
  h.at(51s).deliver(0, msg::ToAgent{BootNonce{1001}, Epoch{1}, msg::Launch{kAttempt, {}, 1, {}, 1, {}, 0s}});
  h.run_until(52s);
  EXPECT_FALSE(h.agent(0).registered());
  EXPECT_EQ(h.running(), 0U);
}

TEST(CoreMessages, ALateRegistrationReplayedAfterAControllersCrashFoolsNobody) {
  // The new controller cannot know that the registration is old, in which nothing was held. The agent does:
  // it does not believe the answer, is fenced, and tells what it runs; until that has ended nothing else runs
  // on its thread.
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("a").runs(60s));
  h.at(12s).replace_controller();
  h.at(12s).deliver(0, msg::FromAgent{{}, BootNonce{1001}, {}, msg::Register{"n0", 1, cores(1).offer(), {}}});
  h.run();
  EXPECT_TRUE(h.collisions().empty());
  EXPECT_EQ(h.lines("lost").size(), 2U)
      << "once by the old registration, once by being placed before the new one";
  EXPECT_EQ(h.ended(), (std::vector<std::pair<JobId, JobState>>{{JobId{1}, JobState::kSucceeded}}));
}

TEST(CoreMessages, TwoRegistrationsOnTheirWayAtOnceAgreeInTheEnd) {
  // Answers take 6 s, the agent repeats itself after 5 s.
  Harness h(cluster().nodes(1, cores(1)).latency(3s));
  h.at(0s).submit(job("a").runs(60s));
  h.run();
  EXPECT_TRUE(h.collisions().empty());
  for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U);
  EXPECT_EQ(h.starts().size(), 1U);
  EXPECT_EQ(h.controller().cluster().node(NodeId{0}).epoch, Epoch{1});
  EXPECT_EQ(h.agent(0).epoch(), Epoch{1});
}

TEST(CoreMessages, LaunchesAfterAReRegistrationAreNotTakenForOld) {
  // Ten launches in the first epoch; one attempt is kept through the second. Its end, acknowledged there,
  // must not void the launches of the second epoch, whose serials begin at 1 again.
  Harness h(cluster().nodes(1, cores(2)));
  for (int i = 0; i < 10; ++i) h.at(Seconds(i)).submit(job("short"));
  h.at(10s).submit(job("kept").runs(30s));
  h.at(12s).replace_controller();
  h.at(41s).submit(job("after"));
  h.run();
  EXPECT_EQ(h.lines("task 11.0").back(), "40.000000000 task 11.0#1 succeeded n0");
  EXPECT_EQ(h.lines("task 12.0#1 running"), (Lines{"41.000000000 task 12.0#1 running n0"}));

  // The same without a new controller: the agent is fenced once, and cancels what it kept.
  Harness fenced(cluster().nodes(1, cores(2)));
  for (int i = 0; i < 10; ++i) fenced.at(Seconds(i)).submit(job("short"));
  fenced.at(10s).submit(job("kept").runs(30s));
  fenced.at(12s).deliver(0, msg::ToAgent{BootNonce{1001}, Epoch{1}, msg::Fenced{}});
  fenced.at(13s).cancel(11);
  fenced.at(14s).submit(job("after"));
  fenced.run();
  EXPECT_EQ(fenced.lines("task 11.0").back(), "13.000000000 task 11.0#1 cancelled n0 killed");
  EXPECT_EQ(fenced.lines("task 12.0#1 running"), (Lines{"14.000000000 task 12.0#1 running n0"}));
}

TEST(CoreMessages, TwoMembersLostAtARegistrationVoidNoLaunches) {
  Harness h(cluster().nodes(1, cores(2)));
  for (int i = 0; i < 10; ++i) h.at(Seconds(i)).submit(job("short"));
  h.at(10s).submit(job("gang").tasks(2).runs(30s));
  h.at(12s).restart(0);
  h.run();
  EXPECT_EQ(h.lines("task 11.0#2"),
            (Lines{"12.000000000 task 11.0#2 starting n0", "12.000000000 task 11.0#2 running n0",
                   "42.000000000 task 11.0#2 succeeded n0"}));
}

TEST(CoreMessages, ResendsDoNotMultiplyWithRegistrations) {
  // The launch never arrives; the agent registers anew three times. One resend per 5 s stays one.
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("a"));
  h.fate(lose_first<msg::Launch>(1000));
  AttemptId attempt = kAttempt;
  for (std::uint32_t serial = 2; serial <= 4; ++serial)
    h.at(Seconds(serial))
        .deliver(0, msg::FromAgent{
                        {}, BootNonce{1001}, {}, msg::Register{"n0", serial, cores(1).offer(), {attempt}}});
  h.run_until(4s);
  const std::size_t before = sent<msg::Launch>(h);
  h.run_until(29s);
  EXPECT_EQ(sent<msg::Launch>(h) - before, 5U);
}

TEST(CoreMessages, MessagesFromNowhereAreFenced) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(1s).deliver(0, msg::FromAgent{NodeId{99}, BootNonce{1001}, Epoch{3}, msg::Heartbeat{}});
  h.at(1s).deliver(0, msg::FromAgent{NodeId{0}, BootNonce{1001}, Epoch{2}, msg::Heartbeat{}});
  h.at(1s).deliver(0, msg::FromAgent{NodeId{0}, BootNonce{1}, Epoch{1}, msg::Heartbeat{}});
  h.run_until(2s);
  EXPECT_EQ(h.controller().counters().fenced, 3U);
  EXPECT_EQ(sent<msg::Fenced>(h), 3U);
  EXPECT_EQ(sent<msg::Register>(h), 1U) << "none of the refusals is about the agent's own registration";
}

TEST(CoreMessages, ForgedEndsAndStartsChangeNothing) {
  Harness h(cluster().nodes(2, cores(1)));
  h.at(0s).submit(job("a").runs(10s));
  const auto from_n1 = [](auto body) { return msg::FromAgent{NodeId{1}, BootNonce{2001}, Epoch{1}, body}; };
  const auto from_n0 = [](auto body) { return msg::FromAgent{NodeId{0}, BootNonce{1001}, Epoch{1}, body}; };
  const AttemptId other{{JobId{1}, 0}, 2}, far{{JobId{1}, 9}, 1}, nobody{{JobId{7}, 0}, 1};
  h.at(3s).deliver(1, from_n1(msg::AttemptEnded{kAttempt, Outcome::kSucceeded, 0}));
  for (const AttemptId attempt : {other, far, nobody}) {
    h.at(3s).deliver(0, from_n0(msg::AttemptEnded{attempt, Outcome::kFailed, 1}));
    h.at(3s).deliver(0, from_n0(msg::AttemptStarted{attempt}));
  }
  h.run();
  EXPECT_EQ(h.lines("3.0"), Lines{});
  EXPECT_EQ(h.controller().counters().stale, 4U);
  EXPECT_EQ(h.lines("job 1").back(), "10.000000000 job 1 succeeded");
}

TEST(CoreMessages, AnEndAsKilledThatNobodyAskedForIsALoss) {
  Harness h(cluster().nodes(1, cores(1)).max_losses(0));
  h.at(0s).submit(job("a").runs(10s).retries(5));
  h.at(3s).deliver(0, msg::FromAgent{NodeId{0}, BootNonce{1001}, Epoch{1},
                                     msg::AttemptEnded{kAttempt, Outcome::kKilled, 0}});
  h.run_until(4s);
  EXPECT_EQ(h.lines("job 1").back(), "3.000000000 job 1 failed");
}

TEST(CoreMessages, ARegistrationThatHoldsNothingForeignAnyMoreIsReadyAtOnce) {
  Harness h(cluster().nodes(1, cores(1)));
  const AttemptId foreign{{JobId{9}, 0}, 1};
  const auto registers = [](std::uint32_t serial, std::vector<AttemptId> held) {
    return msg::FromAgent{
        {}, BootNonce{1001}, {}, msg::Register{"n0", serial, cores(1).offer(), std::move(held)}};
  };
  h.at(1s).deliver(0, registers(2, {foreign}));
  h.at(2s).deliver(0, registers(3, {}));
  h.run_until(3s);
  EXPECT_EQ(h.lines("node"),
            (Lines{"0.000000000 node n0 ready", "1.000000000 node n0 fenced", "2.000000000 node n0 ready"}));
}

TEST(CoreMessages, EverySecondLetterIsLostAndAllJobsEndOnce) {
  Harness h(cluster().nodes(2, cores(2)).latency(50ms));
  h.fate([](const Letter& letter) -> std::vector<Duration> {
    if (keyed_draw(1, letter.node, letter.number) % 2 == 0) return {};
    return {0s};
  });
  for (int i = 0; i < 10; ++i) h.at(Seconds(i)).submit(job("a").runs(7s).fails(1).retries(1));
  h.at(5s).cancel(3);
  h.run();
  EXPECT_EQ(h.ended().size(), 10U);
  EXPECT_TRUE(h.collisions().empty());
  for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U);
}

}  // namespace
}  // namespace duet::test
