// Whole clusters as users have them: duet up, real processes, and whatever is killed.
#include <csignal>
#include <cstdlib>
#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "live/asio.h"
#include "live/process/process_tree.h"
#include "tests/live/local_cluster.h"

namespace duet::program_tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

bool lives(std::int64_t pid) { return !live::is_gone(pid); }

class WholeCluster : public LocalCluster {
 protected:
  WholeCluster() : LocalCluster(23000) {}
  /// The id of the job.
  std::string start(const std::vector<std::string>& command, std::vector<std::string> options = {}) {
    options.insert(options.begin(), "run");
    options.insert(options.end(), {"-o", "json"});
    const Ran ran = live(options, command);
    EXPECT_EQ(ran.code, 0) << ran.err;
    const json job = json::parse(ran.out, nullptr, false);
    return job.is_object() ? job["id"].dump() : "0";
  }
  bool runs(const std::string& job) {
    const json shown = task(job);
    return shown.value("state", "") == "running" && shown.value("pid", 0) > 0;
  }
  std::int64_t pid_of(const std::string& job) { return task(job).value("pid", std::int64_t{0}); }
  std::int64_t agent_pid(const std::string& node) { return pid_in(node + "/agent.json"); }
  std::int64_t controller_pid() { return pid_in("controller/controller.json"); }

  /// What whoever is behind the balancer says.
  std::string through_balancer() {
    const std::string at = note("controller/controller.json").value("balance", "");
    live::asio::io_context io;
    live::asio::ip::tcp::socket socket(io);
    boost::system::error_code error;
    const auto port = static_cast<std::uint16_t>(std::stoi("0" + at.substr(at.find(':') + 1)));
    socket.connect({live::asio::ip::make_address("127.0.0.1"), port}, error);
    const std::string question = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    live::asio::write(socket, live::asio::buffer(question), error);
    std::string text;
    char bytes[4096];
    while (!error) text.append(bytes, socket.read_some(live::asio::buffer(bytes), error));
    return text.substr(std::min(text.size(), text.find("\r\n\r\n") + 4));
  }
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

TEST_F(WholeCluster, S0_10_S4_14_SickReplicasAreReplacedAndTheBalancerLeadsToReadyOnes) {
  up(2, {"--balance", "127.0.0.1:0", "--balance-service", "web"});
  const std::string workload = DUET_BUILD_DIR "/libexec/duet-workload";
  // However long its start takes here.
  ASSERT_EQ(
      live({"deploy", "web", "--replicas", "2", "--ports", "1", "--health", "http:/health", "--health-start",
            "5", "--health-interval", "0.2", "--health-timeout", "2", "--health-failures", "3"},
           {workload})
          .code,
      0);
  const auto ready = [&] {
    const json services = ask({"services"});
    return services.is_array() && services.size() == 1 ? services[0].value("ready_replicas", 0) : 0;
  };
  ASSERT_TRUE(eventually([&] { return ready() == 2; }));
  EXPECT_TRUE(task("1").value("ready", false));
  std::set<std::string> answered;
  for (int i = 0; i < 4; ++i) answered.insert(through_balancer());
  EXPECT_EQ(answered.size(), 2U) << *answered.begin();
  EXPECT_THAT(*answered.begin(), HasSubstr(R"("id":"replica-0")"));
  // One hangs: it runs, and answers nothing.
  const std::int64_t pid = pid_of("1");
  ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGSTOP), 0);
  ASSERT_TRUE(eventually([&] { return task("1").value("attempt", 0) == 2 && ready() == 2; }));
  const json end = task("1").value("last_end", json::object());
  EXPECT_EQ(end.value("outcome", ""), "unhealthy");
  EXPECT_FALSE(lives(pid));
  EXPECT_THAT(live({"services"}).out, HasSubstr("1.0#1 unhealthy"));
  // A version that never gets ready stops its update at the first replica.
  ASSERT_EQ(live({"deploy", "web", "--replicas", "2", "--ports", "1", "--health", "http:/no-such",
                  "--health-interval", "0.2", "--health-timeout", "2", "--health-failures", "3"},
                 {workload})
                .code,
            0);
  ASSERT_TRUE(eventually([&] { return task("1").value("failures", 0) >= 2; }));
  EXPECT_TRUE(eventually([&] { return ready() == 1; }));
  EXPECT_EQ(task("1", 1).value("attempt", 0), 1) << task("1", 1);
}

TEST_F(WholeCluster, RestartPoliciesAreKept) {
  up(1);
  const auto ends = [&](const std::string& policy, const std::string& program) {
    const Ran ran = live({"deploy", policy, "--restart", policy, "--backoff", "0.05"}, {program});
    EXPECT_EQ(ran.code, 0) << ran.err;
  };
  ends("never", "false");
  ends("on_failure", "true");
  ends("always", "false");
  ASSERT_TRUE(eventually([&] { return ask({"job", "1"}).value("state", "") == "failed"; }));
  ASSERT_TRUE(eventually([&] { return ask({"job", "2"}).value("state", "") == "succeeded"; }));
  EXPECT_EQ(task("1").value("attempt", 0), 1);
  ASSERT_TRUE(eventually([&] { return task("3").value("attempt", 0) >= 3; }));
  EXPECT_THAT(live({"status", "-o", "wide"}).out, HasSubstr("failed (1)"));
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
  ASSERT_TRUE(eventually([&] { return ask({"services"})[0].value("running_replicas", 0) == 1; }));
}

TEST_F(WholeCluster, KilledAgentFindsItsTasksAgain) {
  up(1, {"--profile", "s0"});  // However long its restart takes here.
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
  for (const char* seconds : {"1000", "1001"})
    ASSERT_EQ(live({"deploy", "web", "--replicas", "2"}, {"sleep", seconds}).code, 0);
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
  // Its two versions do not make it twice as many replicas.
  EXPECT_EQ(ask({"job", "web"})["tasks"].size(), 2U);
  EXPECT_EQ(live({"run", "--wait"}, {"true"}).code, 0);
}

TEST_F(WholeCluster, KilledControllerWithoutAStoreHearsFromItsAgentsWhatRuns) {
  up(2, {"--store", "memory"});
  const std::string done = start({"true"});
  ASSERT_TRUE(eventually([&] { return ask({"job", done}).value("state", "") == "succeeded"; }));
  const std::string stopped = start({"sleep", "1000"}, {"--name", "stopped-later"});
  const std::string ends = start({"sleep", "1000"});
  ASSERT_EQ(live({"deploy", "web", "--replicas", "2"}, {"sleep", "1000"}).code, 0);
  const std::string web = std::to_string(std::stoi(ends) + 1);
  const std::set<std::string> jobs = {stopped, ends, web};
  const auto all_run = [&] {
    return runs(stopped) && runs(ends) && runs(web) && task(web, 1).value("pid", 0) > 0;
  };
  const auto pids = [&] {
    std::vector<std::int64_t> found;
    for (const std::string& job : jobs) found.push_back(pid_of(job));
    found.push_back(task(web, 1).value("pid", std::int64_t{0}));
    return found;
  };
  ASSERT_TRUE(eventually(all_run));
  const std::vector<std::int64_t> before = pids();
  const std::string placed = task(stopped).value("placed_at", "");
  const std::int64_t controller = controller_pid();
  ASSERT_GT(controller, 0);
  // An agent that dies with it tells its next one what it was told to keep.
  const std::int64_t agent = agent_pid("node-1");
  ASSERT_EQ(::kill(static_cast<pid_t>(agent), SIGKILL), 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(controller), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return controller_pid() > 0 && controller_pid() != controller; }));
  ASSERT_TRUE(eventually([&] { return all_run() && pids() == before; }));
  for (const std::int64_t pid : before) EXPECT_TRUE(lives(pid));
  EXPECT_THAT(live({"status"}).out, HasSubstr("stopped-later"));
  EXPECT_EQ(task(stopped).value("attempt", 0), 1);
  EXPECT_EQ(task(stopped).value("placed_at", ""), placed);
  const json services = ask({"services"});
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services[0].value("running_replicas", 0), 2);
  EXPECT_GT(std::stoi(start({"true"})), std::stoi(web));
  EXPECT_EQ(live({"stop", stopped}).code, 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(pid_of(ends)), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return ask({"job", stopped}).value("state", "") == "cancelled"; }));
  ASSERT_TRUE(eventually([&] { return ask({"job", ends}).value("state", "") == "failed"; }));
  EXPECT_EQ(task(ends).value("exit_code", 0), -9);
  EXPECT_EQ(live({"scale", "web", "1"}).code, 0);
  ASSERT_TRUE(eventually([&] { return ask({"services"})[0].value("running_replicas", 0) == 1; }));
  EXPECT_EQ(live({"down"}).code, 0);
  running_ = false;
  for (const char* run : {"controller", "node-1", "node-2"}) {
    const Ran replayed = duet({"replay", "--verify", (fs::path(data()) / run).string()});
    EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
  }
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
