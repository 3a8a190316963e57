// The agent alone: what it answers to each message, in each phase of its life.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/agent.h"
#include "core/lifecycle.h"
#include "tests/harness/notices.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

constexpr AttemptId kFirst{{JobId{1}, 0}, 1};
constexpr AttemptId kSecond{{JobId{2}, 0}, 1};
constexpr BootNonce kBoot{77};

std::string agent_says(const msg::FromAgent& m) {
  if (const auto* r = std::get_if<msg::Register>(&m.body)) {
    std::string text = "register " + std::to_string(r->serial);
    for (const AttemptId a : r->held) text += " " + attempt_text(a);
    return text;
  }
  if (std::holds_alternative<msg::Heartbeat>(m.body)) return "heartbeat";
  if (const auto* s = std::get_if<msg::AttemptStarted>(&m.body)) return "started " + attempt_text(s->attempt);
  const auto& ended = std::get<msg::AttemptEnded>(m.body);
  return "ended " + attempt_text(ended.attempt) + " " + std::string(name(ended.outcome));
}

std::string agent_does(const agent::Command& command) {
  if (const auto* l = std::get_if<agent::Launch>(&command)) return "launch " + attempt_text(l->attempt);
  if (const auto* t = std::get_if<agent::Terminate>(&command))
    return (t->force ? "kill " : "terminate ") + attempt_text(t->attempt);
  if (const auto* f = std::get_if<agent::Forget>(&command)) return "forget " + attempt_text(f->attempt);
  return agent_says(std::get<agent::Report>(command).message);
}

/// An agent with a clock; each call returns what it did, one word after the other.
struct AgentBench {
  AgentBench() {
    AgentConfig config;
    config.name = "n0";
    agent.emplace(config);
  }
  std::string step(const agent::Event& event) {
    agent::Commands commands;
    agent->step(now, event, commands);
    std::string text;
    for (const auto& command : commands) text += (text.empty() ? "" : ", ") + agent_does(command);
    return text;
  }
  std::string boot() { return step(agent::Boot{kBoot}); }
  template <class Body>
  std::string hear(Body body, std::uint64_t epoch = 1, BootNonce boot = kBoot) {
    return step(agent::Delivered{{boot, Epoch{epoch}, body}});
  }
  std::string registered(std::uint64_t epoch = 1, std::uint32_t serial = 1) {
    return hear(msg::Registered{NodeId{0}, serial}, epoch);
  }
  std::string launch(AttemptId attempt, std::uint64_t serial, Duration timeout = 0s) {
    msg::Launch body;
    body.attempt = attempt;
    body.serial = serial;
    body.timeout = timeout;
    return hear(body);
  }
  std::string exit(AttemptId attempt, Outcome outcome) { return step(agent::Exited{attempt, outcome, 0}); }
  /// Wakes at the next deadline and says when that was: "10.000000000 heartbeat".
  std::string next() {
    const auto due = agent->next_deadline();
    if (!due) return "never";
    now = *due;
    const std::string text = time_text(now) + " " + step(Wake{});
    EXPECT_GT(agent->next_deadline().value_or(kNever), now) << text;
    return text;
  }

  Instant now;
  std::optional<Agent> agent;
};

/// Booted and registered with epoch 1, nothing held.
struct ReadyAgent : AgentBench {
  ReadyAgent() {
    boot();
    registered();
  }
};

TEST(CoreAgent, RegistersUntilItIsAnswered) {
  AgentBench a;
  EXPECT_EQ(a.boot(), "register 1");
  EXPECT_EQ(a.next(), "5.000000000 register 1");
  EXPECT_EQ(a.next(), "10.000000000 register 1");
  EXPECT_FALSE(a.agent->registered());
  EXPECT_EQ(a.registered(4, 1), "");
  EXPECT_TRUE(a.agent->registered());
  EXPECT_EQ(a.next(), "20.000000000 heartbeat");
  EXPECT_EQ(a.next(), "30.000000000 heartbeat");
}

TEST(CoreAgent, ANewLifeRemembersNothing) {
  ReadyAgent a;
  a.launch(kFirst, 1, 3s);
  a.step(agent::Started{kFirst});
  a.launch(kSecond, 2);
  a.exit(kSecond, Outcome::kSucceeded);  // Which nobody acknowledges.
  EXPECT_EQ(a.boot(), "register 1");
  a.registered(2, 1);
  EXPECT_EQ(a.next(), "10.000000000 heartbeat") << "nothing to report again, nothing to time out";
  EXPECT_EQ(a.launch(kFirst, 1), "") << "of epoch 1";
  msg::Launch again;
  again.attempt = kFirst;
  again.serial = 1;
  EXPECT_EQ(a.hear(again, 2), "launch 1.0#1") << "serials begin anew";
}

TEST(CoreAgent, BelievesOnlyTheAnswerToItsLastRegistration) {
  ReadyAgent a;
  a.hear(msg::Fenced{}, 1);  // The second registration is out.
  EXPECT_EQ(a.hear(msg::Registered{NodeId{0}, 2}, 9, BootNonce{76}), "");
  EXPECT_FALSE(a.agent->registered()) << "it answered an earlier life";
  a.registered(1, 1);
  EXPECT_FALSE(a.agent->registered()) << "it answered the first registration: what was held then may be old";
  a.registered(2, 2);
  EXPECT_EQ(a.agent->epoch(), Epoch{2});
  a.registered(3, 2);
  EXPECT_EQ(a.agent->epoch(), Epoch{2}) << "a second answer to one registration";
}

TEST(CoreAgent, RunsAnAttemptFromLaunchToAcknowledgement) {
  ReadyAgent a;
  EXPECT_EQ(a.launch(kFirst, 1), "launch 1.0#1");
  EXPECT_EQ(a.step(agent::Started{kFirst}), "started 1.0#1");
  EXPECT_EQ(a.step(agent::Started{kFirst}), "");
  EXPECT_EQ(a.exit(kFirst, Outcome::kSucceeded), "ended 1.0#1 succeeded");
  EXPECT_EQ(a.exit(kFirst, Outcome::kFailed), "");
  EXPECT_EQ(a.next(), "5.000000000 ended 1.0#1 succeeded");
  EXPECT_EQ(a.next(), "10.000000000 heartbeat, ended 1.0#1 succeeded");
  EXPECT_EQ(a.hear(msg::Ack{kFirst, 1}), "forget 1.0#1");
  EXPECT_EQ(a.agent->held(), 0U);
  EXPECT_EQ(a.hear(msg::Ack{kFirst, 1}), "");
  EXPECT_EQ(a.next(), "20.000000000 heartbeat");
}

TEST(CoreAgent, ARepeatedLaunchIsAnsweredNotRun) {
  ReadyAgent a;
  EXPECT_EQ(a.launch(kFirst, 1), "launch 1.0#1");
  EXPECT_EQ(a.launch(kFirst, 1), "");
  EXPECT_EQ(a.launch(kFirst, 2), "");
  a.step(agent::Started{kFirst});
  EXPECT_EQ(a.launch(kFirst, 2), "started 1.0#1");
  a.exit(kFirst, Outcome::kFailed);
  EXPECT_EQ(a.launch(kFirst, 3), "ended 1.0#1 failed");
  EXPECT_EQ(a.hear(msg::Ack{kFirst, 3}), "forget 1.0#1");
  for (std::uint64_t serial = 1; serial <= 3; ++serial)
    EXPECT_EQ(a.launch(kFirst, serial), "") << "it came late: its end is on record";
  EXPECT_EQ(a.launch(kSecond, 4), "launch 2.0#1");
}

TEST(CoreAgent, LaunchesOfAnotherEpochOrLifeAreIgnored) {
  ReadyAgent a;
  const msg::Launch body{kFirst, {}, 1, {}, 1, {}, 0s};
  EXPECT_EQ(a.hear(body, 0), "");
  EXPECT_EQ(a.hear(body, 2), "");
  EXPECT_EQ(a.hear(body, 1, BootNonce{76}), "");
  EXPECT_EQ(a.hear(body, 1), "launch 1.0#1");
}

TEST(CoreAgent, AKillVoidsTheLaunchThatComesAfterIt) {
  ReadyAgent a;
  EXPECT_EQ(a.hear(msg::Kill{kFirst, 1}), "ended 1.0#1 killed");
  EXPECT_EQ(a.launch(kFirst, 1), "ended 1.0#1 killed");
  EXPECT_EQ(a.next(), "5.000000000 ended 1.0#1 killed");
  a.hear(msg::Ack{kFirst, 1});
  EXPECT_EQ(a.launch(kFirst, 1), "");
  EXPECT_EQ(a.agent->held(), 0U);
}

TEST(CoreAgent, AnAcknowledgementVoidsTheLaunchThatComesAfterIt) {
  ReadyAgent a;
  a.launch(kFirst, 1);
  a.exit(kFirst, Outcome::kSucceeded);
  a.hear(msg::Ack{kFirst, 2});  // The controller had repeated the launch before it heard of the end.
  EXPECT_EQ(a.launch(kFirst, 2), "");
  EXPECT_EQ(a.launch(kSecond, 3), "launch 2.0#1");
}

TEST(CoreAgent, KillsPolitelyThenByForce) {
  ReadyAgent a;
  a.launch(kFirst, 1);
  a.step(agent::Started{kFirst});
  EXPECT_EQ(a.hear(msg::Kill{kFirst, 1}), "terminate 1.0#1");
  EXPECT_EQ(a.hear(msg::Kill{kFirst, 1}), "") << "told already";
  EXPECT_EQ(a.next(), "10.000000000 heartbeat, kill 1.0#1");
  EXPECT_EQ(a.next(), "20.000000000 heartbeat, kill 1.0#1");
  EXPECT_EQ(a.exit(kFirst, Outcome::kFailed), "ended 1.0#1 killed");
  EXPECT_EQ(a.hear(msg::Kill{kFirst, 1}), "ended 1.0#1 killed");
}

TEST(CoreAgent, WhatEndsByItselfWhileBeingKilledSucceededIfItSaysSo) {
  ReadyAgent a;
  a.launch(kFirst, 1);
  a.hear(msg::Kill{kFirst, 1});
  EXPECT_EQ(a.step(agent::Started{kFirst}), "started 1.0#1");
  EXPECT_EQ(a.exit(kFirst, Outcome::kSucceeded), "ended 1.0#1 succeeded");
}

TEST(CoreAgent, TimesOutAfterTheStartNotTheLaunch) {
  ReadyAgent a;
  a.launch(kFirst, 1, 3s);
  a.now = Instant(1s);
  a.step(agent::Started{kFirst});
  EXPECT_EQ(a.next(), "4.000000000 terminate 1.0#1");
  EXPECT_EQ(a.next(), "10.000000000 heartbeat");
  EXPECT_EQ(a.next(), "14.000000000 kill 1.0#1");
  EXPECT_EQ(a.exit(kFirst, Outcome::kFailed), "ended 1.0#1 timed_out");
}

TEST(CoreAgent, AKillBeforeTheStartIsNotPutOffByTheTimeout) {
  ReadyAgent a;
  a.launch(kFirst, 1, 60s);
  EXPECT_EQ(a.hear(msg::Kill{kFirst, 1}), "terminate 1.0#1");
  a.step(agent::Started{kFirst});
  EXPECT_EQ(a.next(), "10.000000000 heartbeat, kill 1.0#1");
  EXPECT_EQ(a.exit(kFirst, Outcome::kFailed), "ended 1.0#1 killed");
}

TEST(CoreAgent, WithoutGraceForceComesAtOnceAndDoesNotSpin) {
  AgentConfig config;
  config.kill_grace = 0s;
  AgentBench a;
  a.agent.emplace(config);
  a.boot();
  a.registered();
  a.launch(kFirst, 1);
  a.step(agent::Started{kFirst});
  EXPECT_EQ(a.hear(msg::Kill{kFirst, 1}), "kill 1.0#1");
  EXPECT_EQ(a.next(), "5.000000000 kill 1.0#1");
}

TEST(CoreAgent, RegistersAnewWhenFencedAndKeepsWhatItHolds) {
  ReadyAgent a;
  a.launch(kFirst, 1);
  a.launch(kSecond, 2);
  a.step(agent::Started{kFirst});
  EXPECT_EQ(a.hear(msg::Fenced{}, 1), "register 2 1.0#1 2.0#1");
  EXPECT_EQ(a.hear(msg::Fenced{}, 1), "") << "one is enough";
  EXPECT_EQ(a.step(agent::Started{kSecond}), "") << "nobody to tell";
  EXPECT_EQ(a.exit(kSecond, Outcome::kSucceeded), "");
  EXPECT_EQ(a.next(), "5.000000000 register 2 1.0#1 2.0#1");
  EXPECT_EQ(a.registered(2, 2), "ended 2.0#1 succeeded") << "the controller may never have heard";
  EXPECT_EQ(a.hear(msg::Fenced{}, 1), "") << "late: it spoke of the registration before";
  EXPECT_EQ(a.hear(msg::Fenced{}, 2, BootNonce{76}), "");
  EXPECT_TRUE(a.agent->registered());
}

TEST(CoreAgent, SerialsOfLaunchesStartAgainWithEachRegistration) {
  ReadyAgent a;
  a.launch(kFirst, 40);
  a.hear(msg::Fenced{}, 1);
  a.registered(2, 2);
  EXPECT_EQ(a.hear(msg::Launch{kSecond, {}, 1, {}, 1, {}, 0s}, 2), "launch 2.0#1");
}

TEST(CoreAgent, WhatCannotBeStartedIsReportedSo) {
  ReadyAgent a;
  a.launch(kFirst, 1);
  EXPECT_EQ(a.exit(kFirst, Outcome::kLaunchFailed), "ended 1.0#1 launch_failed");
}

TEST(CoreAgent, EventsOfUnknownAttemptsAreIgnored) {
  ReadyAgent a;
  EXPECT_EQ(a.step(agent::Started{kFirst}), "");
  EXPECT_EQ(a.exit(kFirst, Outcome::kSucceeded), "");
  EXPECT_EQ(a.hear(msg::Ack{kFirst, 0}), "");
}

TEST(CoreAgent, HeartbeatsCanBeSwitchedOff) {
  AgentConfig config;
  config.heartbeat = 0s;
  AgentBench a;
  a.agent.emplace(config);
  a.boot();
  a.registered();
  EXPECT_EQ(a.next(), "never");
}

}  // namespace
}  // namespace duet::test
