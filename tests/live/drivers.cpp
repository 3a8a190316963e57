// Controller and agents over real connections: answers wait for the store, and nothing that was answered is
// lost.
#include <gmock/gmock.h>

#include "core/codec/replay.h"
#include "core/codec/trace_file.h"
#include "tests/live/test_cluster.h"

namespace duet::test {
namespace {

using live::Answer;
using testing::HasSubstr;

constexpr const char* kToken = "the token of all agents";

class Drivers : public testing::Test {
 protected:
  void add_controller(std::uint16_t port = 0) {
    controller = std::make_unique<TestController>(io, store, quick_controller(), port);
  }
  void add_agent(const std::string& name) {
    agents[name] = std::make_unique<TestAgent>(io, processes[name], quick_agent(name),
                                               controller->agents.port(), kToken);
  }
  void start(std::size_t nodes) {
    add_controller();
    for (std::size_t i = 1; i <= nodes; ++i) add_agent("n" + std::to_string(i));
    ASSERT_TRUE(run_until(io, [&] { return ready() == nodes; }));
  }
  std::size_t ready() const {
    std::size_t count = 0;
    const Cluster& cluster = controller->driver.machine().cluster();
    for (std::uint64_t i = 0; i < cluster.size(); ++i)
      count += cluster.node(NodeId{i}).state == NodeState::kReady ? 1 : 0;
    return count;
  }
  std::optional<Answer> submit(bool lasting) {
    auto answer = std::make_shared<std::optional<Answer>>();
    controller->driver.submit(one_task(lasting), {}, [answer](const Answer& got) { *answer = got; });
    EXPECT_TRUE(run_until(io, [&] { return answer->has_value(); }));
    return *answer;
  }
  const live::JobView* job(JobId id) const { return controller->driver.view().job(id); }
  bool in_state(JobId id, JobState state) const { return job(id) != nullptr && job(id)->state == state; }
  bool runs(JobId id) const { return job(id) != nullptr && job(id)->tasks[0].state == TaskState::kRunning; }
  /// The store tells more than the controller's memory.
  bool ended_durably(JobId id) {
    const auto rows = store.history(JobId{id.value + 1}, 1);
    return rows && rows->size() == 1 && rows->front().job == id;
  }

  live::asio::io_context io{1};
  CommandedStore store{io};
  std::map<std::string, CommandedProcesses> processes;
  std::unique_ptr<TestController> controller;
  std::map<std::string, std::unique_ptr<TestAgent>> agents;
};

TEST_F(Drivers, ASecondAgentOfANameIsRefusedWhileTheFirstIsThere) {
  start(1);
  CommandedProcesses others;
  TestAgent second(io, others, quick_agent("n1"), controller->agents.port(), kToken);
  ASSERT_TRUE(run_until(io, [&] { return !second.refused.empty(); }));
  EXPECT_EQ(second.refused,
            "an agent of the name n1 is connected already (, process 0): give one of them another name");
  EXPECT_FALSE(second.link->connected());
  EXPECT_TRUE(agents["n1"]->link->connected());
  // When the first has gone, its place is free.
  agents.clear();
  EXPECT_TRUE(run_until(io, [&] { return second.link->connected(); }));
}

TEST_F(Drivers, JobRunsAndItsEndIsInTheHistory) {
  start(2);
  const auto answer = submit(false);
  EXPECT_EQ(answer->refusal, "");
  ASSERT_TRUE(run_until(io, [&] { return ended_durably(answer->job); }));
  EXPECT_TRUE(in_state(answer->job, JobState::kSucceeded));
  EXPECT_THAT(store.history(JobId{2}, 1)->front().json, HasSubstr("\"state\":\"succeeded\""));
  // The agent forgets what the controller has on record.
  ASSERT_TRUE(run_until(io, [&] { return processes["n1"].all.empty() && processes["n2"].all.empty(); }));
}

TEST_F(Drivers, ReadinessIsSeenAndASickAttemptIsReplaced) {
  start(1);
  JobSpec spec = *one_task(true);
  spec.kind = JobKind::kService;
  spec.groups.front().spec.work.health =
      HealthCheck{std::chrono::milliseconds(20), std::chrono::seconds(5), Duration{0}, 2};
  std::optional<Answer> answer;
  controller->driver.submit(std::make_shared<const JobSpec>(spec), {},
                            [&](const Answer& got) { answer = got; });
  ASSERT_TRUE(run_until(io, [&] { return answer && runs(answer->job); }));
  ASSERT_TRUE(run_until(io, [&] { return job(answer->job)->tasks[0].ready; }));
  EXPECT_GE(processes["n1"].probes, 1U);
  const Instant started = job(answer->job)->tasks[0].started;
  processes["n1"].sick.insert({{answer->job, 0}, 1});
  ASSERT_TRUE(run_until(io, [&] {
    const live::TaskView& task = job(answer->job)->tasks[0];
    return task.attempt == 2 && task.ready;
  }));
  const live::TaskView& task = job(answer->job)->tasks[0];
  EXPECT_EQ(task.outcome, Outcome::kUnhealthy);
  EXPECT_EQ(task.ended_attempt, 1U);
  EXPECT_GT(task.started, started);
  // The controller's memory goes; what runs is ready again as soon as its agent has registered.
  const std::uint16_t port = controller->agents.port();
  controller.reset();
  add_controller(port);
  ASSERT_TRUE(run_until(io, [&] { return job(answer->job) != nullptr && job(answer->job)->tasks[0].ready; }));
  EXPECT_EQ(job(answer->job)->tasks[0].attempt, 2U);
}

TEST_F(Drivers, AnswerAndLaunchWaitUntilTheSubmissionIsDurable) {
  start(1);
  store.holding = true;
  std::optional<Answer> answer;
  controller->driver.submit(one_task(true), {}, [&](const Answer& got) { answer = got; });
  const std::size_t before = store.commits;
  ASSERT_TRUE(run_until(io, [&] { return store.commits > before; }));
  for (int i = 0; i < 50; ++i) io.poll_one();
  EXPECT_FALSE(answer.has_value());
  EXPECT_EQ(processes["n1"].launched, 0U);
  store.holding = false;
  store.release();
  ASSERT_TRUE(run_until(io, [&] { return answer && processes["n1"].launched == 1; }));
  EXPECT_EQ(answer->job, JobId{1});
}

TEST_F(Drivers, StoreThatFailsRefusesRequestsAndLosesNothing) {
  start(1);
  const auto kept = submit(true);
  ASSERT_TRUE(run_until(io, [&] { return runs(kept->job); }));
  store.failing = true;
  EXPECT_TRUE(submit(true)->unavailable);
  EXPECT_TRUE(submit(true)->unavailable);  // At once: it is known to fail.
  EXPECT_FALSE(controller->driver.available());
  EXPECT_EQ(controller->warnings.size(), 1U);
  store.failing = false;
  ASSERT_TRUE(run_until(io, [&] { return controller->driver.available(); }));
  // The job that was answered lives, its task ran on; those that were refused never were.
  ASSERT_TRUE(run_until(io, [&] { return ready() == 1; }));
  EXPECT_TRUE(in_state(kept->job, JobState::kRunning));
  EXPECT_EQ(processes["n1"].launched, 1U);
  const auto next = submit(false);
  EXPECT_EQ(next->job, JobId{2});
  ASSERT_TRUE(run_until(io, [&] { return ended_durably(next->job); }));
}

TEST_F(Drivers, ControllerThatComesBackFindsItsTasksRunning) {
  start(2);
  const auto first = submit(true);
  const auto second = submit(true);
  ASSERT_TRUE(run_until(io, [&] { return runs(first->job) && runs(second->job); }));
  const std::uint16_t port = controller->agents.port();
  controller.reset();
  // What ends meanwhile is told when there is somebody to tell.
  for (auto& [name, agent] : agents) agent->runtime.end({{first->job, 0}, 1}, 3);
  add_controller(port);
  ASSERT_TRUE(run_until(io, [&] { return ready() == 2 && ended_durably(first->job); }));
  EXPECT_THAT(store.history(JobId{2}, 1)->front().json, HasSubstr("\"exit_code\":3"));
  EXPECT_TRUE(in_state(second->job, JobState::kRunning));
  EXPECT_EQ(job(second->job)->tasks[0].attempt, 1U);
  EXPECT_EQ(processes["n1"].launched + processes["n2"].launched, 2U);
}

TEST_F(Drivers, AgentThatComesBackKeepsItsTasks) {
  start(1);
  const auto answer = submit(true);
  ASSERT_TRUE(run_until(io, [&] { return runs(answer->job); }));
  agents.clear();
  add_agent("n1");
  ASSERT_TRUE(run_until(io, [&] { return agents["n1"]->registered; }));
  agents["n1"]->runtime.end({{answer->job, 0}, 1}, 0);
  ASSERT_TRUE(run_until(io, [&] { return ended_durably(answer->job); }));
  EXPECT_EQ(processes["n1"].launched, 1U);
  EXPECT_TRUE(in_state(answer->job, JobState::kSucceeded));
}

TEST_F(Drivers, TasksOfANodeThatFallsSilentRunElsewhere) {
  start(2);
  const auto answer = submit(true);
  ASSERT_TRUE(run_until(io, [&] { return runs(answer->job); }));
  const std::string gone = processes["n1"].launched == 1 ? "n1" : "n2";
  const std::string other = gone == "n1" ? "n2" : "n1";
  agents.erase(gone);
  ASSERT_TRUE(run_until(io, [&] { return processes[other].launched == 1; }));
  ASSERT_TRUE(run_until(io, [&] { return job(answer->job)->tasks[0].attempt == 2 && runs(answer->job); }));
  // When it comes back, what it still runs is ended there.
  add_agent(gone);
  ASSERT_TRUE(run_until(io, [&] { return processes[gone].all.empty() && ready() == 2; }));
}

TEST_F(Drivers, HandingOverToItselfCostsNothing) {
  start(2);
  const auto answer = submit(true);
  ASSERT_TRUE(run_until(io, [&] { return runs(answer->job); }));
  controller->driver.hand_over();
  const auto next = submit(false);
  EXPECT_EQ(next->job, JobId{2});
  ASSERT_TRUE(run_until(io, [&] { return ready() == 2 && ended_durably(next->job); }));
  ASSERT_TRUE(run_until(io, [&] { return runs(answer->job); }));
  EXPECT_EQ(job(answer->job)->tasks[0].attempt, 1U);
  EXPECT_EQ(processes["n1"].launched + processes["n2"].launched, 2U);
}

TEST_F(Drivers, AgentWithAnotherTokenIsRefusedForGood) {
  start(1);
  CommandedProcesses none;
  TestAgent stranger(io, none, quick_agent("n2"), controller->agents.port(), "guessed");
  ASSERT_TRUE(run_until(io, [&] { return !stranger.refused.empty(); }));
  EXPECT_THAT(stranger.refused, HasSubstr("the token is not this cluster's"));
  EXPECT_FALSE(stranger.registered);
  EXPECT_EQ(controller->driver.machine().cluster().size(), 1U);
}

TEST_F(Drivers, EventsAreNumberedWithoutGapsAndWatched) {
  start(1);
  std::vector<std::uint64_t> heard;
  const auto id = controller->driver.view().events().watch(
      [&](const live::ClusterEvent& event) { heard.push_back(event.number); });
  const auto answer = submit(false);
  ASSERT_TRUE(run_until(io, [&] { return ended_durably(answer->job); }));
  ASSERT_TRUE(run_until(io, [&] { return heard.size() >= 5; }));
  controller->driver.view().events().unwatch(id);
  for (std::size_t i = 1; i < heard.size(); ++i) EXPECT_EQ(heard[i], heard[i - 1] + 1);
}

TEST_F(Drivers, WhatHappenedReplaysDecisionForDecision) {
  std::string trace;
  codec::TraceHeader header;
  header.engine = "live";
  header.controller = quick_controller();
  header.agents = {quick_agent("n1")};
  auto writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(trace));
  ASSERT_TRUE(writer);
  controller = std::make_unique<TestController>(io, store, quick_controller(), 0, writer->get());
  agents["n1"] = std::make_unique<TestAgent>(io, processes["n1"], quick_agent("n1"),
                                             controller->agents.port(), kToken, writer->get());
  ASSERT_TRUE(run_until(io, [&] { return ready() == 1; }));
  const auto lasting = submit(true);
  const auto quick = submit(false);
  ASSERT_TRUE(run_until(io, [&] { return ended_durably(quick->job); }));
  controller->driver.cancel(lasting->job, [](const Answer&) {});
  ASSERT_TRUE(run_until(io, [&] { return ended_durably(lasting->job); }));
  ASSERT_TRUE((*writer)->finish());
  auto reader = codec::TraceReader::from_memory(trace);
  ASSERT_TRUE(reader);
  const auto report = codec::replay(*reader);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->divergence.has_value());
  EXPECT_GT(report->controller_steps, 10U);
  EXPECT_GT(report->agent_steps, 5U);
}

}  // namespace
}  // namespace duet::test
