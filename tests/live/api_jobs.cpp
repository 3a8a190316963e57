// The native interface: jobs, nodes, services, events, explanations, logs.
#include "tests/live/api_world.h"

namespace duet::live_tests {
namespace {

using ApiJobs = ApiWorld;

const std::string lasting = R"({"name":"a","command":["sleep","60"]})";

TEST_F(ApiJobs, AJobIsSubmittedShownAndCancelled) {
  add_nodes(1);
  const http::Reply made = post("/api/v1/jobs", R"({"name":"web.1","user":"ann","command":["sleep","60"],
      "env":{"B":"2","A":"1"},"cpu":500,"memory":256,"retries":2,"timeout_s":1.5,"priority":-3,"ports":2})");
  EXPECT_EQ(made.status, 201U) << made.body;
  EXPECT_EQ(made.headers.find("location"), "/api/v1/jobs/1");
  EXPECT_TRUE(in_state(1, "running"));
  const json job = shown("/api/v1/jobs/1");
  EXPECT_EQ(job["name"], "web.1");
  EXPECT_EQ(job["user"], "ann");
  EXPECT_EQ(job["kind"], "rigid");
  EXPECT_EQ(job["retries"], 2);
  EXPECT_EQ(job["priority"], -3);
  EXPECT_EQ(job["groups"][0]["cpu_m"], 500);
  EXPECT_EQ(job["groups"][0]["memory_bytes"], 256 * kMiB);
  EXPECT_EQ(job["groups"][0]["timeout_s"], 1.5);
  EXPECT_EQ(job["tasks"][0]["node"], "n1");
  EXPECT_EQ(command_of({{JobId{1}, 0}, 1}), R"({"argv":["sleep","60"],"env":{"A":"1","B":"2"},)"
                                            R"("memory_bytes":268435456,"ports":2})");

  const http::Reply cancelled = remove("/api/v1/jobs/1");
  EXPECT_EQ(cancelled.status, 202U);
  EXPECT_TRUE(in_state(1, "cancelled"));
  const http::Reply again = remove("/api/v1/jobs/1");
  EXPECT_EQ(again.status, 409U);
  EXPECT_EQ(json::parse(again.body)["detail"], "This was refused: the job has already ended.");
  EXPECT_EQ(remove("/api/v1/jobs/9").status, 404U);
  EXPECT_EQ(get("/api/v1/jobs/9").status, 404U);
  EXPECT_EQ(get("/api/v1/jobs/x").status, 404U);
}

TEST_F(ApiJobs, AllMistakesAreNamedAtOnce) {
  const http::Reply reply =
      post("/api/v1/jobs", R"({"nmae":"a","name":"-a","command":[7],"cpu":-1,"memory":1.5,
      "count":0,"kind":"gang","scheduler":"best_fit","env":{"A":1},"timeout_s":"1"})");
  EXPECT_EQ(reply.status, 400U);
  std::vector<std::string> pointers;
  const json told = json::parse(reply.body);
  for (const json& error : told["errors"]) pointers.push_back(error["pointer"]);
  EXPECT_EQ(pointers, (std::vector<std::string>{"/command/0", "/count", "/cpu", "/env/A", "/kind", "/memory",
                                                "/name", "/nmae", "/scheduler", "/timeout_s"}));
  const auto errors = [&](const std::string& body) {
    return json::parse(post("/api/v1/jobs", body).body)["errors"];
  };
  EXPECT_EQ(errors(R"({"name":"a"})")[0]["pointer"], "/command");
  EXPECT_EQ(errors(R"({"name":"a","command":["x"],"env":{"DUET_A":"1"}})")[0]["pointer"], "/env/DUET_A");
  EXPECT_EQ(errors(R"({"name":"a","command":["x"],"kind":"bag","replicas":2})")[0]["pointer"], "/replicas");
  EXPECT_EQ(errors(R"({"name":"a","command":["x"],"kind":"service","count":2})")[0]["pointer"], "/count");
  EXPECT_EQ(errors(R"({"name":"a","kind":"dag"})")[0]["detail"],
            "`groups` is missing; a DAG has groups of tasks");
  EXPECT_EQ(errors(R"({"name":"a","cpu":1,"groups":[{"name":"x","command":["x"],"after":["y"]},
                                           {"name":"x","command":[]}]})"),
            json::parse(R"([
    {"pointer":"/cpu","detail":"in a DAG this belongs to its groups; move it into groups"},
    {"pointer":"/groups/0/after","detail":"no group before this one is named `y`; )"
                        R"(groups come after others that are listed before them"},
    {"pointer":"/groups/1/command","detail":"is empty, and there is no image; the program and its arguments"},
    {"pointer":"/groups/1/name","detail":"another group has this name"}])"));
}

TEST_F(ApiJobs, KindsFollowFromWhatIsSaid) {
  const auto kind = [&](const std::string& rest) {
    const json job = json::parse(post("/api/v1/jobs", R"({"name":"a",)" + rest + "}").body);
    return job["kind"].get<std::string>() + " " + job["tasks_total"].dump();
  };
  EXPECT_EQ(kind(R"("command":["x"])"), "rigid 1");
  EXPECT_EQ(kind(R"("command":["x"],"count":3)"), "bag 3");
  EXPECT_EQ(kind(R"("command":["x"],"count":3,"kind":"rigid")"), "rigid 3");
  EXPECT_EQ(kind(R"("command":["x"],"replicas":3)"), "service 3");
  EXPECT_EQ(
      kind(R"("groups":[{"name":"x","command":["x"],"count":2},{"name":"y","command":["x"],"after":["x"]}])"),
      "dag 3");
}

TEST_F(ApiJobs, RepeatingAKeyIsTheSameJob) {
  http::Headers key;
  key.add("Idempotency-Key", "k1");
  const http::Reply first = ask(http::Method::kPost, "/api/v1/jobs", lasting, key);
  const http::Reply second = ask(http::Method::kPost, "/api/v1/jobs", lasting, key);
  EXPECT_EQ(second.status, 201U);
  EXPECT_EQ(second.headers.find("location"), first.headers.find("location"));
  const http::Reply other = ask(http::Method::kPost, "/api/v1/jobs", R"({"name":"b","command":["x"]})", key);
  EXPECT_EQ(other.status, 409U);
  EXPECT_EQ(shown("/api/v1/jobs")["jobs"].size(), 1U);
}

TEST_F(ApiJobs, ListsInPagesAndFilters) {
  for (int i = 1; i <= 5; ++i)
    submit(R"({"name":")" + std::string(i % 2 == 0 ? "even" : "odd") + R"(","command":["x"]})");
  const auto ids = [&](const json& list) {
    std::string text;
    for (const json& job : list["jobs"]) text += job["id"].dump() + " ";
    return text;
  };
  json page = shown("/api/v1/jobs?limit=2");
  EXPECT_EQ(ids(page), "5 4 ");
  EXPECT_FALSE(page["jobs"][0].contains("tasks"));
  submit(lasting);  // what comes meanwhile does not move the pages
  page = shown("/api/v1/jobs?limit=2&cursor=" + page["next_cursor"].get<std::string>());
  EXPECT_EQ(ids(page), "3 2 ");
  page = shown("/api/v1/jobs?limit=2&cursor=" + page["next_cursor"].get<std::string>());
  EXPECT_EQ(ids(page), "1 ");
  EXPECT_FALSE(page.contains("next_cursor"));
  EXPECT_EQ(ids(shown("/api/v1/jobs?name=even&state=pending&kind=rigid")), "4 2 ");
  EXPECT_EQ(ids(shown("/api/v1/jobs?user=ann")), "");
  EXPECT_EQ(get("/api/v1/jobs?state=happy").status, 400U);
  EXPECT_EQ(get("/api/v1/jobs?cursor=x").status, 400U);
}

TEST_F(ApiJobs, NothingIsPromisedWhileTheStoreFails) {
  EXPECT_EQ(get("/readyz").status, 200U);
  on_thread([&] { store_.failing = true; });
  const http::Reply reply = post("/api/v1/jobs", lasting);
  EXPECT_EQ(reply.status, 503U);
  EXPECT_EQ(reply.headers.find("retry-after"), "1");
  EXPECT_EQ(get("/readyz").status, 503U);
  EXPECT_EQ(get("/healthz").status, 200U);
}

TEST_F(ApiJobs, NeedsTheToken) {
  http::Client without = client({});
  for (const auto& route : table_.routes()) {
    std::string path = route->path;
    for (const char* parameter : {"{id}", "{name}", "{service}"})
      if (const std::size_t at = path.find(parameter); at != std::string::npos)
        path.replace(at, std::string(parameter).size(), "1");
    const bool open = path == "/deploy" || path == "/status" || path == "/healthz" || path == "/readyz" ||
                      path == "/openapi.json" || path == "/.well-known/duet" || path == "/metrics";
    EXPECT_EQ(route->needs_token, !open) << path;
    if (!open) {
      EXPECT_EQ(without.send({.method = route->method, .target = path}).status, 401U) << path;
    }
  }
}

TEST_F(ApiJobs, TheTableHasNoMistakes) { EXPECT_EQ(table_.mistakes(), std::vector<std::string>{}); }

TEST_F(ApiJobs, NodesAreShownAndDrained) {
  add_nodes(2);
  submit(R"({"name":"a","command":["sleep","60"],"cpu":1500,"memory":256})");
  EXPECT_TRUE(in_state(1, "running"));
  const json node = shown("/api/v1/nodes/n1");
  EXPECT_EQ(node["capacity"], json::parse(R"({"cpu_m":2000,"memory_bytes":1073741824})"));
  EXPECT_EQ(node["allocated"], json::parse(R"({"cpu_m":1500,"memory_bytes":268435456})"));
  EXPECT_EQ(node["tasks"], 1);
  EXPECT_EQ(node["address"], "127.0.0.1");
  EXPECT_EQ(json::parse(post("/api/v1/nodes/n1/drain", "").body)["draining"], true);
  EXPECT_EQ(json::parse(post("/api/v1/nodes/n1/undrain", "").body)["draining"], false);
  EXPECT_EQ(post("/api/v1/nodes/n1/drain", R"({"evict":true})").status, 200U);
  EXPECT_TRUE(eventually([&] {
    const live::JobView* job = controller_->driver.view().job(JobId{1});
    return job->tasks[0].state == TaskState::kRunning && job->tasks[0].attempt == 2;
  }));
  EXPECT_EQ(shown("/api/v1/tasks?node=n2")[0]["attempt"], 2);
  EXPECT_EQ(post("/api/v1/nodes/n9/drain", "").status, 404U);
  EXPECT_EQ(post("/api/v1/nodes/n1/drain", R"({"evct":true})").status, 400U);
}

TEST_F(ApiJobs, S0_10_ServicesListTheirLiveEndpoints) {
  add_nodes(2);
  const std::uint64_t id =
      submit(R"({"name":"web","replicas":2,"command":["serve"],"scheduler":"round_robin"})");
  EXPECT_TRUE(eventually([&] {
    const live::JobView* job = controller_->driver.view().job(JobId{id});
    return job->tasks[0].state == TaskState::kRunning && job->tasks[1].state == TaskState::kRunning;
  }));
  on_thread([&] {
    controller_->driver.view().learn(live::AttemptFacts{.attempt = {{JobId{id}, 1}, 1}, .ports = {8001}});
  });
  const json service = shown("/api/v1/services/web");
  EXPECT_EQ(service["desired_replicas"], 2);
  EXPECT_EQ(service["running_replicas"], 2);
  EXPECT_EQ(service["endpoints"][1]["task"], "1.1");
  EXPECT_EQ(service["endpoints"][1]["node"], "n2");
  EXPECT_EQ(service["endpoints"][1]["address"], "127.0.0.1");
  EXPECT_EQ(service["endpoints"][1]["ports"], json::parse("[8001]"));
  EXPECT_EQ(shown("/api/v1/services")[0], service);

  EXPECT_EQ(json::parse(put("/api/v1/services/web/replicas", R"({"replicas":1})").body)["desired_replicas"],
            1);
  EXPECT_EQ(
      json::parse(
          put("/api/v1/services/1", R"({"name":"web","replicas":1,"command":["serve2"]})").body)["version"],
      1);
  EXPECT_EQ(put("/api/v1/services/web", R"({"name":"web","kind":"bag","command":["x"]})").status, 409U);
  EXPECT_EQ(put("/api/v1/services/no/replicas", R"({"replicas":1})").status, 404U);
  EXPECT_EQ(put("/api/v1/services/web/replicas", R"({"replicas":-1})").status, 400U);
  submit(R"({"name":"web","replicas":1,"command":["serve"]})");
  EXPECT_EQ(get("/api/v1/services/web").status, 404U);  // two have this name
  EXPECT_EQ(get("/api/v1/services/1").status, 200U);
}

TEST_F(ApiJobs, ExplainsWhyATaskWaits) {
  add_nodes(2);
  submit(R"({"name":"big","command":["x"],"cpu":3000})");
  const json told = shown("/api/v1/tasks/1.0/explain");
  EXPECT_EQ(told["standing"]["why"], "queued");
  EXPECT_EQ(told["standing"]["room_for"], 0);
  EXPECT_EQ(told["nodes"].size(), 2U);
  EXPECT_EQ(told["nodes"][1]["name"], "n2");
  EXPECT_EQ(told["nodes"][1]["against"][0]["text"], "CPU: needs 3000 m, has 2000 m free, short by 1000 m");
  remove("/api/v1/jobs/1");
  EXPECT_EQ(get("/api/v1/tasks/1.0/explain").status, 409U);
  EXPECT_EQ(get("/api/v1/tasks/1.1/explain").status, 404U);
  EXPECT_EQ(get("/api/v1/tasks/1/explain").status, 404U);
}

TEST_F(ApiJobs, ReadsLogsPieceByPiece) {
  submit(lasting);
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs").status, 409U);
  add_nodes(2);
  EXPECT_TRUE(in_state(1, "running"));
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs").body, "one\ntwo\n");
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs?from=4").body, "two\n");
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs?last=2").body, "o\n");
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs?stream=stderr").body, "");
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs?attempt=2").status, 404U);
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs?stream=out").status, 400U);
  on_thread([&] { log_ended_ = false; });
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs").body, "one\ntwo\n");
  std::string followed;
  const http::Reply reply =
      client().stream({.target = "/api/v1/tasks/1.0/logs?follow=true"}, [&](std::string_view piece) {
        followed += piece;
        if (followed == "one\ntwo\n")
          on_thread([&] {
            log_ += "three\n";
            log_ended_ = true;
          });
        return true;
      });
  EXPECT_TRUE(reply.ok()) << reply.why;
  EXPECT_EQ(followed, "one\ntwo\nthree\n");
}

TEST_F(ApiJobs, WhereALogWasCutItSaysSo) {
  add_nodes(1);
  submit(lasting);
  EXPECT_TRUE(in_state(1, "running"));
  on_thread([&] { log_begin_ = 4; });
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs").body, "[4 bytes are not kept]\ntwo\n");
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs?from=1").body, "[3 bytes are not kept]\ntwo\n");
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs?from=5").body, "wo\n");
  EXPECT_EQ(get("/api/v1/tasks/1.0/logs?last=100").body, "two\n");
}

TEST_F(ApiJobs, LogsOfANodeThatIsGoneAreAProblem) {
  add_nodes(2);
  submit(R"({"name":"a","command":["x"],"cpu":2000})");
  submit(R"({"name":"b","command":["x"],"cpu":2000})");
  EXPECT_TRUE(in_state(2, "running"));
  const http::Reply reply = get("/api/v1/tasks/2.0/logs");
  EXPECT_EQ(reply.status, 404U);
  EXPECT_EQ(json::parse(reply.body)["detail"], "The log cannot be read: the node is not connected.");
}

}  // namespace
}  // namespace duet::live_tests
