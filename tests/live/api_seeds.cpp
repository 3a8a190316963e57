// What two older orchestrators answered, in their own words: S0's /deploy and /status, S2's tasks and events.
#include "tests/live/api_world.h"
#include "tests/live/http_world.h"

namespace duet::live_tests {
namespace {

class ApiSeeds : public ApiWorld {
 protected:
  /// As curl -d sends it without -H.
  http::Reply deploy(const std::string& body) {
    http::Headers form;
    form.add("Content-Type", "application/x-www-form-urlencoded");
    return client({}).send(
        {.method = http::Method::kPost, .target = "/deploy", .body = body, .headers = form});
  }
  json status() { return json::parse(client({}).get("/status").body); }
  /// Waits until so many replicas run.
  bool running(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + duet::test::kPatience;
    while (std::chrono::steady_clock::now() < deadline)
      if (status()["actual_replicas"] == count) return true;
    return false;
  }
};

TEST_F(ApiSeeds, S0_02_OneListenerServesBothInterfaces) {
  EXPECT_EQ(client({}).get("/status").status, 200U);
  EXPECT_EQ(get("/api/v1/nodes").status, 200U);
}

TEST_F(ApiSeeds, S0_06_TheNumberIsSetAndNotAdded) {
  const http::Reply first = deploy(R"({"replicas":3})");
  EXPECT_EQ(first.status, 200U);
  EXPECT_EQ(first.body, R"({"desired_replicas":3})");  // accepted without agents: it stays pending
  EXPECT_EQ(status(), json::parse(R"({"desired_replicas":3,"actual_replicas":0,"replicas":[]})"));
  add_nodes(2);
  EXPECT_TRUE(running(3));
  EXPECT_EQ(deploy("{\r\n\"replicas\": 3\r\n}\r\n").body, R"({"desired_replicas":3})");
  EXPECT_EQ(status()["actual_replicas"], 3);
  EXPECT_EQ(shown("/api/v1/services").size(), 1U);
  deploy(R"({"replicas":1})");
  EXPECT_TRUE(running(1));
  EXPECT_EQ(deploy(R"({"replicas":0})").body, R"({"desired_replicas":0})");
  EXPECT_TRUE(running(0));
  deploy(R"({"replicas":2})");
  EXPECT_TRUE(running(2));
  EXPECT_EQ(shown("/api/v1/services").size(), 1U);
}

TEST_F(ApiSeeds, S0_06_WhatIsNoNumberIsRefused) {
  for (const char* body :
       {R"({"replicas":-1})", "{}", R"({"replicas":"3"})", R"({"replicas":1.5})", "", "replicas=3",
        R"({"replicas":3,"image":"x"})", R"({"replicas":9999999999})", "[]", "null"}) {
    const http::Reply reply = deploy(body);
    EXPECT_EQ(reply.status, 400U) << body;
    EXPECT_EQ(reply.headers.find("content-type"), "application/problem+json");
  }
  EXPECT_EQ(client({}).get("/deploy").status, 405U);
  EXPECT_EQ(status()["desired_replicas"], 0);
}

TEST_F(ApiSeeds, S0_06_DeploysAtTheSameTimeMakeOneService) {
  RawSocket first(port_);
  RawSocket second(port_);
  on_thread([&] { store_.holding = true; });
  first.send(request("POST", "/deploy", R"({"replicas":2})"));
  second.send(request("POST", "/deploy", R"({"replicas":4})"));
  EXPECT_TRUE(eventually([&] { return store_.commits > 0 && server_->connections() == 2; }));
  on_thread([&] {
    store_.holding = false;
    store_.release();
  });
  EXPECT_NE(first.read().find("\r\n\r\n{\"desired_replicas\":2}"), std::string::npos);
  EXPECT_NE(second.read().find("\r\n\r\n{\"desired_replicas\":4}"), std::string::npos);
  EXPECT_EQ(shown("/api/v1/services").size(), 1U);
}

TEST_F(ApiSeeds, S0_07_StatusShowsEachReplica) {
  add_nodes(1);
  deploy(R"({"replicas":2})");
  EXPECT_TRUE(running(2));
  on_thread([&] {
    controller_->driver.view().learn(live::AttemptFacts{.attempt = {{JobId{1}, 0}, 1}, .ports = {8000}});
    controller_->driver.view().learn(live::AttemptFacts{.attempt = {{JobId{1}, 1}, 1}, .ports = {8001}});
  });
  const json told = status();
  EXPECT_EQ(told["desired_replicas"], 2);
  EXPECT_EQ(told["actual_replicas"], 2);
  ASSERT_EQ(told["replicas"].size(), 2U);
  const json& replica = told["replicas"][1];
  EXPECT_EQ(replica["id"], "replica-1");
  EXPECT_EQ(replica["node_ip"], "127.0.0.1");
  EXPECT_EQ(replica["port"], 8001);
  const std::string uptime = replica["uptime"];
  EXPECT_EQ(uptime.substr(uptime.size() - 1), "s");
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  EXPECT_NEAR(replica["started_at"].get<double>(), static_cast<double>(now), 30);
  EXPECT_TRUE(replica["started_at"].is_number_integer());
  // The lowest free index is used again.
  end_attempt({{JobId{1}, 0}, 1}, 1);
  EXPECT_TRUE(eventually([&] { return controller_->driver.view().job(JobId{1})->tasks[0].attempt == 2; }));
  EXPECT_TRUE(running(2));
  EXPECT_EQ(status()["replicas"][0]["id"], "replica-0");
}

TEST(ApiUptime, S0_07_UptimesReadLikeGo) {
  const auto text = [](double seconds) {
    return live::go_duration(Duration(static_cast<std::int64_t>(seconds * 1e9)));
  };
  EXPECT_EQ(text(130), "2m10s");
  EXPECT_EQ(text(0), "0s");
  EXPECT_EQ(text(0.49), "0s");
  EXPECT_EQ(text(0.5), "1s");
  EXPECT_EQ(text(59.5), "1m0s");
  EXPECT_EQ(text(3600), "1h0m0s");
  EXPECT_EQ(text(90061), "25h1m1s");
  EXPECT_EQ(text(-1), "0s");
}

const std::string s2_task =
    R"({"name":"web-server","command":["serve"],"resources":{"cpu":500,"memory":256}})";

TEST_F(ApiSeeds, S2_02_ATaskIsSubmittedWithMillicoresAndMebibytes) {
  add_nodes(1);
  const http::Reply made = post("/api/v1/tasks", s2_task);
  EXPECT_EQ(made.status, 201U) << made.body;
  EXPECT_EQ(made.headers.find("location"), "/api/v1/tasks/1.0");
  const json task = json::parse(made.body);
  EXPECT_EQ(task["id"], "1.0");
  EXPECT_EQ(task["name"], "web-server");
  EXPECT_TRUE(eventually(
      [&] { return controller_->driver.view().job(JobId{1})->tasks[0].state == TaskState::kRunning; }));
  EXPECT_EQ(shown("/api/v1/tasks/1.0")["status"], "running");
  EXPECT_EQ(shown("/api/v1/tasks/1.0")["node"], "n1");
  EXPECT_EQ(shown("/api/v1/nodes/n1")["allocated"], json::parse(R"({"cpu_m":500,"memory_bytes":268435456})"));
  const http::Reply bare = post("/api/v1/tasks", R"({"name":"b","command":["x"],"image":""})");
  EXPECT_EQ(bare.status, 201U) << bare.body;
  EXPECT_EQ(shown("/api/v1/jobs/2")["groups"][0]["cpu_m"], 0);
}

TEST_F(ApiSeeds, S2_02_WhatIsWrongIsNamed) {
  const http::Reply reply =
      post("/api/v1/tasks", R"({"nam":"a","command":"serve","resources":{"cpu":-5,"memroy":1}})");
  EXPECT_EQ(reply.status, 400U);
  EXPECT_EQ(json::parse(reply.body)["errors"], json::parse(R"([
    {"pointer":"","detail":"`name` is missing"},
    {"pointer":"/command","detail":"this is a string; needed is an array"},
    {"pointer":"/nam","detail":"there is no member of this name; did you mean `name`?"},
    {"pointer":"/resources/cpu","detail":"-5 is below 0"},
    {"pointer":"/resources/memroy","detail":"there is no member of this name; did you mean `memory`?"}])"));
}

TEST_F(ApiSeeds, S2_13_ATaskWithAnImageIsRefusedWhereThereIsNoEngine) {
  const http::Reply reply =
      post("/api/v1/tasks", R"({"name":"web","image":"nginx:latest","command":["nginx"]})");
  EXPECT_EQ(reply.status, 422U);
  const json told = json::parse(reply.body);
  EXPECT_EQ(told["detail"], "No node of this cluster runs images.");
  EXPECT_EQ(told["errors"][0]["pointer"], "/image");
  EXPECT_EQ(post("/api/v1/jobs", R"({"name":"a","groups":[{"name":"x","image":"nginx"}]})").status, 422U);
  EXPECT_EQ(shown("/api/v1/tasks"), json::array());
}

TEST_F(ApiSeeds, S2_03_TasksAndNodesAreArrays) {
  EXPECT_EQ(shown("/api/v1/tasks"), json::array());
  EXPECT_EQ(shown("/api/v1/nodes"), json::array());
  add_nodes(2);
  post("/api/v1/tasks", s2_task);
  submit(R"({"name":"many","command":["x"],"count":3})");
  EXPECT_EQ(shown("/api/v1/nodes").size(), 2U);
  EXPECT_EQ(shown("/api/v1/tasks").size(), 4U);
  EXPECT_EQ(shown("/api/v1/tasks?job=2&after=2.0&limit=1")[0]["id"], "2.1");
  EXPECT_EQ(remove("/api/v1/tasks/2.0").status, 409U);
  EXPECT_EQ(remove("/api/v1/tasks/1.0").status, 202U);
  EXPECT_TRUE(in_state(1, "cancelled"));
  EXPECT_EQ(shown("/api/v1/tasks/1.0")["status"], "cancelled");
  EXPECT_EQ(get("/api/v1/tasks/7.0").status, 404U);
}

/// What a client of the events saw, up to and including the first one of which `last` is true.
std::vector<http::ReceivedEvent> watch(http::Client client, const std::string& after,
                                       const std::function<bool(const http::ReceivedEvent&)>& last) {
  std::vector<http::ReceivedEvent> seen;
  const http::Reply reply = client.events("/api/v1/events", after, [&](const http::ReceivedEvent& event) {
    seen.push_back(event);
    return !last(event);
  });
  EXPECT_TRUE(reply.ok()) << reply.why << reply.body;
  return seen;
}

bool ends_job(const http::ReceivedEvent& event, int job) {
  return event.name == "job" && json::parse(event.data)["job"] == job &&
         json::parse(event.data)["state"] == "cancelled";
}

TEST_F(ApiSeeds, S2_04_EventsAreAStreamThatGoesOnWhereItBroke) {
  add_nodes(1);
  std::thread user;
  const auto seen = watch(client(), "", [&](const http::ReceivedEvent& event) {
    if (event.name == "hello")
      user = std::thread([&] {
        submit(R"({"name":"a","command":["x"]})");
        EXPECT_TRUE(eventually(
            [&] { return controller_->driver.view().job(JobId{1})->tasks[0].state == TaskState::kRunning; }));
        remove("/api/v1/jobs/1");
      });
    return ends_job(event, 1);
  });
  user.join();
  EXPECT_EQ(seen.front().name, "hello");
  std::vector<std::string> states;
  for (const http::ReceivedEvent& event : seen)
    if (event.name == "task") states.push_back(json::parse(event.data)["state"]);
  EXPECT_EQ(states, (std::vector<std::string>{"starting", "running", "stopping", "cancelled"}));
  EXPECT_TRUE(json::parse(seen.back().data).contains("at"));

  // Whoever comes back with any id sees exactly what came after it.
  submit(R"({"name":"b","command":["x"]})");
  remove("/api/v1/jobs/2");
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto rest =
        watch(client(), seen[i].id, [](const http::ReceivedEvent& event) { return ends_job(event, 2); });
    EXPECT_EQ(rest.front().id, seen[i].id);
    for (std::size_t k = i + 1; k < seen.size(); ++k) EXPECT_EQ(rest[k - i].data, seen[k].data);
  }
}

TEST_F(ApiSeeds, S2_04_WhatIsTooOldIsSaidToBe) {
  submit(R"({"name":"a","command":["x"]})");
  const auto seen = watch(client(), "", [](const http::ReceivedEvent&) { return true; });
  const std::string log = seen[0].id.substr(0, seen[0].id.find('-'));
  const auto status = [&](const std::string& id) {
    const http::Reply reply =
        client().events("/api/v1/events", id, [](const http::ReceivedEvent&) { return false; });
    return reply.status;
  };
  EXPECT_EQ(status(log + "-0"), 200U);
  EXPECT_EQ(status(log + "-99"), 410U);  // never was
  EXPECT_EQ(status("1-1"), 410U);        // of another controller
  EXPECT_EQ(status("x"), 400U);
  on_thread([&] {
    for (std::size_t i = 0; i < live::EventLog::kKept; ++i)
      controller_->driver.view().events().add(Instant{}, "test", "{}");
  });
  EXPECT_EQ(status(log + "-0"), 410U);
  const http::Reply told = get("/api/v1/events?since=" + log + "-0");
  EXPECT_EQ(json::parse(told.body)["type"], "urn:duet:problem:events-too-old");
}

TEST_F(ApiSeeds, S2_04_AWholeLogIsReplayedToOneClient) {
  on_thread([&] {
    for (std::size_t i = 0; i < 10'000; ++i)
      controller_->driver.view().events().add(Instant{}, "test",
                                              R"({"text":")" + std::string(200, 'x') + "\"}");
  });
  const auto hello = watch(client(), "", [](const http::ReceivedEvent&) { return true; });
  const std::string log = hello[0].id.substr(0, hello[0].id.find('-'));
  const auto all = watch(client(), log + "-0",
                         [&](const http::ReceivedEvent& event) { return event.id == log + "-10000"; });
  ASSERT_EQ(all.size(), 10'001U);
  for (std::size_t i = 1; i < all.size(); ++i) ASSERT_EQ(all[i].id, log + "-" + std::to_string(i));
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
  std::size_t watchers = 9;
  on_thread([&] { watchers = controller_->driver.view().events().watchers(); });
  EXPECT_EQ(watchers, 0U);
}

}  // namespace
}  // namespace duet::live_tests
