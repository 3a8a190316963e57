// Pools of real workers, by the command line: operations are executed, cancelled, survive agents and
// controllers.
#include <csignal>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/live/local_cluster.h"

namespace duet::program_tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class WorkerPools : public LocalCluster {
 protected:
  WorkerPools() : LocalCluster(27000) {}
  json job(const std::string& id) {
    const json shown = ask({"job", id});
    return shown.is_object() ? shown : json::object();
  }
  bool runs(const std::string& id) {
    return eventually([&] { return task(id).value("state", "") == "running"; });
  }
  /// The pool is job 1.
  void pool(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"deploy", "--pool", "maths"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = live(words);
    ASSERT_EQ(ran.code, 0) << ran.err;
    ASSERT_TRUE(runs("1"));
  }
  void kill_and_wait(const std::string& file) {
    const std::int64_t pid = pid_in(file);
    ASSERT_GT(pid, 0);
    ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
    ASSERT_TRUE(eventually([&] {
      const json now = note(file);
      // What an agent was sent before it registered is lost with its earlier life, and sent again.
      return now.value("pid", pid) != pid && now.value("registered", true);
    }));
  }
};

TEST_F(WorkerPools, OperationsAreExecutedAndTheirResultsKept) {
  up(1);
  pool();
  const Ran ran = live({"submit", "primes", "limit=1000", "--wait"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, testing::EndsWith("\n168\n"));
  EXPECT_EQ(task("2")["result"], 168);
  EXPECT_EQ(task("2")["worker"], "1.0#1");
  EXPECT_EQ(live({"logs", "2"}).out, "168\n");
  // A bag, with data as JSON, by the pool's name.
  const Ran many = live({"submit", "sha256_chain", "--json", R"({"iterations": 1, "text": "abc"})", "--pool",
                         "maths", "--count", "20", "--wait"});
  EXPECT_EQ(many.code, 0) << many.err;
  std::size_t right = 0;
  const json bag = job("3");
  for (const json& one : bag["tasks"])
    right += one["result"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" ? 1 : 0;
  EXPECT_EQ(right, 20U);
}

TEST_F(WorkerPools, MistakesAreRefusedBeforeAnythingRuns) {
  up(1);
  const Ran none = live({"submit", "primes", "limit=10"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("there is no pool of workers"));
  pool();
  const Ran unknown = live({"submit", "prime", "limit=10"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there is no operation 'prime'"));
  const Ran mistaken = live({"submit", "primes", "limit=0", "from=3"});
  EXPECT_EQ(mistaken.code, 2);
  EXPECT_THAT(mistaken.err, HasSubstr("/data/limit: is 0"));
  EXPECT_THAT(mistaken.err, HasSubstr("/data/from: is not known"));
  EXPECT_EQ(live({"submit", "primes", "limit"}).code, 2);
  EXPECT_EQ(live({"submit", "primes", "--json", "[]"}).code, 2);
  EXPECT_EQ(live({"submit", "primes", "limit=10", "--pool", "other"}).code, 2);
  const Ran both = live({"deploy", "--pool", "other", "--min", "3", "--max", "2"});
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("a pool has from its minimum to its maximum"));
}

TEST_F(WorkerPools, AFullQueueIsSaidToBe) {
  up(1);
  pool({"--queue-limit", "1"});
  ASSERT_EQ(live({"submit", "sleep", "seconds=1000"}).code, 0);
  ASSERT_TRUE(runs("2"));
  ASSERT_EQ(live({"submit", "sleep", "seconds=1000"}).code, 0);
  const Ran refused = live({"submit", "sleep", "seconds=1000"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("the pool 'maths' is busy: 1 operations wait, at most 1 may"));
}

TEST_F(WorkerPools, WhatIsCancelledOrTakesTooLongStops) {
  up(1);
  pool();
  ASSERT_EQ(live({"submit", "monte_carlo_pi", "iterations=1e10"}).code, 0);
  ASSERT_TRUE(runs("2"));
  EXPECT_EQ(live({"stop", "2"}).code, 0);
  ASSERT_TRUE(eventually([&] { return job("2").value("state", "") == "cancelled"; }));
  const Ran late = live({"submit", "sleep", "seconds=1000", "--timeout", "0.2", "--wait"});
  EXPECT_EQ(late.code, 1);
  EXPECT_EQ(task("3")["outcome"], "timed_out");
  // Its worker is as it was, and idle.
  EXPECT_EQ(task("1")["attempt"], 1);
  EXPECT_EQ(live({"submit", "primes", "limit=10", "--wait"}).code, 0);
}

TEST_F(WorkerPools, OperationsOutliveTheAgentAndTheController) {
  up(1, {"--profile", "s0"});  // However long the restarts take here.
  pool();
  ASSERT_EQ(live({"submit", "sleep", "seconds=3"}).code, 0);
  ASSERT_TRUE(runs("2"));
  kill_and_wait("node-1/agent.json");
  kill_and_wait("controller/controller.json");
  ASSERT_TRUE(eventually([&] { return job("2").value("state", "") == "succeeded"; }));
  EXPECT_EQ(task("2")["result"], 3.0);
  EXPECT_EQ(task("2")["attempt"], 1);
  EXPECT_EQ(task("1")["attempt"], 1);
}

TEST_F(WorkerPools, OperationsOfADeadWorkerAreExecutedAgain) {
  up(1);
  pool();
  ASSERT_EQ(live({"submit", "sleep", "seconds=1"}).code, 0);
  ASSERT_TRUE(runs("2"));
  ASSERT_EQ(::kill(static_cast<pid_t>(task("1")["pid"].get<std::int64_t>()), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return job("2").value("state", "") == "succeeded"; }));
  EXPECT_EQ(task("2")["attempt"], 2);
  EXPECT_EQ(task("2")["worker"], "1.0#2");
}

TEST_F(WorkerPools, WorkersThatPullGetOneAtATime) {
  up(2);
  pool({"--pull", "--replicas", "2"});
  EXPECT_EQ(live({"submit", "sleep", "seconds=0.1", "--count", "6", "--wait"}).code, 0);
  // Another life of the agents asks again.
  kill_and_wait("node-1/agent.json");
  kill_and_wait("node-2/agent.json");
  EXPECT_EQ(live({"submit", "primes", "limit=100", "--count", "6", "--wait"}).code, 0);
  for (const char* id : {"2", "3"}) {
    const json bag = job(id);
    ASSERT_EQ(bag["tasks"].size(), 6U);
    for (const json& one : bag["tasks"]) EXPECT_EQ(one["attempt"], 1) << one;
  }
}

TEST_F(WorkerPools, WhatRanCanBeReplayed) {
  up(1);
  pool({"--max", "2"});
  EXPECT_EQ(live({"submit", "primes", "limit=100", "--count", "10", "--wait"}).code, 0);
  ASSERT_EQ(live({"down"}).code, 0);
  running_ = false;
  for (const char* run : {"controller", "node-1"}) {
    const Ran replayed = duet({"replay", (fs::path(data()) / run).string()});
    EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
    EXPECT_THAT(replayed.out, HasSubstr("every command as recorded"));
  }
}

}  // namespace
}  // namespace duet::program_tests
