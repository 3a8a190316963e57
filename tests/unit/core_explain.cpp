// What the core says of itself: how the nodes stood when a task was placed, and why a task waits.
#include <gtest/gtest.h>

#include "core/codec/explain_trace.h"
#include "core/explain.h"
#include "core/lifecycle.h"
#include "tests/harness/harness.h"
#include "tests/unit/codec_support.h"

namespace duet::test {
namespace core_explain {

using std::chrono_literals::operator""s;
using Why = Standing::Why;

std::string obstacles_of(const Candidate& candidate) {
  std::string text = candidate.name + ":";
  for (const Objection& objection : candidate.against) text += " " + std::string(name(objection.obstacle));
  return text;
}

Lines obstacles_of(const Choice& choice) {
  Lines lines;
  for (const Candidate& candidate : choice.nodes) lines.push_back(obstacles_of(candidate));
  return lines;
}

TaskId first_of(std::uint64_t job) { return {JobId{job}, 0}; }

TEST(Explain, SaysAllThatSpeaksAgainstANode) {
  ClusterBuilder nodes = cluster().nodes(2, cores(2).memory(1000)).nodes(3, cores(1)).dead_after(30, 60);
  nodes.controller.inventory.emplace_back("never");
  Harness h(nodes);
  h.at(1s).submit(job("fills").cores(2).memory(600).runs(1000s));
  h.at(2s).drain(1);
  h.at(2s).crash(3);
  h.at(100s).submit(job("waits").exclusive().memory(700).count(2, 1));
  h.run_until(101s);
  const Choice choice = choice_now(h.controller(), first_of(2));
  EXPECT_EQ(obstacles_of(choice), (Lines{"n0: no_core no_memory no_countable", "n1: draining no_countable",
                                         "n2: no_memory no_countable", "n3: not_ready no_memory no_countable",
                                         "n4: no_memory no_countable", "never: never_seen"}));
  EXPECT_EQ(choice.nodes[0].against[1].text, "memory: needs 700 B, has 400 B free, short by 300 B");
  EXPECT_EQ(choice.nodes[3].against[0].text, "is down");
  EXPECT_FALSE(choice.first);
}

TEST(Explain, RanksNodesAsTheSchedulerDoes) {
  Harness h(cluster().nodes(3, cores(4)).scheduler("spread"));
  h.at(1s).submit(job("a").cores(3).runs(100s)).submit(job("b").cores(1).runs(100s));
  h.at(2s).submit(job("gang").tasks(3).cores(4).runs(1s));
  h.run_until(3s);
  Choice choice = choice_now(h.controller(), first_of(3));
  EXPECT_EQ(choice.nodes[2].rank, 1U);
  EXPECT_EQ(choice.first, 2U);
  EXPECT_EQ(choice.nodes[0].rank, 0U);
  EXPECT_DOUBLE_EQ(*choice.nodes[2].score, -0.7);
}

TEST(Explain, AQueueThatChoosesNodesItselfAsksNoScheduler) {
  Harness h(cluster().nodes(1, cores(1)).queue("easy_machines"));
  h.at(1s).submit(job("a").runs(100s)).submit(job("b"));
  h.run_until(3s);
  const Choice choice = choice_now(h.controller(), first_of(2));
  EXPECT_TRUE(choice.measure.empty());
  EXPECT_FALSE(choice.first);
}

TEST(Explain, PlaceInTheQueue) {
  Harness h(cluster().nodes(2, cores(2)));
  h.at(1s).submit(job("fills").cores(2).runs(100s));
  h.at(2s).submit(job("gang").tasks(3).runs(1s).estimate(7s)).submit(job("bag").bag().tasks(9).runs(1s));
  h.run_until(3s);
  EXPECT_EQ(standing(h.controller(), first_of(1)).why, Why::kActive);
  const Standing gang = standing(h.controller(), first_of(2));
  EXPECT_EQ(gang.why, Why::kQueued);
  EXPECT_EQ(gang.ahead, 0U);
  EXPECT_EQ(gang.entries, 2U);
  EXPECT_EQ(gang.head, JobId{2});
  EXPECT_TRUE(gang.together);
  EXPECT_EQ(gang.width, 3U);
  EXPECT_EQ(gang.room, 2U);
  EXPECT_EQ(gang.estimate, Duration(7s));
  const Standing bag = standing(h.controller(), first_of(3));
  EXPECT_EQ(bag.ahead, 1U);
  EXPECT_FALSE(bag.together);
  EXPECT_EQ(bag.width, 9U);
}

TEST(Explain, BackoffsOfOneTaskAndOfAGang) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(1s).submit(
      job("bag").bag().tasks(9).runs(100s).retries(3).fails(1).only_task(1).after(5s).backoff(60s));
  h.run_until(8s);
  const Standing one = standing(h.controller(), {JobId{1}, 1});
  EXPECT_EQ(one.why, Why::kBackoff);
  EXPECT_EQ(one.until, Instant(66s));
  EXPECT_EQ(standing(h.controller(), {JobId{1}, 8}).why, Why::kQueued);  // Of the same group.
  Harness gang(cluster().nodes(1, cores(2)));
  gang.at(1s).submit(job("gang").tasks(2).runs(5s).retries(3).fails(1).only_task(1).backoff(40s));
  gang.run_until(8s);
  const Standing both = standing(gang.controller(), {JobId{1}, 1});
  EXPECT_EQ(both.why, Why::kBackoff);
  EXPECT_EQ(both.until, Instant(46s));
}

TEST(Explain, PredecessorsGangsAndIdleReplicas) {
  Harness h(cluster().nodes(1, cores(4)));
  h.at(1s).submit(job("dag").dag().runs(50s).and_group(1).and_group(1).comes_after({0, 1}));
  h.at(1s).submit(job("service").service(2).runs(1000s));
  h.at(2s).scale(2, 1);
  h.run_until(3s);
  const Standing last = standing(h.controller(), {JobId{1}, 2});
  EXPECT_EQ(last.why, Why::kPredecessors);
  EXPECT_EQ(last.on.size(), 1U);  // The other one, which runs for no time, has succeeded.
  EXPECT_EQ(standing(h.controller(), {JobId{2}, 1}).why, Why::kIdle);
}

TEST(Explain, AGangWaitsForItsLastMemberToEnd) {
  Harness h(cluster().nodes(2, cores(2)).heartbeat(5s).dead_after(10, 15).kill_grace(60s));
  h.at(1s).submit(job("gang").tasks(4).runs(1000s).stubborn());
  h.at(10s).crash(0);
  h.run_until(40s);
  const Standing lost = standing(h.controller(), first_of(1));
  EXPECT_EQ(lost.why, Why::kGang);
  EXPECT_EQ(lost.on, (std::vector<std::uint32_t>{2, 3}));
  EXPECT_EQ(standing(h.controller(), {JobId{1}, 3}).why, Why::kActive);
}

// ---- Of traces

std::string trace_under(const std::string& queue, const std::string& scheduler) {
  codec::TraceHeader header = two_agents();
  header.controller.queue.name = queue;
  header.controller.scheduler.name = scheduler;
  std::string bytes;
  DUET_CHECK(traced_run(codec::TraceOutput::memory(bytes), header));
  return bytes;
}

Result<codec::TaskExplanation> explained(const std::string& bytes, TaskId task, std::uint32_t number = 0) {
  return codec::explain_task(reader_of(bytes), reader_of(bytes), {task, number});
}

class ExplainEveryScheduler : public testing::TestWithParam<std::string> {};
TEST_P(ExplainEveryScheduler, TheBestCandidateIsTheOneThatWasChosen) {
  const std::string bytes = trace_under("fcfs", GetParam());
  std::uint32_t placements = 0;
  for (const TaskId task : {first_of(1), first_of(2), TaskId{JobId{2}, 1}, TaskId{JobId{2}, 2},
                            TaskId{JobId{2}, 3}, TaskId{JobId{2}, 4}, first_of(3)})
    for (std::uint32_t number = 1; const auto told = explained(bytes, task, number); ++number) {
      ASSERT_TRUE(told->placed && told->choice && told->choice->first) << task.index;
      EXPECT_EQ(NodeId{*told->choice->first}, told->placed->node) << task.index << " #" << number;
      EXPECT_FALSE(told->choice->measure.empty());
      EXPECT_EQ(told->story.back().state, TaskState::kSucceeded);
      ++placements;
    }
  EXPECT_GE(placements, 10U);  // Seven tasks, of which three fail once.
}
std::vector<std::string> explain_schedulers() {
  std::vector<std::string> names;
  for (const auto& entry : scheduler_policies()) names.emplace_back(entry.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, ExplainEveryScheduler, testing::ValuesIn(explain_schedulers()),
                         [](const auto& instance) { return instance.param; });

TEST(ExplainTrace, AFailedTaskAvoidsItsNode) {
  std::string bytes;
  auto writer = codec::TraceWriter::create(two_agents(), codec::TraceOutput::memory(bytes));
  TracedCluster cluster(two_agents(), writer->get(), writer->get());
  cluster.submit(1s, some_job("one", 1, 3, false));
  cluster.drain(6s, 1);
  cluster.run(60s);
  ASSERT_TRUE((*writer)->finish());
  const auto told = explained(bytes, first_of(1), 2);
  ASSERT_TRUE(told);
  EXPECT_EQ(obstacles_of(told->choice->nodes[0]), "a: avoided");
  std::vector<std::string> story;
  for (const codec::Chapter& chapter : told->story)
    story.push_back(std::string(name(chapter.state)) + ": " + chapter.why);
  EXPECT_EQ(story, (Lines{"pending: submitted", "starting: placed on a", "running: started",
                          "pending: exited with code 1, failure 1 (1 retry allowed); runs again",
                          "starting: placed on b", "running: started", "stopping: evicted: b is drained",
                          "pending: ended as it was told; runs again at no cost of a retry",
                          "starting: placed on a", "running: started", "succeeded: succeeded"}));
}

TEST(ExplainTrace, WhatIsNotThere) {
  const std::string bytes = run_trace();
  const auto problem = [&](TaskId task, std::uint32_t number = 0) {
    const auto told = explained(bytes, task, number);
    return told ? "" : told.problems().front().what + " = " + told.problems().front().right;
  };
  EXPECT_EQ(problem(first_of(17)), "has no task 17.0 = a task of a job from 1 to 3");
  EXPECT_EQ(problem({JobId{2}, 5}), "has no task 2.5 = a task from 2.0 to 2.4");
  EXPECT_EQ(problem({JobId{1}, 1}), "has no task 1.1 = its only task is 1.0");
  EXPECT_EQ(problem(first_of(3), 9), "has no attempt 9 of task 3.0 = an attempt from 1 to 2");
}

TEST(ExplainTrace, AWaitingTaskAndTheReservationOfTheHead) {
  codec::TraceHeader header = two_agents();
  header.controller.queue.name = "easy";
  std::string bytes;
  auto writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(bytes));
  TracedCluster cluster(header, writer->get(), writer->get());
  const auto estimated = [](const std::string& key, std::int64_t cpus, std::int64_t seconds) {
    JobSpec spec = *some_job(key, 1, seconds, false);
    spec.groups[0].spec.need.cpu_m = cpus * kThread;
    spec.groups[0].spec.estimate = std::chrono::seconds(seconds);
    return std::make_shared<const JobSpec>(std::move(spec));
  };
  cluster.submit(1s, estimated("runs", 3, 50));
  cluster.submit(2s, estimated("runs too", 4, 70));
  cluster.submit(3s, estimated("head", 4, 10));
  cluster.submit(4s, estimated("too long", 1, 400));
  cluster.submit(5s, estimated("short", 1, 20));
  cluster.run(6s);
  ASSERT_TRUE((*writer)->finish());
  const auto head = explained(bytes, first_of(3));
  ASSERT_TRUE(head && head->standing && head->reserved) << (head ? "" : head.problems().front().what);
  EXPECT_EQ(head->standing->ahead, 0U);
  EXPECT_EQ(head->reserved->job, JobId{3});
  EXPECT_EQ(head->reserved->at, Instant(51s));
  const auto later = explained(bytes, first_of(4));
  ASSERT_TRUE(later && later->reserved);
  EXPECT_EQ(later->standing->ahead, 1U);
  EXPECT_EQ(later->standing->room, 0U);  // The short one has taken it.
  const auto filled = explained(bytes, first_of(5));
  ASSERT_TRUE(filled && filled->placed);
  EXPECT_EQ(filled->choice->passed, 2U);
}

}  // namespace core_explain
}  // namespace duet::test
