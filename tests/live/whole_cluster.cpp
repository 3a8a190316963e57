// Whole clusters as users have them: duet up, real processes, and whatever is killed.
#include <csignal>
#include <cstdlib>
#include <functional>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Asks again until it holds. False after a deadline that no healthy machine reaches.
bool eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();  // What is asked starts a program: that is pause enough.
  }
  return true;
}

bool lives(std::int64_t pid) {
  const std::string state = read("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = state.rfind(')');
  return name_end != std::string::npos && state.size() > name_end + 2 && state[name_end + 2] != 'Z';
}

class WholeCluster : public testing::Test {
 protected:
  void up(int nodes) {
    const Ran ran = duet({"up", "--nodes", std::to_string(nodes), "--listen", "127.0.0.1:0", "--data", data(),
                          "--port-base", "23000", "--detach"});
    ASSERT_EQ(ran.code, 0) << ran.err << read(folder_ / "data/log/controller.log")
                           << read(folder_ / "data/log/node-1.log");
    EXPECT_THAT(ran.out, HasSubstr("duet run -- sleep 60"));
    running_ = true;
  }
  ~WholeCluster() override {
    if (running_) duet({"down", "--data", data()});
    if (HasFailure())
      for (const char* log : {"up", "controller", "node-1", "node-2"})
        std::printf("---- %s\n%s", log, read(folder_ / ("data/log/" + std::string(log) + ".log")).c_str());
  }
  std::string data() const { return (folder_ / "data").string(); }
  Ran live(std::vector<std::string> words, const std::vector<std::string>& command = {}) {
    words.insert(words.begin() + 1, {"--data", data()});
    if (!command.empty()) words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return duet(words);
  }
  json ask(std::vector<std::string> words) {
    words.insert(words.end(), {"-o", "json"});
    const Ran ran = live(std::move(words));
    return ran.code == 0 ? json::parse(ran.out, nullptr, false) : json();
  }
  /// The id of the job.
  std::string start(const std::vector<std::string>& command, std::vector<std::string> options = {}) {
    options.insert(options.begin(), "run");
    options.insert(options.end(), {"-o", "json"});
    const Ran ran = live(options, command);
    EXPECT_EQ(ran.code, 0) << ran.err;
    const json job = json::parse(ran.out, nullptr, false);
    return job.is_object() ? job["id"].dump() : "0";
  }
  json task(const std::string& job, std::size_t index = 0) {
    const json shown = ask({"job", job});
    if (!shown.is_object() || shown["tasks"].size() <= index) return json::object();
    return shown["tasks"][index];
  }
  bool runs(const std::string& job) {
    const json shown = task(job);
    return shown.value("state", "") == "running" && shown.value("pid", 0) > 0;
  }
  std::int64_t pid_of(const std::string& job) { return task(job).value("pid", std::int64_t{0}); }
  std::int64_t agent_pid(const std::string& node) {
    const Ran ran = live({"node", node, "-o", "wide"});
    const json note = json::parse(read(folder_ / ("data/" + node + "/agent.json")), nullptr, false);
    return note.is_object() ? note.value("pid", std::int64_t{0}) : 0;
  }
  std::int64_t controller_pid() {
    const json note = json::parse(read(folder_ / "data/controller/controller.json"), nullptr, false);
    return note.is_object() ? note.value("pid", std::int64_t{0}) : 0;
  }

  Folder folder_;
  bool running_ = false;
};

TEST_F(WholeCluster, TasksRunAndTheirResultsComeBack) {
  up(2);
  EXPECT_EQ(live({"run", "--wait"}, {"true"}).code, 0);
  EXPECT_EQ(live({"run", "--wait"}, {"false"}).code, 1);
  const Ran missing = live({"run", "--wait"}, {"no-such-program-anywhere"});
  EXPECT_EQ(missing.code, 127) << missing.err;
  EXPECT_THAT(missing.err, HasSubstr("no-such-program-anywhere cannot be started"));
  EXPECT_EQ(live({"run", "--wait"}, {"sh", "-c", "kill -9 $$"}).code, 137);
  const std::string job = start({"sleep", "1000"});
  ASSERT_TRUE(eventually([&] { return runs(job); }));
  const std::int64_t pid = pid_of(job);
  EXPECT_TRUE(lives(pid));
  EXPECT_THAT(live({"status"}).out, HasSubstr("sleep"));
  EXPECT_EQ(live({"stop", job}).code, 0);
  ASSERT_TRUE(eventually([&] { return !lives(pid); }));
  ASSERT_TRUE(eventually([&] { return ask({"job", job}).value("state", "") == "cancelled"; }));
  const std::string last = start({"sleep", "1000"});
  ASSERT_TRUE(eventually([&] { return runs(last); }));
  const std::int64_t left = pid_of(last);
  EXPECT_EQ(live({"down"}).code, 0);
  running_ = false;
  EXPECT_FALSE(lives(left));
}

TEST_F(WholeCluster, WhatATaskWritesCanBeRead) {
  up(1);
  EXPECT_EQ(live({"run", "--name", "hello", "--wait"}, {"echo", "hello", "world"}).code, 0);
  ASSERT_TRUE(eventually([&] { return live({"logs", "1"}).out == "hello world\n"; }));
  EXPECT_EQ(live({"logs", "1", "--follow"}).out, "hello world\n");
  const Ran none = live({"logs", "99"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("99"));
}

TEST_F(WholeCluster, KilledReplicaComesBack) {
  up(2);
  ASSERT_EQ(live({"deploy", "web", "--replicas", "2"}, {"sleep", "1000"}).code, 0);
  ASSERT_TRUE(eventually([&] { return runs("1") && task("1", 1).value("state", "") == "running"; }));
  const std::int64_t pid = pid_of("1");
  ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] {
    const json replica = task("1");
    return replica.value("attempt", 0) == 2 && replica.value("state", "") == "running";
  }));
  EXPECT_FALSE(lives(pid));
  EXPECT_EQ(live({"scale", "web", "1"}).code, 0);
  ASSERT_TRUE(eventually([&] { return ask({"services"})[0].value("running", 0) == 1; }));
}

TEST_F(WholeCluster, KilledAgentFindsItsTasksAgain) {
  up(1);
  const std::string job = start({"sleep", "1000"});
  ASSERT_TRUE(eventually([&] { return runs(job); }));
  const std::int64_t pid = pid_of(job);
  const std::int64_t agent = agent_pid("node-1");
  ASSERT_GT(agent, 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(agent), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return agent_pid("node-1") > 0 && agent_pid("node-1") != agent; }));
  EXPECT_TRUE(lives(pid));
  // The end is told by the new agent.
  ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return ask({"job", job}).value("state", "") == "failed"; }));
  EXPECT_EQ(task(job).value("exit_code", 0), -9);
  EXPECT_EQ(task(job).value("attempt", 0), 1);
}

TEST_F(WholeCluster, KilledControllerTakesOverWhatItAnswered) {
  up(2);
  const std::string job = start({"sleep", "1000"});
  const std::string done = start({"true"});
  ASSERT_TRUE(eventually([&] { return runs(job); }));
  ASSERT_TRUE(eventually([&] { return ask({"job", done}).value("state", "") == "succeeded"; }));
  const std::int64_t pid = pid_of(job);
  const std::int64_t controller = controller_pid();
  ASSERT_GT(controller, 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(controller), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return controller_pid() > 0 && controller_pid() != controller; }));
  ASSERT_TRUE(eventually([&] { return pid_of(job) == pid && runs(job); }));
  EXPECT_TRUE(lives(pid));
  EXPECT_EQ(ask({"job", done}).value("state", ""), "succeeded");
  EXPECT_EQ(live({"run", "--wait"}, {"true"}).code, 0);
}

TEST_F(WholeCluster, WhatWasStoppedGoesOnWhenItIsUpAgain) {
  up(1);
  const std::string job = start({"sleep", "1000"});
  // One that does not want to end, and many that wait for its room.
  start({"sh", "-c", "trap '' TERM; exec sleep 1000"}, {"--count", "100"});
  ASSERT_TRUE(eventually([&] { return runs(job); }));
  const std::int64_t pid = pid_of(job);
  ASSERT_EQ(live({"down"}).code, 0);
  running_ = false;
  EXPECT_FALSE(lives(pid));
  // Nothing failed by being stopped, and nothing was left behind that would stand in the way.
  up(1);
  ASSERT_TRUE(eventually([&] { return runs(job) && pid_of(job) != pid; }));
  for (const char* run : {"controller", "node-1"}) {
    const Ran replayed = duet({"replay", (fs::path(data()) / run).string()});
    EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
    EXPECT_THAT(replayed.out, HasSubstr("every command as recorded"));
  }
}

TEST_F(WholeCluster, WaitingNeverMissesTheEnd) {
  up(1);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(live({"run", "--wait"}, {"true"}).code, 0) << i;
}

TEST_F(WholeCluster, NothingRunsWhereNothingWasStarted) {
  const Ran ran = live({"status"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("duet up"));
  EXPECT_EQ(live({"down"}).code, 1);
}

}  // namespace
}  // namespace duet::program_tests
