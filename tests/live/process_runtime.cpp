// A runner and its clients, with real programs: what an agent hears, and what outlives whom.
#include "live/process/process_runtime.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "live/process/log_files.h"
#include "live/process/process_tree.h"
#include "live/runtime/task_command.h"
#include "tests/live/folder.h"
#include "tests/live/processes.h"

namespace duet::test {
namespace {

using live::AttemptFacts;
using live::LogStream;
using live::TaskCommand;
using testing::ElementsAre;
using testing::HasSubstr;

AttemptId attempt(std::uint64_t job) { return {{JobId{job}, 0}, 1}; }

/// One life of an agent, as its runtime sees it.
class Client {
 public:
  explicit Client(live::RunnerOptions options, const live::Topology& topology = {}) {
    live::ProcessOptions process;
    process.runner_program = DUET_BUILD_DIR "/libexec/duet-runner";
    process.runner = std::move(options);
    process.topology = topology;
    live::Runtime::Hooks hooks;
    hooks.event = [this](const agent::Event& event) {
      if (const auto* started = std::get_if<agent::Started>(&event)) started_.push_back(started->attempt);
      if (const auto* exited = std::get_if<agent::Exited>(&event)) exited_[exited->attempt] = *exited;
      if (const auto* probed = std::get_if<agent::Probed>(&event)) probed_[probed->number] = probed->healthy;
    };
    hooks.fact = [this](const AttemptFacts& fact) { facts_[fact.attempt] = fact; };
    hooks.lost = [this](const std::string& why) { lost_ = why; };
    runtime_ = live::make_process_runtime(io_, std::move(process), std::move(hooks));
  }

  template <class Condition>
  bool wait(Condition&& condition) {
    return until([&] {
      if (condition()) return true;
      io_.run_one_for(std::chrono::milliseconds(20));
      return condition();
    });
  }
  /// "" if it worked.
  std::string open() {
    std::optional<Result<std::vector<agent::Adopted>>> result;
    runtime_->open([&](auto r) { result.emplace(std::move(r)); });
    if (!wait([&] { return result.has_value(); })) return "no answer";
    if (*result) adopted_ = **result;
    return *result ? "" : result->problems().front().where + " " + result->problems().front().what;
  }
  void launch(std::uint64_t job, const TaskCommand& command, std::int64_t cpu_m = 0, ThreadSet threads = {}) {
    agent::Launch order;
    order.attempt = attempt(job);
    order.work.payload = std::make_shared<const std::string>(live::to_payload(command));
    order.cpu_m = cpu_m;
    order.threads = threads;
    runtime_->launch(order);
  }
  void shell(std::uint64_t job, const std::string& script) { launch(job, {.argv = {"sh", "-c", script}}); }
  bool has_started(std::uint64_t job) {
    return wait([&] { return std::ranges::find(started_, attempt(job)) != started_.end(); });
  }
  /// Whether the attempt says that it works.
  std::string asked(std::uint64_t job, Duration timeout = std::chrono::seconds(20)) {
    const std::uint32_t number = ++asked_;
    runtime_->probe({attempt(job), number, timeout});
    if (!wait([&] { return probed_.contains(number); })) return "no answer";
    return probed_[number] ? "healthy" : "sick";
  }
  /// How it ended: its code, and the reason if there is one.
  std::string end_of(std::uint64_t job) {
    if (!wait([&] { return exited_.contains(attempt(job)); })) return "still runs";
    const std::string& reason = facts_[attempt(job)].reason;
    return std::to_string(exited_[attempt(job)].exit_code) + (reason.empty() ? "" : " " + reason);
  }
  /// Of those that run; empty also if there was no answer.
  std::vector<AttemptFacts> sampled() {
    std::optional<std::vector<AttemptFacts>> facts;
    runtime_->sample([&](auto all) { facts = std::move(all); });
    if (!wait([&] { return facts.has_value(); })) return {};
    return *facts;
  }
  bool shut_down() {
    bool done = false;
    runtime_->shut_down(Duration{0}, [&] { done = true; });
    return wait([&] { return done; });
  }

  live::asio::io_context io_{1};
  live::asio::executor_work_guard<live::asio::io_context::executor_type> busy_{io_.get_executor()};
  std::unique_ptr<live::ProcessRuntime> runtime_;
  std::vector<agent::Adopted> adopted_;
  std::vector<AttemptId> started_;
  std::map<AttemptId, agent::Exited> exited_;
  std::map<AttemptId, AttemptFacts> facts_;
  std::uint32_t asked_ = 0;
  std::map<std::uint32_t, bool> probed_;
  std::string lost_;
};

/// With control groups, and as it would be on a machine without them.
class RuntimeTest : public testing::TestWithParam<const char*> {
 protected:
  RuntimeTest() {
    chmod(folder_.text().c_str(), 0711);
    options_.folder = folder_.text();
    options_.node = "n1";
    options_.cgroups = GetParam();
    options_.linger_s = 2;
    client_ = std::make_unique<Client>(options_);
  }
  ~RuntimeTest() override {
    if (!client_->lost_.empty()) client_->open();
    EXPECT_TRUE(client_->shut_down());
  }
  /// Another client, which knows this machine's slots. Problems if it cannot be opened.
  Result<live::Topology> client_on_slots() {
    auto topology = live::detect_topology("auto");
    if (!topology) return topology;
    client_ = std::make_unique<Client>(options_, *topology);
    if (const std::string why = client_->open(); !why.empty()) return Problem{"", why, ""};
    return topology;
  }
  static ThreadSet first_thread() {
    ThreadSet threads;
    threads.insert(0);
    return threads;
  }
  std::string log(std::uint64_t job, LogStream stream = LogStream::kStdout) {
    const auto slice = live::read_log(folder_.text(), attempt(job), stream, 0, 1 << 20);
    return slice ? slice->text : slice.problems().front().what;
  }
  /// The runner's pid, from its lock... which no file says; its sessions do: the parent of a task.
  static std::int64_t parent_of(std::int64_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("PPid:")) return std::stoll(line.substr(5));
    return 0;
  }

  const Folder folder_;
  live::RunnerOptions options_;
  std::unique_ptr<Client> client_;
};

TEST_P(RuntimeTest, EndsAreToldAsTheyWere) {
  ASSERT_EQ(client_->open(), "");
  EXPECT_THAT(client_->runtime_->words(), HasSubstr("control groups "));
  client_->launch(1, {.argv = {"true"}});
  client_->launch(2, {.argv = {"false"}});
  client_->shell(3, "kill -SEGV $$");
  client_->launch(4, {.argv = {"duet-no-such"}});
  client_->launch(5, {.image = "tiny"});
  client_->launch(6, {.argv = {"true"}, .directory = "/no/such"});
  EXPECT_EQ(client_->end_of(1), "0");
  EXPECT_EQ(client_->end_of(2), "1");
  EXPECT_EQ(client_->end_of(3), "-11 ended by SIGSEGV (Segmentation fault)");
  EXPECT_EQ(client_->end_of(4), "127 duet-no-such cannot be started: No such file or directory");
  EXPECT_EQ(client_->end_of(5), "126 image tiny cannot be run: there is no container engine");
  EXPECT_EQ(client_->end_of(6), "127 /no/such cannot be its directory: No such file or directory");
  EXPECT_EQ(client_->exited_[attempt(3)].outcome, Outcome::kFailed);
  EXPECT_EQ(client_->exited_[attempt(4)].outcome, Outcome::kLaunchFailed);
  EXPECT_THAT(client_->started_, testing::UnorderedElementsAre(attempt(1), attempt(2), attempt(3)));
  agent::Launch order;
  order.attempt = attempt(7);
  order.worker = attempt(1);
  client_->runtime_->launch(order);
  EXPECT_EQ(client_->end_of(7), "0 its worker has ended");
  order.attempt = attempt(8);
  order.worker.reset();
  order.work.payload = std::make_shared<const std::string>("{}");
  client_->runtime_->launch(order);
  EXPECT_THAT(client_->end_of(8), HasSubstr("126 payload/argv is empty, and there is no image"));
}

TEST_P(RuntimeTest, S4_14_HealthIsAskedOverHttpAndTcpAndByPrograms) {
  using Kind = live::HealthQuestion::Kind;
  ASSERT_EQ(client_->open(), "");
  const std::string server = DUET_BUILD_DIR "/libexec/duet-workload";
  const auto serves = [&](std::uint64_t job, Kind kind, const std::string& path) {
    client_->launch(job, {.argv = {server}, .ports = 1, .health = {.kind = kind, .path = path}});
    return client_->has_started(job);
  };
  ASSERT_TRUE(serves(1, Kind::kHttp, "/health") && serves(2, Kind::kHttp, "/no-such"));
  ASSERT_TRUE(serves(3, Kind::kTcp, ""));
  ASSERT_TRUE(until([&] { return client_->asked(1) == "healthy"; })) << "it needs a moment to listen";
  EXPECT_EQ(client_->asked(2), "sick") << "404";
  ASSERT_TRUE(until([&] { return client_->asked(3) == "healthy"; }));
  client_->launch(4, {.argv = {"sleep", "60"}, .ports = 1, .health = {.kind = Kind::kTcp}});
  client_->launch(5, {.argv = {"sh", "-c", "touch here; echo begun; exec sleep 60"},
                      .env = {{"NAME", "here"}},
                      .health = {.kind = Kind::kExec, .argv = {"sh", "-c", "test -f $NAME"}}});
  client_->launch(6, {.argv = {"sleep", "60"}, .health = {.kind = Kind::kExec, .argv = {"no-such-program"}}});
  client_->launch(7, {.argv = {"sleep", "60"}, .health = {.kind = Kind::kExec, .argv = {"sleep", "61"}}});
  for (std::uint64_t job = 4; job <= 7; ++job) ASSERT_TRUE(client_->has_started(job));
  EXPECT_EQ(client_->asked(4), "sick") << "nobody listens there";
  ASSERT_TRUE(until([&] { return log(5) == "begun\n"; }));
  EXPECT_EQ(client_->asked(5), "healthy") << "in its folder, with its environment";
  EXPECT_EQ(client_->asked(6), "sick");
  EXPECT_EQ(client_->asked(7, std::chrono::milliseconds(50)), "sick") << "it takes too long";
  // What asks ends with what it asks.
  client_->runtime_->terminate({attempt(7), true});
  EXPECT_EQ(client_->end_of(7), "-9 ended by SIGKILL (Killed)");
  EXPECT_EQ(client_->asked(5), "healthy");
}

TEST_P(RuntimeTest, TasksGetTheirEnvironmentAndNothingElse) {
  setenv("DUET_TEST_SECRET", "x", 1);
  ASSERT_EQ(client_->open(), "");
  client_->launch(
      1,
      {.argv = {"sh", "-c", "env | LC_ALL=C sort; pwd; touch here; ls"}, .env = {{"A", "b c"}}, .ports = 2});
  ASSERT_EQ(client_->end_of(1), "0");
  unsetenv("DUET_TEST_SECRET");
  const std::string own = folder_.text() + "/tasks/1.0-1";
  const std::string out = log(1);
  EXPECT_THAT(out, testing::StartsWith("A=b c\nDUET_FOLDER=" + folder_.text() +
                                       "\nDUET_NODE=n1\nDUET_REPLICA_ID=replica-0\nDUET_TASK=1.0#1\n"
                                       "HOME=" +
                                       own + "\nPATH=/usr/local/bin:/usr/bin:/bin\nPORT1="));
  EXPECT_THAT(out, testing::EndsWith("\nPWD=" + own + "\n" + own + "\nhere\n"));
  EXPECT_EQ(log(1, LogStream::kStderr), "");
  EXPECT_TRUE(until([&] { return !std::filesystem::exists(own); }));
}

TEST_P(RuntimeTest, PortsAreTheLowestThatAreFree) {
  const live::Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  options_.port_base = ntohs(address.sin_port);
  client_ = std::make_unique<Client>(options_);
  ASSERT_EQ(client_->open(), "");
  client_->launch(1, {.argv = {"sleep", "60"}, .ports = 2});
  client_->launch(2, {.argv = {"sleep", "60"}, .ports = 1});
  ASSERT_TRUE(client_->has_started(1) && client_->has_started(2));
  client_->wait([&] { return client_->facts_.size() == 2; });
  const auto first = client_->facts_[attempt(1)].ports;
  const auto second = client_->facts_[attempt(2)].ports;
  ASSERT_EQ(first.size(), 2);
  ASSERT_EQ(second.size(), 1);
  EXPECT_GT(first[0], options_.port_base);
  EXPECT_GT(first[1], first[0]);
  EXPECT_GT(second[0], first[1]);
}

TEST_P(RuntimeTest, PoliteFirstThenByForceAndNothingIsLeft) {
  ASSERT_EQ(client_->open(), "");
  client_->shell(1, "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done");
  client_->shell(
      2,
      "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 60' & setsid -f sleep 60; echo up; wait; sleep 60");
  ASSERT_TRUE(client_->wait([&] { return log(1) == "up\n" && log(2) == "up\n"; }));
  client_->runtime_->terminate({attempt(1), false});
  EXPECT_EQ(client_->end_of(1), "5");
  ASSERT_TRUE(client_->has_started(2));
  const std::int64_t runner = parent_of(client_->facts_[attempt(2)].pid);
  ASSERT_GT(runner, 1);
  EXPECT_TRUE(until([&] { return live::descendants_of(runner).size() >= 4; }));
  client_->runtime_->terminate({attempt(2), false});
  client_->runtime_->terminate({attempt(2), true});
  EXPECT_EQ(client_->end_of(2), "-9 ended by SIGKILL (Killed)");
  EXPECT_TRUE(std::ranges::all_of(live::descendants_of(runner), live::is_gone));
}

TEST_P(RuntimeTest, WhatAProgramLeavesBehindEndsWithIt) {
  ASSERT_EQ(client_->open(), "");
  client_->shell(1, "setsid sleep 60 & setsid -f sleep 60; echo up");
  EXPECT_EQ(client_->end_of(1), "0");
  EXPECT_EQ(log(1), "up\n");
  client_->launch(2, {.argv = {"sleep", "60"}});
  ASSERT_TRUE(client_->has_started(2));
  const std::int64_t pid = client_->facts_[attempt(2)].pid;
  EXPECT_TRUE(until([&] { return live::children_of(parent_of(pid)) == std::vector<std::int64_t>{pid}; }));
}

TEST_P(RuntimeTest, OutlivesItsAgentAndKeepsEnds) {
  ASSERT_EQ(client_->open(), "");
  client_->launch(1, {.argv = {"sleep", "60"}});
  client_->shell(2, "while [ ! -e " + folder_.text() + "/go ]; do sleep 0.01; done; exit 3");
  client_->launch(3, {.argv = {"true"}});
  ASSERT_TRUE(client_->has_started(1) && client_->has_started(2));
  ASSERT_EQ(client_->end_of(3), "0");
  client_->runtime_->forget(attempt(3));
  client_->runtime_->terminate({attempt(1), false, Outcome::kTimedOut});
  ASSERT_EQ(client_->end_of(1), "-15 ended by SIGTERM (Terminated)");
  const std::int64_t pid = client_->facts_[attempt(2)].pid;

  client_ = std::make_unique<Client>(options_);
  ASSERT_EQ(client_->open(), "");
  ASSERT_EQ(client_->adopted_.size(), 2);
  EXPECT_EQ(client_->adopted_[0].attempt, attempt(1));
  EXPECT_FALSE(client_->adopted_[0].running);
  EXPECT_EQ(client_->adopted_[0].exit_code, -15);
  EXPECT_EQ(client_->adopted_[0].outcome, Outcome::kFailed);
  EXPECT_EQ(client_->adopted_[0].ordered, Outcome::kTimedOut);
  EXPECT_TRUE(client_->adopted_[1].running);
  EXPECT_TRUE(client_->wait([&] { return client_->facts_.contains(attempt(2)); }));
  EXPECT_EQ(client_->facts_[attempt(2)].pid, pid);

  client_ = std::make_unique<Client>(options_);  // While nobody listens, it ends.
  std::ofstream(folder_ / "go") << "";
  EXPECT_TRUE(until([&] { return live::is_gone(pid); }));
  ASSERT_EQ(client_->open(), "");
  EXPECT_TRUE(client_->wait(
      [&] { return client_->exited_.contains(attempt(2)) || !client_->adopted_.back().running; }));
}

TEST_P(RuntimeTest, ARunnerThatDiesTakesItsTasksAlong) {
  ASSERT_EQ(client_->open(), "");
  client_->shell(1, "setsid -f sleep 60; exec sleep 60");
  ASSERT_TRUE(client_->has_started(1));
  const std::int64_t pid = client_->facts_[attempt(1)].pid;
  const std::int64_t runner = parent_of(pid);
  ASSERT_GT(runner, 1);
  EXPECT_TRUE(until([&] { return live::descendants_of(runner).size() == 2; }));
  const auto all = live::descendants_of(runner);
  kill(static_cast<pid_t>(runner), SIGKILL);
  EXPECT_TRUE(client_->wait([&] { return !client_->lost_.empty(); }));
  EXPECT_THAT(client_->lost_, HasSubstr("its runner has ended"));
  EXPECT_TRUE(until([&] { return live::is_gone(pid); }));
  // The next one ends what is left of it.
  ASSERT_EQ(client_->open(), "");
  client_->lost_.clear();
  EXPECT_TRUE(client_->adopted_.empty());
  EXPECT_TRUE(until([&] { return std::ranges::all_of(all, live::is_gone); }));
}

TEST_P(RuntimeTest, TheNewerClientReplacesTheOlder) {
  ASSERT_EQ(client_->open(), "");
  Client newer(options_);
  ASSERT_EQ(newer.open(), "");
  EXPECT_TRUE(client_->wait([&] { return !client_->lost_.empty(); }));
  EXPECT_EQ(client_->lost_, "another agent has taken over the tasks of this node");
}

TEST_P(RuntimeTest, StaysOnTheProcessorsOfItsThreads) {
  const auto topology = client_on_slots();
  ASSERT_TRUE(topology);
  client_->launch(1, {.argv = {"sh", "-c", "taskset -pc 0-63 $$; grep Cpus_allowed_list /proc/self/status"}},
                  1000, first_thread());
  ASSERT_EQ(client_->end_of(1), "0");
  EXPECT_THAT(log(1, LogStream::kStderr), HasSubstr("Operation not permitted"));
  EXPECT_THAT(log(1), testing::EndsWith("Cpus_allowed_list:\t" + std::to_string(topology->cpus[0]) + "\n"));
  EXPECT_THAT(client_->facts_[attempt(1)].cpus, ElementsAre(topology->cpus[0]));
}

TEST_P(RuntimeTest, SeesProcessesThatLeaveTheirProcessors) {
  EXPECT_TRUE(client_->shut_down());
  const auto topology = client_on_slots();
  ASSERT_TRUE(topology);
  client_->launch(1, {.argv = {"sleep", "1000"}}, 1000, first_thread());
  ASSERT_TRUE(client_->has_started(1));
  const auto strayed = [&] {
    const auto facts = client_->sampled();
    return facts.empty() ? 99U : facts[0].strayed;
  };
  EXPECT_EQ(strayed(), 0U);
  // Not by itself: it may not, and its control group, if there is one, does not let others either.
  cpu_set_t others;
  CPU_ZERO(&others);
  for (std::size_t cpu = 0; cpu < std::thread::hardware_concurrency(); ++cpu)
    if (cpu != topology->cpus[0]) CPU_SET(cpu, &others);
  const auto pid = static_cast<pid_t>(client_->facts_[attempt(1)].pid);
  const bool moved = sched_setaffinity(pid, sizeof others, &others) == 0;
  EXPECT_EQ(strayed(), moved ? 1U : 0U);
  if (std::string_view(GetParam()) == "none") {
    EXPECT_EQ(moved, std::thread::hardware_concurrency() > 1);
  }
}

TEST_P(RuntimeTest, MeasuresAllOfAnAttempt) {
  ASSERT_EQ(client_->open(), "");
  client_->shell(1, "sh -c 'while :; do :; done' & wait");
  ASSERT_TRUE(client_->has_started(1));
  std::vector<AttemptFacts> facts;
  EXPECT_TRUE(client_->wait([&] {
    facts = client_->sampled();
    return !facts.empty() && facts[0].cpu_ns >= 20'000'000;
  }));
  ASSERT_EQ(facts.size(), 1);
  EXPECT_GT(facts[0].memory, 100'000);
}

INSTANTIATE_TEST_SUITE_P(, RuntimeTest, testing::Values("auto", "none"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(Runtime, SaysWhyThereIsNoRunner) {
  const Folder folder;
  live::RunnerOptions options;
  options.folder = folder.text();
  options.node = "n1";
  options.user = "duet-no-such-user";
  Client client(options);
  EXPECT_THAT(client.open(), HasSubstr("could not start a runner (exit code 2)"));
}

TEST(Runtime, ASlowLaunchIsEndedByForce) {
  const Folder folder;
  live::RunnerOptions options;
  options.folder = folder.text();
  options.node = "n1";
  Client client(options);
  ASSERT_EQ(client.open(), "");
  client.launch(1, {.argv = {"sleep", "60"}});
  client.runtime_->terminate({attempt(1), true});  // Before anybody knows whether it has started.
  EXPECT_EQ(client.end_of(1), "-9 ended by SIGKILL (Killed)");
  EXPECT_TRUE(client.shut_down());
}

}  // namespace
}  // namespace duet::test
