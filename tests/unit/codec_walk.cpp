// Walks through traces, and what is told and drawn at a stop.
#include <gtest/gtest.h>

#include "core/codec/cluster_view.h"
#include "core/codec/decision.h"
#include "core/codec/dot.h"
#include "core/codec/walk.h"
#include "tests/unit/codec_support.h"

namespace duet::test {
namespace codec_walk {

TEST(CodecWalk, StopsWhereTheRunWasDecidedOtherwise) {
  std::uint64_t changed_at = 0;
  const std::string bad =
      altered(run_trace(), [&](std::uint64_t number, const auto&, controller::Commands& commands) {
        if (number < 30 || commands.empty() || changed_at != 0) return;
        commands.pop_back();
        changed_at = number;
      });
  auto walk = codec::Walk::over(reader_of(bad));
  ASSERT_TRUE(walk);
  while (*walk->next()) {
    const auto problem = walk->take();
    ASSERT_EQ(problem.has_value(), walk->number() == changed_at) << walk->number();
    if (!problem) continue;
    EXPECT_NE(problem->what.find("frame " + std::to_string(changed_at) + " at byte"), std::string::npos);
    EXPECT_NE(problem->what.find("this version of Duet would have decided otherwise here"),
              std::string::npos);
    return;
  }
  FAIL() << "the walk went through";
}

TEST(CodecWalk, GoesUpToAnInstantOrAStepAndChecksTheRest) {
  const std::string bytes = run_trace();
  auto walk = codec::Walk::over(reader_of(bytes));
  EXPECT_FALSE(walk->take_up_to(Instant(std::chrono::seconds(6)), UINT64_MAX));
  EXPECT_LE(walk->taken_at(), Instant(std::chrono::seconds(6)));
  EXPECT_TRUE(walk->controller()->cluster().node(NodeId{1}).draining);
  const std::uint64_t steps = walk->last_number();
  auto none = codec::Walk::over(reader_of(bytes));
  EXPECT_FALSE(none->take_up_to(kNever, 0));
  EXPECT_EQ(none->controller(), nullptr);
  EXPECT_EQ(none->last_number(), steps);
  const std::string cut = bytes.substr(0, bytes.size() - 60);
  auto broken = codec::Walk::over(reader_of(cut));
  EXPECT_TRUE(broken->take_up_to(Instant{}, UINT64_MAX));
}

TEST(CodecWalk, ImpossibleTracesAreProblems) {
  std::string bytes;
  auto writer = codec::TraceWriter::create(two_agents(), codec::TraceOutput::memory(bytes));
  for (const std::int64_t at : {5, 4}) (*writer)->record(0, instant_ns(at), controller::Event(Wake{}), {}, 0);
  ASSERT_TRUE((*writer)->finish());
  auto walk = codec::Walk::over(reader_of(bytes));
  ASSERT_TRUE(*walk->next());
  EXPECT_NE(walk->next().problems().front().what.find("it lies before an earlier step"), std::string::npos);
  codec::TraceHeader header = two_agents();
  header.controller.scheduler.name = "no_such_scheduler";
  bytes.clear();
  writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(bytes));
  ASSERT_TRUE((*writer)->finish());
  EXPECT_FALSE(codec::Walk::over(reader_of(bytes)));
}

TEST(CodecDecision, FiltersByTaskJobAndNode) {
  const std::string bytes = run_trace();
  const auto count = [&](const codec::DecisionFilter& filter) {
    auto walk = codec::Walk::over(reader_of(bytes));
    std::size_t changes = 0;
    while (*walk->next()) {
      EXPECT_FALSE(walk->take());
      const codec::Decision decision = decision_of(*walk, filter);
      EXPECT_EQ(codec::decides(*walk, filter), !decision.changes.empty());
      for (const codec::Happening& change : decision.changes) {
        ++changes;
        if (filter.task) EXPECT_TRUE(change.what == "task" && change.id.starts_with("2.1")) << change.id;
        if (filter.job && !filter.task) EXPECT_TRUE(change.id.starts_with("2"));
        if (!filter.node.empty()) EXPECT_TRUE(change.node == filter.node || change.id == filter.node);
      }
      if (filter.task)
        for (const codec::Happening& command : decision.commands) EXPECT_TRUE(command.id.starts_with("2.1"));
    }
    return changes;
  };
  EXPECT_GT(count({JobId{2}, 1, {}}), 2U);
  EXPECT_GT(count({JobId{2}, {}, {}}), count({JobId{2}, 1, {}}));
  EXPECT_GT(count({}), count({JobId{2}, {}, {}}));
  EXPECT_GT(count({{}, {}, "a"}), 5U);
  EXPECT_EQ(count({JobId{9}, {}, {}}), 0U);
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++n;
  return n;
}

/// True if the braces of a dot text match outside of its strings.
bool balanced(const std::string& dot) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < dot.size(); ++i) {
    if (quoted && dot[i] == '\\')
      ++i;
    else if (dot[i] == '"')
      quoted = !quoted;
    else if (!quoted)
      depth += dot[i] == '{' ? 1 : dot[i] == '}' ? -1 : 0;
  }
  return depth == 0 && !quoted;
}

TEST(CodecDot, Lifecycle) {
  const std::string dot = codec::lifecycle_dot();
  EXPECT_TRUE(balanced(dot));
  EXPECT_NE(dot.find("\"task.pending\" -> \"task.starting\";"), std::string::npos);
  EXPECT_EQ(dot.find("\"task.succeeded\" ->"), std::string::npos);
  EXPECT_NE(dot.find("[label=\"cancelled\", class=\"task terminal\", peripheries=2]"), std::string::npos);
}

std::string cluster_dot_of(const std::string& bytes, Instant at, std::size_t most_nodes) {
  auto walk = codec::Walk::over(reader_of(bytes));
  DUET_CHECK(walk && !walk->take_up_to(at, UINT64_MAX));
  return codec::cluster_dot(*walk->controller(), at, most_nodes);
}

TEST(CodecDot, TheClusterAtItsBusiest) {
  const std::string bytes = run_trace();
  codec::TraceReader first = reader_of(bytes);
  const auto busiest = codec::busiest_instant(first);
  ASSERT_TRUE(busiest);
  const std::string dot = cluster_dot_of(bytes, *busiest, 10);
  EXPECT_TRUE(balanced(dot));
  EXPECT_EQ(count_of(dot, "subgraph"), 2U);
  EXPECT_EQ(count_of(dot, "class=\"core "), 4U);
  EXPECT_NE(dot.find("2.0#1"), std::string::npos) << dot;
  const std::string end = cluster_dot_of(bytes, kNever, 1);
  EXPECT_NE(end.find(": 0 attempts, 0 tasks in the queue, 1 more nodes"), std::string::npos) << end;
}

TEST(CodecDot, NodesThatCannotBeUsedAndWhatWaitsStandOut) {
  const std::string bytes = run_trace();
  // The bag holds all four cores from the first second on; node b is drained at the sixth.
  const std::string early = cluster_dot_of(bytes, Instant(std::chrono::milliseconds(1500)), 10);
  EXPECT_NE(early.find("queue fcfs\\n1. job 2 `bag`: 2 tasks"), std::string::npos) << early;
  EXPECT_NE(early.find("class=\"node ready\""), std::string::npos);
  const std::string late = cluster_dot_of(bytes, Instant(std::chrono::seconds(6)), 10);
  EXPECT_NE(late.find("class=\"node ready draining\"; style=\"rounded,filled,dashed\""), std::string::npos)
      << late;
  EXPECT_NE(late.find("(stopping)"), std::string::npos) << late;
}

TEST(CodecDot, TheWayOfATask) {
  const std::vector<codec::Chapter> story = {
      {1, Instant(std::chrono::seconds(1)), TaskState::kPending, 0, "", "submitted"},
      {2, Instant(std::chrono::seconds(2)), TaskState::kStarting, 1, "a", "placed"},
      {3, Instant(std::chrono::seconds(3)), TaskState::kPending, 1, "a", "failed"},
      {4, Instant(std::chrono::milliseconds(4500)), TaskState::kStarting, 2, "b\"", "placed"}};
  const std::string dot = codec::task_dot({JobId{3}, 1}, story);
  EXPECT_TRUE(balanced(dot)) << dot;
  EXPECT_NE(
      dot.find(
          "\"task.pending\" -> \"task.starting\" [label=\"1: 2 s, a\\n3: 4.5 s, b\\\"\", class=\"taken\""),
      std::string::npos)
      << dot;
  EXPECT_NE(dot.find("task 3.1: 2 attempts, starting since 4.5 s"), std::string::npos);
  EXPECT_NE(dot.find("\"task.running\" -> \"task.stopping\" [class=\"possible\""), std::string::npos);
  EXPECT_EQ(dot.find("\"task.idle\" -> \"task.running\""), std::string::npos);
}

}  // namespace codec_walk
}  // namespace duet::test
