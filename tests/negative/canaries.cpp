// The checkers are told lies about correct runs, and traces are altered: each must be noticed.
#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rng.h"
#include "sim/check_trace.h"
#include "sim/run.h"
#include "sim/swarm.h"
#include "sim/swarm_draw.h"

namespace duet::sim {
namespace {

/// Passes a run on to the checkers, except for one lie, told at the first occasion.
class Liar final : public Observer {
 public:
  enum class Lie : std::uint8_t {
    kNone,
    kTimeGoesBack,
    kTaskEndsTwice,
    kNoticeIsKept,
    kPlacedOnDownNode,
    kAttemptRunsOn,
    kAttemptNeverRan,
    kAttemptRunsTwice,
    kTwiceTheThreads,
    kEndOfAnotherAttempt,
    kAnswerToAnotherLife,
    kJobRecordIsLost,
    kTaskRecordIsLost,
  };
  Liar(Checkers& to, Lie lie) : to_(to), lie_(lie) {}

  void on_step(Instant now, const Controller& c, const controller::Event& event,
               const controller::Commands& commands, std::size_t first) override {
    controller::Event told = event;
    controller::Commands said(commands.begin() + static_cast<std::ptrdiff_t>(first), commands.end());
    if (lie_ == Lie::kEndOfAnotherAttempt) other_attempt(told);
    if (lie_ == Lie::kJobRecordIsLost) lose<JobRecord>(told);
    if (lie_ == Lie::kTaskRecordIsLost) lose<TaskRecord>(told);
    for (std::size_t i = 0; i < said.size() && !lied_; ++i) {
      auto* published = std::get_if<controller::Publish>(&said[i]);
      auto* task = published == nullptr ? nullptr : std::get_if<controller::TaskChanged>(&published->notice);
      if (task == nullptr) continue;
      if (lie_ == Lie::kTaskEndsTwice && task->state == TaskState::kSucceeded && (lied_ = true))
        said.insert(said.begin() + static_cast<std::ptrdiff_t>(i), said[i]);
      else if (lie_ == Lie::kNoticeIsKept && task->state == TaskState::kRunning && (lied_ = true))
        said.erase(said.begin() + static_cast<std::ptrdiff_t>(i));
      else if (lie_ == Lie::kPlacedOnDownNode && task->state == TaskState::kStarting)
        elsewhere(c, *task);
    }
    to_.on_step(now, c, told, said, 0);
    if (lie_ == Lie::kTimeGoesBack && now > Instant{} && !lied_ && (lied_ = true))
      to_.on_fault(Instant{}, crash());
  }
  void on_agent_step(Instant now, std::uint32_t node, const Agent& agent, const agent::Event& event,
                     const agent::Commands& commands, std::size_t first) override {
    agent::Event told = event;
    auto* delivered = std::get_if<agent::Delivered>(&told);
    if (lie_ == Lie::kAnswerToAnotherLife && delivered != nullptr && !lied_ &&
        std::holds_alternative<msg::Registered>(delivered->message.body) && (lied_ = true))
      ++delivered->message.boot.value;
    to_.on_agent_step(now, node, agent, told, commands, first);
  }
  void on_run(Instant now, std::uint32_t node, AttemptId attempt, const ThreadSet& threads,
              bool begins) override {
    const bool now_or_never =
        !lied_ && ((begins && (lie_ == Lie::kAttemptNeverRan || lie_ == Lie::kAttemptRunsTwice ||
                               lie_ == Lie::kTwiceTheThreads)) ||
                   (!begins && lie_ == Lie::kAttemptRunsOn));
    lied_ |= now_or_never;
    if (now_or_never && (lie_ == Lie::kAttemptNeverRan || lie_ == Lie::kAttemptRunsOn)) return;
    ThreadSet all = threads;
    if (now_or_never && lie_ == Lie::kTwiceTheThreads) all.insert(ThreadSet::kMaxThreads - 1);
    to_.on_run(now, node, attempt, all, begins);
    if (now_or_never && lie_ == Lie::kAttemptRunsTwice) to_.on_run(now, node, attempt, threads, begins);
  }
  void on_fault(Instant now, const Fault& fault) override { to_.on_fault(now, fault); }
  void on_controller(Instant now, bool begins) override { to_.on_controller(now, begins); }
  void on_commit(Instant now) override { to_.on_commit(now); }
  void on_instant(Instant now, const Controller& controller) override { to_.on_instant(now, controller); }

  bool lied() const { return lied_; }

 private:
  static Fault crash() { return {Instant{}, Fault::Kind::kRestart, 0}; }
  void other_attempt(controller::Event& event) {
    auto* received = std::get_if<controller::Received>(&event);
    auto* ended = received == nullptr ? nullptr : std::get_if<msg::AttemptEnded>(&received->message.body);
    if (ended == nullptr || lied_) return;
    lied_ = true;
    ++ended->attempt.number;
  }
  template <class R>
  void lose(controller::Event& event) {
    auto* restore = std::get_if<controller::Restore>(&event);
    if (restore == nullptr || lied_) return;
    const auto lost = std::find_if(restore->records.begin(), restore->records.end(),
                                   [](const Record& record) { return std::holds_alternative<R>(record); });
    lied_ = lost != restore->records.end();
    if (lied_) restore->records.erase(lost);
  }
  void elsewhere(const Controller& c, controller::TaskChanged& task) {
    for (std::size_t i = 0; i < c.cluster().size() && !lied_; ++i)
      if (c.cluster().node(NodeId{i}).state == NodeState::kDown) {
        task.node = NodeId{i};
        lied_ = true;
      }
  }

  Checkers& to_;
  Lie lie_;
  bool lied_ = false;
};

using Lie = Liar::Lie;

struct Told {
  Lie lie;
  const char* name;
  const char* invariant;
  bool always =
      true;  ///< Else some of these lies make no difference, such as what ran but was never accepted.
};

const Told kLies[] = {
    {Lie::kTimeGoesBack, "TimeGoesBack", "I16"},
    {Lie::kTaskEndsTwice, "TaskEndsTwice", "I2"},
    {Lie::kNoticeIsKept, "NoticeIsKept", "I3"},
    {Lie::kPlacedOnDownNode, "PlacedOnDownNode", "I8"},
    {Lie::kAttemptRunsOn, "AttemptRunsOn", "I17", false},
    {Lie::kAttemptNeverRan, "AttemptNeverRan", "I17", false},
    {Lie::kAttemptRunsTwice, "AttemptRunsTwice", "I4"},
    {Lie::kTwiceTheThreads, "TwiceTheThreads", "I7"},
    {Lie::kEndOfAnotherAttempt, "EndOfAnotherAttempt", "I2", false},
    {Lie::kAnswerToAnotherLife, "AnswerToAnotherLife", "I10", false},
    {Lie::kJobRecordIsLost, "JobRecordIsLost", "I14"},
    {Lie::kTaskRecordIsLost, "TaskRecordIsLost", "I14"},
};

std::vector<Violation> lie_about(const Scenario& scenario, Lie lie, bool& lied) {
  Checkers checkers(scenario);
  Liar liar(checkers, lie);
  WorldOptions options;
  options.observer = &liar;
  const auto results = run(scenario, make_loop_engine, options);
  EXPECT_TRUE(results);
  checkers.finish(*results);
  lied = liar.lied();
  return checkers.violations();
}

class Canary : public testing::TestWithParam<Told> {};

TEST_P(Canary, IsHeard) {
  int told = 0;
  int heard_of = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    bool lied = false;
    const auto violations = lie_about(draw_scenario(seed), GetParam().lie, lied);
    if (!lied) continue;
    ++told;
    const bool heard = std::any_of(violations.begin(), violations.end(),
                                   [](const Violation& v) { return v.invariant == GetParam().invariant; });
    heard_of += heard;
    EXPECT_TRUE(heard || !GetParam().always) << "seed " << seed;
  }
  EXPECT_GT(told, 0);
  EXPECT_GT(heard_of, told / 2);
}

INSTANTIATE_TEST_SUITE_P(All, Canary, testing::ValuesIn(kLies), [](const auto& of) { return of.param.name; });

TEST(Canaries, WithoutALieNothingIsHeard) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    bool lied = false;
    EXPECT_THAT(lie_about(draw_scenario(seed), Lie::kNone, lied), testing::IsEmpty());
  }
}

TEST(TraceCanaries, EveryAlterationIsNoticed) {
  const std::string trace = trace_of(draw_scenario(3));
  ASSERT_EQ(check_trace(trace), std::nullopt);
  Rng rng(16);
  const auto somewhere = [&] { return static_cast<std::size_t>(rng.below(trace.size() - 16)); };
  for (int i = 0; i < 300; ++i) {
    std::string flipped = trace;
    const std::size_t at = somewhere();
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << rng.below(8)));
    EXPECT_NE(check_trace(flipped), std::nullopt) << "bit flipped in byte " << at;
  }
  for (int i = 0; i < 100; ++i) {
    const std::size_t at = somewhere();
    const auto length = static_cast<std::size_t>(rng.between(1, 8));
    EXPECT_NE(check_trace(std::string(trace).erase(at, length)), std::nullopt) << "bytes missing at " << at;
    EXPECT_NE(check_trace(std::string_view(trace).substr(0, at)), std::nullopt) << "cut at " << at;
    std::string swapped = trace;
    std::swap(swapped[at], swapped[at + 8]);
    if (swapped == trace) continue;
    EXPECT_NE(check_trace(swapped), std::nullopt) << "bytes swapped at " << at;
  }
}

}  // namespace
}  // namespace duet::sim
