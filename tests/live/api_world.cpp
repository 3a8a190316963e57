#include "tests/live/api_world.h"

#include <chrono>
#include <future>

#include "live/http/url.h"

namespace duet::live_tests {

using duet::test::CommandedProcesses;
using duet::test::TestAgent;
using duet::test::TestController;

ApiWorld::ApiWorld() {
  controller_ = std::make_unique<TestController>(io_, store_, duet::test::quick_controller());
  live::ApiOptions options;
  options.version = "test";
  options.read_log = [this](const live::LogQuestion& q, std::function<void(Result<live::LogPiece>)> done) {
    const std::uint64_t size = log_.size();
    const std::uint64_t asked = q.from_end ? size - std::min(size, q.from) : std::min(size, q.from);
    const std::uint64_t from = std::max(asked, log_begin_);
    std::string bytes = log_.substr(from, std::min<std::uint64_t>(q.at_most, 3));
    live::asio::post(io_, [done, from, bytes, ended = log_ended_, node = q.node, errors = q.errors] {
      if (node == "n2") return done(Problem{"n2", "the node is not connected", ""});
      done(live::LogPiece{errors ? std::string() : bytes, from, ended});
    });
  };
  options.metrics = [this] {
    return controller_->metrics.text({.driver = &controller_->driver,
                                      .agents = &controller_->agents,
                                      .recorder = nullptr,
                                      .connections = [this] { return server_->connections(); }});
  };
  api_ = std::make_unique<live::Api>(io_, controller_->driver, std::move(options));
  api_->add_to(table_);
  http::ServerOptions serving{.gate = {.token = live::Secret("s3cret")}};
  serving.on_answered = [this](const http::Answered& answered) { controller_->metrics.answered(answered); };
  server_ = std::make_unique<http::Server>(io_, table_, std::move(serving));
  port_ = *server_->listen("127.0.0.1", 0);
  thread_ = std::thread([this] {
    const auto work = live::asio::make_work_guard(io_);
    io_.run();
  });
}

ApiWorld::~ApiWorld() {
  on_thread([this] {
    server_.reset();
    api_.reset();
    agents_.clear();
    controller_.reset();
  });
  io_.stop();
  thread_.join();
}

void ApiWorld::on_thread(const std::function<void()>& what) {
  std::promise<void> done;
  live::asio::post(io_, [&] {
    what();
    done.set_value();
  });
  done.get_future().wait();
}

bool ApiWorld::eventually(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + duet::test::kPatience;
  for (bool is = false; std::chrono::steady_clock::now() < deadline;) {
    on_thread([&] { is = done(); });
    if (is) return true;
  }
  return false;
}

void ApiWorld::add_nodes(std::size_t count) {
  on_thread([&] {
    for (std::size_t i = 1; i <= count; ++i) {
      const std::string name = "n" + std::to_string(i);
      processes_.push_back(std::make_unique<CommandedProcesses>());
      agents_.push_back(std::make_unique<TestAgent>(io_, *processes_.back(), duet::test::quick_agent(name),
                                                    controller_->agents.port(), "the token of all agents"));
      live::AgentFacts facts;
      facts.name = name;
      facts.address = "127.0.0.1";
      facts.pid = 7;
      controller_->driver.view().learn(facts);
    }
  });
  ASSERT_TRUE(eventually([&] {
    const Cluster& cluster = controller_->driver.machine().cluster();
    std::size_t ready = 0;
    for (std::uint32_t i = 0; i < cluster.size(); ++i)
      ready += cluster.node(NodeId{i}).state == NodeState::kReady ? 1 : 0;
    return ready == count;
  }));
}

http::Client ApiWorld::client(http::ClientOptions options) const {
  return std::move(*http::Client::make("127.0.0.1:" + std::to_string(port_), std::move(options)));
}

http::Reply ApiWorld::ask(http::Method method, const std::string& path, const std::string& body,
                          const http::Headers& headers) {
  http::Reply reply = client().send({.method = method, .target = path, .body = body, .headers = headers});
  EXPECT_TRUE(reply.arrived()) << reply.why;
  const std::string type(reply.headers.find("content-type").value_or(""));
  if (!reply.ok()) {
    EXPECT_EQ(type, "application/problem+json") << path;
    EXPECT_EQ(json::parse(reply.body)["status"], reply.status);
    return reply;
  }
  const auto match = table_.match(method, path.substr(0, path.find('?')));
  for (const http::RouteResponse& promised : match.route->responses) {
    if (promised.status != reply.status) continue;
    if (!promised.schema.empty()) {
      const Problems problems = table_.schemas().check(promised.schema, json::parse(reply.body));
      EXPECT_EQ(problems, Problems{}) << reply.body;
    }
    return reply;
  }
  ADD_FAILURE() << path << " promises no " << reply.status;
  return reply;
}

json ApiWorld::shown(const std::string& path) {
  const http::Reply reply = get(path);
  EXPECT_EQ(reply.status, 200U) << path << " " << reply.body;
  return reply.ok() ? json::parse(reply.body) : json();
}

std::uint64_t ApiWorld::submit(const std::string& body) {
  const http::Reply reply = post("/api/v1/jobs", body);
  EXPECT_EQ(reply.status, 201U) << reply.body;
  return reply.ok() ? json::parse(reply.body)["id"].get<std::uint64_t>() : 0;
}

bool ApiWorld::in_state(std::uint64_t job, const std::string& state) {
  const auto deadline = std::chrono::steady_clock::now() + duet::test::kPatience;
  while (std::chrono::steady_clock::now() < deadline)
    if (shown("/api/v1/jobs/" + std::to_string(job))["state"] == state) return true;
  return false;
}

void ApiWorld::end_attempt(AttemptId attempt, int code) {
  on_thread([&] {
    for (std::size_t i = 0; i < processes_.size(); ++i)
      if (processes_[i]->all.contains(attempt)) agents_[i]->runtime.end(attempt, code);
  });
}

std::string ApiWorld::command_of(AttemptId attempt) {
  std::string payload;
  on_thread([&] {
    for (const auto& processes : processes_)
      if (const auto at = processes->all.find(attempt); at != processes->all.end())
        payload = *at->second.order.work.payload;
  });
  return payload;
}

}  // namespace duet::live_tests
