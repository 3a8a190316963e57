// What a Prometheus gets to read, and what becomes of it there.
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "live/child_process.h"
#include "live/metrics/metric_table.h"
#include "tests/golden/program.h"
#include "tests/live/api_world.h"
#include "tests/live/http_world.h"

namespace duet::live_tests {
namespace {

using testing::HasSubstr;

class Metrics : public ApiWorld {
 protected:
  std::string text() {
    const http::Reply reply = client({}).get("/metrics");
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(reply.headers.find("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    return reply.body;
  }
  /// The value of a series, as it is written; empty if there is none.
  static std::string value(const std::string& text, const std::string& series) {
    const std::string line = "\n" + series + " ";
    const std::size_t at = text.find(line);
    if (at == std::string::npos) return {};
    const std::size_t from = at + line.size();
    return text.substr(from, text.find('\n', from) - from);
  }
  std::string value(const std::string& series) { return value(text(), series); }
  void measure(AttemptId attempt, std::int64_t at_ms, std::int64_t cpu_ms, std::int64_t memory) {
    on_thread([&] {
      live::AttemptFacts facts;
      facts.attempt = attempt;
      facts.cpu_ns = cpu_ms * 1'000'000;
      facts.memory = memory;
      controller_->driver.view().learn(facts, Instant{} + std::chrono::milliseconds(at_ms));
    });
  }
  bool runs(AttemptId attempt) {
    const live::JobView* job = controller_->driver.view().job(attempt.task.job);
    return job != nullptr && job->tasks[attempt.task.index].state == TaskState::kRunning;
  }
  /// Ends an attempt as soon as it runs.
  void run_to_end(AttemptId attempt, int code) {
    ASSERT_TRUE(eventually([&] { return processes_[0]->all.contains(attempt); }));
    end_attempt(attempt, code);
  }
  /// A job that succeeds, one that fails twice, one that is cancelled, one that waits, a service of two.
  void live_a_little() {
    add_nodes(1);
    submit(R"({"name":"good","command":["x"],"cpu":100})");
    run_to_end({{JobId{1}, 0}, 1}, 0);
    ASSERT_TRUE(in_state(1, "succeeded"));
    submit(R"({"name":"bad","command":["x"],"cpu":100,"retries":1})");
    run_to_end({{JobId{2}, 0}, 1}, 3);
    run_to_end({{JobId{2}, 0}, 2}, 3);
    ASSERT_TRUE(in_state(2, "failed"));
    submit(R"({"name":"off","command":["x"],"cpu":100})");
    ASSERT_TRUE(eventually([&] { return runs({{JobId{3}, 0}, 1}); }));
    EXPECT_EQ(remove("/api/v1/jobs/3").status, 202U);
    ASSERT_TRUE(in_state(3, "cancelled"));
    EXPECT_EQ(remove("/api/v1/jobs/3").status, 409U);
    submit(R"({"name":"web","command":["x"],"cpu":400,"replicas":2})");
    ASSERT_TRUE(eventually([&] { return runs({{JobId{4}, 0}, 1}) && runs({{JobId{4}, 1}, 1}); }));
    submit(R"({"name":"large","command":["x"],"cpu":5000})");
    measure({{JobId{4}, 0}, 1}, 1000, 100, 5000);
    measure({{JobId{4}, 0}, 1}, 3000, 700, 7000);  // 0.3 of a processor.
    measure({{JobId{4}, 1}, 1}, 1000, 100, 1000);  // Once: no rate yet.
  }
};

TEST_F(Metrics, CountWhatHappened) {
  live_a_little();
  // The last thing that comes by itself.
  ASSERT_TRUE(live_tests::eventually([&] {
    const std::string beats = value(R"(duet_messages_received_total{message="heartbeat"})");
    return !beats.empty() && std::stod(beats) > 0;
  }));
  const std::string all = text();
  const std::vector<std::pair<std::string, std::string>> expected = {
      {R"(orchestrator_jobs_total{status="completed"})", "1"},
      {R"(orchestrator_jobs_total{status="failed"})", "1"},
      {R"(orchestrator_jobs_total{status="cancelled"})", "1"},
      {"orchestrator_tasks_queued", "1"},
      {"orchestrator_active_workers", "0"},
      {"orchestrator_job_duration_seconds_count", "3"},
      {R"(orchestrator_job_duration_seconds_bucket{le="+Inf"})", "3"},
      {"orchestrator_task_retry_count", "1"},
      {R"(duet_restarts_total{kind="rigid"})", "1"},
      {"duet_placements_total", "6"},
      {R"(duet_attempts_ended_total{outcome="succeeded"})", "1"},
      {R"(duet_attempts_ended_total{outcome="failed"})", "2"},
      {R"(duet_attempts_ended_total{outcome="killed"})", "1"},
      {"duet_task_run_seconds_count", "4"},
      {"duet_task_wait_seconds_count", "6"},
      {"duet_task_launch_seconds_count", "6"},
      {R"(duet_jobs{state="running"})", "1"},
      {R"(duet_jobs{state="pending"})", "1"},
      {R"(duet_tasks{state="running"})", "2"},
      {R"(duet_nodes{state="ready"})", "1"},
      {R"(duet_node_cpu_cores{kind="capacity",node="n1"})", "2"},
      {R"(duet_node_cpu_cores{kind="allocated",node="n1"})", "0.8"},
      {R"(duet_node_cpu_cores{kind="measured",node="n1"})", "0.3"},
      {R"(duet_node_memory_bytes{kind="measured",node="n1"})", "8000"},
      {R"(duet_service_replicas{kind="running",service="web"})", "2"},
      {R"(duet_service_cpu_cores{kind="requested",service="web"})", "0.4"},
      {R"(duet_service_cpu_cores{kind="measured",service="web"})", "0.3"},
      {R"(duet_service_cpu_error_ratio{service="web"})", "0.25"},
      {R"(duet_requests_total{request="submit",result="accepted"})", "5"},
      {R"(duet_requests_total{request="cancel",result="accepted"})", "1"},
      {R"(duet_requests_total{request="cancel",result="refused"})", "1"},
      {R"(duet_messages_received_total{message="register"})", "1"},
      {R"(duet_messages_sent_total{message="launch"})", "6"},
      {R"(duet_messages_sent_total{message="kill"})", "1"},
      {R"(duet_commits_total{result="failed"})", "0"},
      {R"(duet_http_requests_total{code="201",method="POST",route="/api/v1/jobs"})", "5"},
      {R"(duet_http_requests_total{code="409",method="DELETE",route="/api/v1/jobs/{id}"})", "1"},
      {"duet_store_working", "1"},
      {"duet_agents_connected", "1"},
  };
  for (const auto& [series, wanted] : expected) {
    const std::string is = value(all, series);
    EXPECT_TRUE(is == wanted || (!is.empty() && std::abs(std::stod(is) - std::stod(wanted)) < 1e-9))
        << series << " is " << is << ", not " << wanted;
  }
  EXPECT_GT(std::stod(value(all, R"(duet_agent_bytes_total{direction="in"})")), 100);
  EXPECT_GT(std::stod(value(all, "duet_commit_seconds_count")), 4);
  EXPECT_EQ(json::parse(get("/api/v1/nodes").body)[0]["in_use"]["cpu_m"], 300);
  EXPECT_EQ(shown("/api/v1/tasks/4.0")["cpu_in_use_m"], 300);
}

TEST_F(Metrics, MadeUpPathsMakeNoSeries) {
  for (const char* path : {"/a", "/b", "/api/v1/jobs/77", "/api/v1/jobs/78"}) client().get(path);
  const std::string all = text();
  EXPECT_EQ(value(all, R"(duet_http_requests_total{code="404",method="none",route="none"})"), "2");
  EXPECT_EQ(value(all, R"(duet_http_requests_total{code="404",method="GET",route="/api/v1/jobs/{id}"})"),
            "2");
}

TEST_F(Metrics, AStoreThatFailsIsSeen) {
  add_nodes(1);
  on_thread([&] { store_.failing = true; });
  EXPECT_EQ(post("/api/v1/jobs", R"({"name":"a","command":["x"]})").status, 503U);
  const std::string all = text();
  EXPECT_EQ(value(all, R"(duet_commits_total{result="failed"})"), "1");
  EXPECT_EQ(value(all, "duet_store_working"), "0");
}

TEST_F(Metrics, ANodeThatFallsSilentIsCounted) {
  add_nodes(1);
  on_thread([&] { agents_.clear(); });
  EXPECT_TRUE(eventually(
      [&] { return controller_->driver.machine().cluster().node(NodeId{0}).state == NodeState::kDown; }));
  const std::string all = text();
  EXPECT_EQ(value(all, "duet_suspicions_total"), "1");
  EXPECT_EQ(value(all, "duet_nodes_lost_total"), "1");
  EXPECT_EQ(value(all, R"(duet_nodes{state="down"})"), "1");
  EXPECT_EQ(value(all, "duet_agents_connected"), "0");
}

TEST_F(Metrics, EveryNameOfTheTableIsShown) {
  live_a_little();
  const std::string all = text();
  // What this cluster has not: an estimator that predicts, and a recorder.
  const std::set<std::string_view> not_here = {"duet_estimate_error_ratio", "duet_recorder_bytes",
                                               "duet_recorder_waiting_bytes"};
  for (const live::MetricEntry& entry : live::metric_table()) {
    const std::string line = "\n# TYPE " + std::string(entry.name) + " ";
    EXPECT_EQ(("\n" + all).find(line) == std::string::npos, not_here.contains(entry.name)) << entry.name;
    EXPECT_TRUE(entry.help.ends_with('.')) << entry.name;
    // The labels of the table are those that are written.
    const std::size_t at = all.find("\n" + std::string(entry.name) + "{");
    if (entry.kind != live::MetricEntry::Kind::kGauge || at == std::string::npos) continue;
    std::set<std::string> labels;
    const std::string series = all.substr(at, all.find('}', at) - at);
    const std::regex label("([a-z]+)=\"");
    for (std::sregex_iterator i(series.begin(), series.end(), label), end; i != end; ++i)
      labels.insert((*i)[1]);
    std::set<std::string> told;
    std::istringstream words{std::string(entry.labels)};
    for (std::string word; words >> word;) told.insert(word.substr(0, word.find(',')));
    EXPECT_EQ(labels, told) << entry.name;
  }
}

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(MetricsDashboard, AllItsMetricsExist) {
  const json dashboard = json::parse(read_text(std::string(DUET_SOURCE_DIR) + "/docs/grafana/duet.json"));
  std::set<std::string> names;
  for (const live::MetricEntry& entry : live::metric_table()) {
    const std::string name(entry.name);
    const bool histogram = entry.kind == live::MetricEntry::Kind::kHistogram;
    const bool summed = histogram || entry.kind == live::MetricEntry::Kind::kSummary;
    if (!summed) names.insert(name);
    if (summed) {
      names.insert(name + "_count");
      names.insert(name + "_sum");
    }
    if (histogram) names.insert(name + "_bucket");
  }
  const std::regex metric("\\b(duet|orchestrator|process)_[a-z_]+");
  std::size_t found = 0;
  for (const json& panel : dashboard["panels"]) {
    for (const json& target : panel.value("targets", json::array())) {
      const std::string expression = target["expr"];
      for (std::sregex_iterator i(expression.begin(), expression.end(), metric), end; i != end; ++i, ++found)
        EXPECT_TRUE(names.contains(i->str())) << panel["title"] << ": " << i->str();
      EXPECT_EQ(target["datasource"]["uid"], "${datasource}");
    }
  }
  EXPECT_GT(found, 60U);
  // What makes an import fail: a data source of its author's.
  EXPECT_THAT(dashboard.dump(), testing::Not(HasSubstr("DS_PROMETHEUS")));
  EXPECT_TRUE(dashboard["id"].is_null());
  EXPECT_EQ(dashboard["templating"]["list"][0]["type"], "datasource");
  EXPECT_EQ(dashboard["templating"]["list"][0]["name"], "datasource");
}

bool there_is(const std::string& program) { return program_tests::shell("command -v " + program).code == 0; }

TEST_F(Metrics, PromtoolHasNoObjection) {
  if (!there_is("promtool")) GTEST_SKIP() << "there is no promtool (Debian: prometheus)";
  live_a_little();
  const program_tests::Folder folder;
  program_tests::write(folder / "metrics", text());
  const auto checked =
      program_tests::shell("promtool check metrics < " + (folder / "metrics").string() + " 2>&1");
  EXPECT_EQ(checked.code, 0) << checked.out;
  EXPECT_EQ(checked.out, "");
}

/// A port that was free a moment ago.
std::uint16_t free_port() {
  live::asio::io_context io;
  live::asio::ip::tcp::acceptor acceptor(
      io, live::asio::ip::tcp::endpoint(live::asio::ip::make_address("127.0.0.1"), 0));
  return acceptor.local_endpoint().port();
}

TEST_F(Metrics, APrometheusReadsThem) {
  if (!there_is("prometheus")) GTEST_SKIP() << "there is no prometheus (Debian: prometheus)";
  live_a_little();
  const program_tests::Folder folder;
  const std::string port = std::to_string(free_port());
  program_tests::write(folder / "prometheus.yml",
                       "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\n"
                       "scrape_configs:\n"
                       "  - job_name: duet\n"
                       "    static_configs: [{targets: [\"127.0.0.1:" +
                           std::to_string(port_) + "\"]}]\n");
  live::asio::io_context io;
  const int log = ::open((folder / "log").string().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  auto prometheus = live::ChildProcess::start(
      io,
      {"prometheus", "--config.file=" + (folder / "prometheus.yml").string(),
       "--storage.tsdb.path=" + (folder / "data").string(), "--web.listen-address=127.0.0.1:" + port},
      [](std::int32_t) {}, log);
  ::close(log);
  ASSERT_TRUE(prometheus);
  auto asks = std::move(*http::Client::make("127.0.0.1:" + port));
  const auto query = [&](const std::string& what) -> std::string {
    const http::Reply reply = asks.get("/api/v1/query?query=" + what);
    const json answer = json::parse(reply.body, nullptr, false);
    if (!reply.ok() || !answer.is_object() || answer["data"]["result"].empty()) return "";
    return answer["data"]["result"][0]["value"][1];
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::string completed;
  while (completed.empty() && std::chrono::steady_clock::now() < deadline)
    completed = query("orchestrator_jobs_total%7Bstatus%3D%22completed%22%7D");
  EXPECT_EQ(completed, "1") << read_text((folder / "log").string());
  EXPECT_EQ(query("up%7Bjob%3D%22duet%22%7D"), "1");
  EXPECT_EQ(query("orchestrator_task_retry_count"), "1");
  EXPECT_EQ(query("duet_nodes%7Bstate%3D%22ready%22%7D"), "1");
  EXPECT_EQ(query("orchestrator_job_duration_seconds_bucket%7Ble%3D%22%2BInf%22%7D"), "3");
}

}  // namespace
}  // namespace duet::live_tests
