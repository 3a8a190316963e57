// The gateway as its users have it: one command, and the curl lines of the system that it stands for.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <map>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "live/http/client.h"
#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {
namespace gateway_tests {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
namespace http = live::http;

/// Of this test alone: others run at the same time, and a port that is taken is passed over.
const std::uint32_t kPortBase = 20'000 + 16 * static_cast<std::uint32_t>(::getpid() % 750);

constexpr const char* kWorkerCheck =
    R"({"interval_s": 1, "timeout_s": 2, "start_period_s": 5, "failures": 3})";

class S1Gateway : public testing::Test {
 protected:
  /// With these variables, on an i5-1135G7 or what passes for one.
  Ran start(const std::string& variables = "") {
    const Ran ran =
        shell(variables + " \"$DUET\" gateway --gateway 127.0.0.1:0 --listen 127.0.0.1:0 --data '" + data() +
              "' --port-base " + std::to_string(kPortBase) + " --topology i5-1135G7 --detach");
    if (ran.code != 0) return ran;
    running_ = true;
    const json note = json::parse(read(folder_ / "data/controller/controller.json"), nullptr, false);
    url_ = note.value("gateway", "");
    return ran;
  }
  void up(const std::string& variables = "", std::size_t workers = 1) {
    const Ran ran = start(variables);
    ASSERT_EQ(ran.code, 0) << ran.err << controller_log();
    ASSERT_TRUE(eventually([&] { return healthy() == workers; })) << status();
  }
  ~S1Gateway() override {
    if (running_) duet({"down", "--data", data()});
    if (HasFailure())
      for (const char* log : {"up", "controller", "node-1"})
        std::printf("---- %s\n%s", log, read(folder_ / ("data/log/" + std::string(log) + ".log")).c_str());
  }
  std::string data() const { return (folder_ / "data").string(); }
  std::string controller_log() const { return read(folder_ / "data/log/controller.log"); }

  http::Reply ask(http::Method method, const std::string& path, const std::string& body = "") {
    http::ClientOptions options;
    options.answer_time = std::chrono::seconds(60);
    auto client = http::Client::make(url_, options);
    http::Client::Ask what{method, path, body, {}};
    return client->send(what);
  }
  http::Reply submit(const std::string& body) { return ask(http::Method::kPost, "/submit", body); }
  json pi(const std::string& iterations) {
    const http::Reply reply =
        submit(R"({"operation": "monte_carlo_pi", "data": {"iterations": )" + iterations + "}}");
    EXPECT_EQ(reply.status, 200U) << reply.body << reply.why;
    return json::parse(reply.body, nullptr, false);
  }
  /// Workers that the status shows as such.
  std::size_t healthy() {
    const json now = status();
    if (!now.is_object()) return 0;
    return static_cast<std::size_t>(std::ranges::count_if(
        now["workers"], [](const json& worker) { return worker["is_healthy"] == true; }));
  }
  json status() { return json::parse(ask(http::Method::kGet, "/status").body, nullptr, false); }
  /// Of the worker on this core, by Duet's own account.
  std::int64_t pid_of_worker(std::uint32_t index = 0) {
    const Ran ran = duet({"job", "1", "--data", data(), "-o", "json"});
    const json job = json::parse(ran.out, nullptr, false);
    if (!job.is_object() || job["tasks"].size() <= index) return 0;
    return job["tasks"][index].value("pid", std::int64_t{0});
  }
  /// Operations that the core has accepted and that have not ended.
  std::size_t live_operations() {
    const Ran ran = duet({"job", "--data", data(), "-o", "json"});
    const json jobs = json::parse(ran.out, nullptr, false);
    std::size_t count = 0;
    for (const json& job : jobs) count += job.value("kind", "") != "service" ? 1 : 0;
    return count;
  }

  Folder folder_;
  std::string url_;
  bool running_ = false;
};

TEST_F(S1Gateway, S1_01_VariablesOutsideTheirRangesAreRefusedByName) {
  const Ran ran = start("MAX_CPU_THRESHOLD=101 PRESPAWN_THRESHOLD=0 GATEWAY_PORT=x INITIAL_WORKERS=-1");
  EXPECT_NE(ran.code, 0);
  const std::string log = controller_log();
  EXPECT_THAT(log,
              HasSubstr("where=MAX_CPU_THRESHOLD what=\"is '101'\" right=\"a whole number from 1 to 100\""));
  EXPECT_THAT(log,
              HasSubstr("where=PRESPAWN_THRESHOLD what=\"is '0'\" right=\"a whole number from 1 to 100\""));
  EXPECT_THAT(log, HasSubstr("where=GATEWAY_PORT what=\"is 'x'\" right=\"a whole number from 1 to 65535\""));
  EXPECT_THAT(log,
              HasSubstr("where=INITIAL_WORKERS what=\"is '-1'\" right=\"a whole number from 0 to 1000000\""));
}

TEST_F(S1Gateway, S1_01_MoreWorkersThanZonesAreClampedAndAPrespawnAboveTheMaximumIsWarnedOf) {
  up("INITIAL_WORKERS=5 PRESPAWN_THRESHOLD=90", 3);
  EXPECT_THAT(controller_log(), HasSubstr("msg=\"fewer zones than INITIAL_WORKERS\" asked=5 zones=3"));
  EXPECT_THAT(controller_log(), HasSubstr("PRESPAWN_THRESHOLD (90) is above MAX_CPU_THRESHOLD (80)"));
}

TEST_F(S1Gateway, S1_02_MistakesAre400AndOtherMethods405) {
  up();
  const auto refused = [&](const std::string& body) {
    const http::Reply reply = submit(body);
    EXPECT_EQ(reply.status, 400U) << body << reply.body;
    EXPECT_EQ(reply.headers.find("content-type"), "application/problem+json");
    return reply.body;
  };
  EXPECT_THAT(refused(R"({"operation": "monte_carlo_pi", "data": {"iterations": 0}})"),
              HasSubstr(R"("pointer":"/data/iterations")"));
  EXPECT_THAT(refused(R"({"operation": "monte_carlo_pi", "data": {"iterations": -5}})"),
              HasSubstr(R"("pointer":"/data/iterations")"));
  EXPECT_THAT(refused(R"({"operation": "monte_carlo_pi", "data": {}})"), HasSubstr("is missing"));
  EXPECT_THAT(refused(R"({"operation": "monte_carlo_pi"})"), HasSubstr("is missing"));
  EXPECT_THAT(refused(R"({"operation": "pi", "data": {"iterations": 1}})"),
              HasSubstr("there is no operation 'pi'"));
  EXPECT_THAT(refused(R"({"data": {"iterations": 1}})"), HasSubstr("operation"));
  refused(R"({"operation": )");
  refused("");
  const http::Reply wrong = ask(http::Method::kGet, "/submit");
  EXPECT_EQ(wrong.status, 405U);
  EXPECT_EQ(wrong.headers.find("Allow"), "OPTIONS, POST");
}

/// More than 32 bits hold; it is cancelled, as it would take half a minute.
TEST_F(S1Gateway, S1_02_S1_09_TenBillionIterationsAreTaken) {
  up();
  auto large = std::async(std::launch::async, [this] {
    return submit(R"({"operation": "monte_carlo_pi", "data": {"iterations": 10000000000}})");
  });
  ASSERT_TRUE(eventually([&] {
    const json task = json::parse(duet({"job", "2", "--data", data(), "-o", "json"}).out, nullptr, false);
    return task.is_object() && task["tasks"][0].value("state", "") == "running";
  }));
  const json shown = json::parse(duet({"job", "2", "--data", data(), "-o", "json"}).out);
  EXPECT_EQ(shown["groups"][0]["iterations"], 10'000'000'000);
  EXPECT_EQ(shown["tasks"][0]["worker"], "1.0#1");
  EXPECT_EQ(duet({"stop", "2", "--data", data()}).code, 0);
  const http::Reply reply = large.get();
  EXPECT_EQ(reply.status, 500U);
  EXPECT_THAT(reply.body, HasSubstr("it was cancelled"));
  // What was cancelled is not executed any further: its worker is idle again.
  EXPECT_EQ(pi("1000")["worker_id"], "Worker-Core-1");
}

TEST_F(S1Gateway, S1_03_SubmitAnswersWithTheResult) {
  up();
  const Ran ran = shell("curl -s -X POST " + url_ + R"(/submit \
  -H "Content-Type: application/json" \
  -d '{
    "operation": "monte_carlo_pi",
    "data": {
      "iterations": 1000000
    }
  }')");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json answer = json::parse(ran.out);
  EXPECT_THAT(ran.out, MatchesRegex(R"re(\{"job_id":"JOB-[0-9]+(-[0-9]+)?","worker_id":"Worker-Core-1",)re"
                                    R"re("result":3\.14[0-9]+,"time_taken":"[0-9]+\.[0-9][0-9]s"\})re"));
  EXPECT_TRUE(answer["result"].is_number());
  // The same data, the same result; another id each time.
  std::set<std::string> ids = {answer["job_id"].get<std::string>()};
  for (int i = 0; i < 5; ++i) {
    const json again = pi("1000000");
    EXPECT_EQ(again["result"], answer["result"]);
    EXPECT_TRUE(ids.insert(again["job_id"].get<std::string>()).second) << again;
  }
}

TEST_F(S1Gateway, S1_04_S1_06_StatusShowsWorkersOnTheirZonesAndPorts) {
  up("INITIAL_WORKERS=3", 3);
  const Ran ran = shell("curl -s " + url_ + "/status");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, testing::StartsWith(R"({"status":"running","worker_count":3,"workers":[{"core_id":1,)"
                                           R"("container_id":")"));
  const json workers = json::parse(ran.out)["workers"];
  ASSERT_EQ(workers.size(), 3U);
  std::set<std::string> ids;
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(workers[i]["core_id"], i + 1);
    EXPECT_EQ(workers[i]["host_port"], kPortBase + i + 1);
    EXPECT_THAT(workers[i]["container_id"].get<std::string>(), MatchesRegex("[0-9a-f]{12}"));
    EXPECT_THAT(workers[i]["cpu_usage"].get<std::string>(), MatchesRegex(R"([0-9]+\.[0-9]%)"));
    EXPECT_EQ(workers[i]["is_healthy"], true);
    ids.insert(workers[i]["container_id"]);
  }
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_EQ(status()["workers"][0]["container_id"], workers[0]["container_id"]);
}

TEST_F(S1Gateway, S1_05_HealthIsOk) {
  up();
  const Ran ran = shell("curl -s -i " + url_ + "/health");
  EXPECT_THAT(ran.out, HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_THAT(ran.out, HasSubstr("Content-Type: text/plain"));
  EXPECT_THAT(ran.out, testing::EndsWith("\r\n\r\nOK"));
}

/// 3e8 iterations are 75 % of a worker: it is beyond 70 %, so there is a second one before anybody needs it.
TEST_F(S1Gateway, S1_07_S1_11_OneMoreIsStartedWhenAllAreBeyondTheThreshold) {
  up();
  auto medium = std::async(std::launch::async, [this] { return pi("300000000"); });
  ASSERT_TRUE(eventually([&] { return live_operations() == 1; }));
  // Fits beside it (1 %); its result is what makes the gateway look.
  EXPECT_EQ(pi("1000")["worker_id"], "Worker-Core-1");
  ASSERT_TRUE(eventually([&] { return status()["worker_count"] == 2; }));
  EXPECT_EQ(medium.get()["worker_id"], "Worker-Core-1");
  EXPECT_EQ(status()["worker_count"], 2);  // Nobody is given up (S1-14).
}

TEST_F(S1Gateway, S1_07_S1_13_WhatFindsNoRoomGetsAnotherWorker) {
  up();
  const std::string long_sleep = R"({"operation": "sleep", "data": {"seconds": 4}})";
  std::vector<std::future<http::Reply>> all;
  for (int i = 0; i < 3; ++i)
    all.push_back(std::async(std::launch::async, [&] { return submit(long_sleep); }));
  std::set<std::string> workers;
  for (auto& one : all) workers.insert(json::parse(one.get().body)["worker_id"].get<std::string>());
  EXPECT_THAT(workers, ElementsAre("Worker-Core-1", "Worker-Core-2", "Worker-Core-3"));
}

/// A sleep of 32.3334 s is 97 % of a worker, and the least that anything takes is 1 %.
TEST_F(S1Gateway, S1_08_ExactlyTheMaximumIsAdmitted) {
  up("MAX_CPU_THRESHOLD=98 PRESPAWN_THRESHOLD=98");
  auto first = std::async(std::launch::async, [this] {
    return submit(R"({"operation": "sleep", "data": {"seconds": 32.3334}})");
  });
  ASSERT_TRUE(eventually([&] { return live_operations() == 1; }));
  EXPECT_EQ(pi("1000")["worker_id"], "Worker-Core-1");
  EXPECT_EQ(status()["worker_count"], 1);
  EXPECT_EQ(duet({"stop", "2", "--data", data()}).code, 0);
  first.get();
}

TEST_F(S1Gateway, S1_08_AHairMoreThanTheMaximumIsNot) {
  up("MAX_CPU_THRESHOLD=97 PRESPAWN_THRESHOLD=97");
  auto first = std::async(std::launch::async, [this] {
    return submit(R"({"operation": "sleep", "data": {"seconds": 32.3334}})");
  });
  ASSERT_TRUE(eventually([&] { return live_operations() == 1; }));
  EXPECT_EQ(pi("1000")["worker_id"], "Worker-Core-2");
  EXPECT_EQ(duet({"stop", "2", "--data", data()}).code, 0);
  first.get();
}

TEST_F(S1Gateway, S1_12_S1_18_TheLogHoldsEstimatesAgainstWhatWasMeasured) {
  up();
  for (const char* iterations : {"1000000", "100000000"}) pi(iterations);
  const std::string log = controller_log();
  // At 100,000,000 iterations a second: 0.01 s are 1 % of a worker, 1 s is 50 %.
  EXPECT_THAT(log, HasSubstr("operation=monte_carlo_pi worker=Worker-Core-1 expected_s=0.01 took_s="));
  EXPECT_THAT(log, HasSubstr("operation=monte_carlo_pi worker=Worker-Core-1 expected_s=1 took_s="));
  // A line an event; nothing that is said again and again.
  std::istringstream lines(log);
  std::map<std::string, int> messages;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(line, MatchesRegex("ts=[^ ]+ level=info program=controller msg=.*"));
    ++messages[line.substr(line.find("msg="), 20)];
  }
  for (const auto& [message, count] : messages) EXPECT_LE(count, 2) << message;
}

TEST_F(S1Gateway, S1_10_TheQueueIsBoundedAndThenThereIs503) {
  up("INITIAL_WORKERS=3 QUEUE_LIMIT=1", 3);
  const std::string long_sleep = R"({"operation": "sleep", "data": {"seconds": 1000}})";
  std::vector<std::future<http::Reply>> all;
  for (std::size_t i = 1; i <= 4; ++i) {
    all.push_back(std::async(std::launch::async, [&] { return submit(long_sleep); }));
    ASSERT_TRUE(eventually([&] { return live_operations() == i; }));
  }
  const http::Reply refused = submit(long_sleep);
  EXPECT_EQ(refused.status, 503U);
  EXPECT_EQ(refused.headers.find("Retry-After"), "1");
  EXPECT_THAT(refused.body, HasSubstr("the pool 'gateway' is busy: 1 operations wait, at most 1 may"));
  // A place that becomes free goes to the one that waits.
  EXPECT_EQ(duet({"stop", "2", "3", "4", "5", "--data", data()}).code, 0);
  for (auto& one : all) EXPECT_EQ(one.get().status, 500U);
  EXPECT_EQ(pi("1000")["worker_id"], "Worker-Core-1");
}

/// Fifty clients at a time, each with texts of its own: no answer belongs to another question, nothing is
/// left.
TEST_F(S1Gateway, AThousandSubmissionsAreNotMixedUp) {
  up("INITIAL_WORKERS=2 QUEUE_LIMIT=1000", 2);
  const auto open_files = [&] {
    const json note = json::parse(read(folder_ / "data/controller/controller.json"));
    const fs::path folder = "/proc/" + note["pid"].dump() + "/fd";
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
  };
  pi("1000");
  const auto before = open_files();
  std::vector<std::future<int>> clients;
  for (int client = 0; client < 50; ++client)
    clients.push_back(std::async(std::launch::async, [this, client] {
      int right = 0;
      for (int i = 0; i < 20; ++i) {
        const int limit = 100 + client * 20 + i;
        const http::Reply reply =
            submit(R"({"operation": "primes", "data": {"limit": )" + std::to_string(limit) + "}}");
        int primes = 0;
        for (int n = 2; n <= limit; ++n) {
          bool prime = true;
          for (int d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
          primes += prime ? 1 : 0;
        }
        const json answer = json::parse(reply.body, nullptr, false);
        right += reply.status == 200 && answer["result"] == primes ? 1 : 0;
      }
      return right;
    }));
  int right = 0;
  for (auto& client : clients) right += client.get();
  EXPECT_EQ(right, 1000);
  EXPECT_EQ(live_operations(), 0U);
  EXPECT_TRUE(eventually([&] { return open_files() <= before; })) << before << " then " << open_files();
}

TEST_F(S1Gateway, S1_15_AWorkerThatDiesIsReplacedAndItsOperationIsExecutedAgain) {
  up();
  const std::string first = status()["workers"][0]["container_id"];
  auto waiting = std::async(std::launch::async,
                            [this] { return submit(R"({"operation": "sleep", "data": {"seconds": 2}})"); });
  ASSERT_TRUE(eventually([&] { return live_operations() == 1; }));
  const std::int64_t pid = pid_of_worker();
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
  const http::Reply reply = waiting.get();
  EXPECT_EQ(reply.status, 200U) << reply.body;
  EXPECT_EQ(json::parse(reply.body)["result"], 2.0);
  ASSERT_TRUE(eventually([&] { return status()["worker_count"].get<int>() >= 1; }));
  const json worker = status()["workers"][0];
  EXPECT_NE(worker["container_id"], first);
  EXPECT_EQ(worker["core_id"], 1);
  EXPECT_EQ(worker["host_port"], kPortBase + 1);
}

/// It runs, but answers nothing: it is ended by force, as it does not heed the polite word, and its core and
/// port are its successor's.
TEST_F(S1Gateway, S1_15_AWorkerThatAnswersNoMoreIsReplacedOnItsCoreAndPort) {
  up("INITIAL_WORKERS=2", 2);
  const json before = status()["workers"];
  const json job = json::parse(duet({"job", "1", "--data", data(), "-o", "json"}).out);
  EXPECT_EQ(job["groups"][0]["health"], json::parse(kWorkerCheck));
  const std::int64_t pid = pid_of_worker(0);
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGSTOP), 0);
  ASSERT_TRUE(eventually([&] { return healthy() == 1; })) << status();
  // Until it is gone, and after, the other one is whom operations go to.
  EXPECT_EQ(pi("1000")["worker_id"], "Worker-Core-2");
  ASSERT_TRUE(eventually([&] { return healthy() == 2; })) << status();
  const json after = status()["workers"];
  EXPECT_EQ(after[0]["core_id"], 1);
  EXPECT_EQ(after[0]["host_port"], kPortBase + 1);
  EXPECT_NE(after[0]["container_id"], before[0]["container_id"]);
  EXPECT_EQ(after[1]["container_id"], before[1]["container_id"]);
  EXPECT_EQ(pi("1000")["worker_id"], "Worker-Core-1");
  const json ended = json::parse(duet({"job", "1", "--data", data(), "-o", "json"}).out)["tasks"][0];
  EXPECT_EQ(ended["last_end"]["outcome"], "unhealthy") << ended;
}

TEST_F(S1Gateway, S1_19_AControllerThatComesBackFindsItsWorkers) {
  up("INITIAL_WORKERS=2", 2);
  const json before = status()["workers"];
  const json note = json::parse(read(folder_ / "data/controller/controller.json"));
  ASSERT_EQ(::kill(note["pid"].get<pid_t>(), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] {
    const json now = json::parse(read(folder_ / "data/controller/controller.json"), nullptr, false);
    return now.is_object() && now["pid"] != note["pid"];
  }));
  ASSERT_TRUE(eventually([&] { return status().is_object() && status()["worker_count"] == 2; }));
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(status()["workers"][i]["container_id"], before[i]["container_id"]) << i;
  EXPECT_EQ(pi("1000")["worker_id"], "Worker-Core-1");
}

}  // namespace gateway_tests
}  // namespace
}  // namespace duet::program_tests
