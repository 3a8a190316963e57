// Real processes under the live driver: timeouts, kills, programs that do not exist, traces that replay.
#include <cerrno>
#include <csignal>
#include <functional>
#include <optional>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "live/child_process.h"
#include "live/local_cluster.h"

namespace duet::test {
namespace {

using live::ChildProcess;

/// Runs one program to its end and returns how it ended.
std::optional<std::int32_t> ends_with(const std::vector<std::string>& argv,
                                      const std::function<void(ChildProcess&)>& meanwhile) {
  live::asio::io_context io(1);
  std::optional<std::int32_t> code;
  auto child = ChildProcess::start(io, argv, [&](std::int32_t c) { code = c; });
  if (!child) return std::nullopt;
  if (meanwhile) meanwhile(**child);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!code && std::chrono::steady_clock::now() < deadline) io.run_one_for(std::chrono::milliseconds(100));
  return code;
}

TEST(ChildProcess, TellsHowItEnded) {
  EXPECT_EQ(ends_with({"true"}, {}), 0);
  EXPECT_EQ(ends_with({"false"}, {}), 1);
  EXPECT_EQ(ends_with({"sleep", "60"}, [](ChildProcess& child) { child.terminate(false); }), -SIGTERM);
  EXPECT_EQ(ends_with({"sleep", "60"}, [](ChildProcess& child) { child.terminate(true); }), -SIGKILL);
}

TEST(ChildProcess, SaysWhyItCannotStart) {
  live::asio::io_context io(1);
  const auto child = ChildProcess::start(io, {"duet-no-such-program"}, [](std::int32_t) {});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.problems().front().what, "cannot be started: No such file or directory");
  EXPECT_FALSE(ChildProcess::start(io, {}, [](std::int32_t) {}));
}

TEST(ChildProcess, LeavesNoProcessBehind) {
  live::asio::io_context io(1);
  bool called = false;
  {
    const auto child = ChildProcess::start(io, {"sleep", "60"}, [&](std::int32_t) { called = true; });
    ASSERT_TRUE(child);
  }
  io.poll();
  EXPECT_FALSE(called);
  siginfo_t info{};
  EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), -1);  // No child is left to wait for.
  EXPECT_EQ(errno, ECHILD);
}

TEST(LocalCluster, KillsAtTheTimeoutAndRetries) {
  live::LocalClusterOptions options;
  AgentConfig agent;
  agent.name = "here";
  agent.offer.capacity.cpu_m = kThread;
  options.agents = {agent};
  std::vector<TaskState> states;
  std::optional<JobState> job_state;
  Outcome last = Outcome::kSucceeded;
  options.on_notice = [&](Instant, const controller::Notice& notice) {
    if (const auto* task = std::get_if<controller::TaskChanged>(&notice)) {
      states.push_back(task->state);
      last = task->outcome;
    }
    if (const auto* job = std::get_if<controller::JobChanged>(&notice)) job_state = job->state;
  };
  live::asio::io_context io(1);
  live::LocalCluster cluster(io, options);
  JobSpec spec;
  TaskSpec task;
  task.need.cpu_m = kThread;
  task.work.duration = std::chrono::seconds(60);
  task.timeout = std::chrono::milliseconds(50);
  spec.groups.push_back({1, task});
  spec.retries = 1;
  cluster.request(controller::Submit{RequestId{1}, std::make_shared<const JobSpec>(spec)});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (job_state != JobState::kFailed && std::chrono::steady_clock::now() < deadline)
    io.run_one_for(std::chrono::milliseconds(100));
  using enum TaskState;
  EXPECT_EQ(states, (std::vector<TaskState>{kStarting, kRunning, kPending, kStarting, kRunning, kFailed}));
  EXPECT_EQ(last, Outcome::kTimedOut);
  EXPECT_EQ(job_state, JobState::kFailed);
}

}  // namespace
}  // namespace duet::test
