// What a worker answers over HTTP.
#include "live/worker/worker_server.h"

#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "live/http/client.h"
#include "live/http/server.h"

namespace duet::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace http = live::http;

class WorkerServer : public testing::Test {
 protected:
  WorkerServer() {
    worker_.add_to(table_);
    server_.emplace(io_, table_, http::ServerOptions{.gate = {.token = live::Secret("s3cret")}});
    port_ = *server_->listen("127.0.0.1", 0);
    thread_ = std::thread([this] {
      const auto work = live::asio::make_work_guard(io_);
      io_.run();
    });
  }
  ~WorkerServer() override {
    io_.stop();
    thread_.join();
    server_.reset();
  }
  http::Reply ask(http::Method method, const std::string& path, const std::string& body = "",
                  const std::string& token = "s3cret") {
    http::ClientOptions options;
    options.token = live::Secret(token);
    auto client = http::Client::make("127.0.0.1:" + std::to_string(port_), std::move(options));
    http::Client::Ask what{method, path, body, {}};
    return client->send(what);
  }
  http::Reply execute(const json& body) { return ask(http::Method::kPost, "/operations", body.dump()); }
  std::size_t running() {
    std::promise<std::size_t> count;
    live::asio::post(io_, [&] { count.set_value(worker_.running()); });
    return count.get_future().get();
  }
  void until_running(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (running() != count && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ASSERT_EQ(running(), count);
  }

  live::asio::io_context io_{1};
  live::worker::WorkerServer worker_{io_, 2};
  http::RouteTable table_;
  std::optional<http::Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(WorkerServer, ExecutesOperations) {
  const http::Reply reply = execute({{"id", "a"}, {"operation", "primes"}, {"data", {{"limit", 100}}}});
  EXPECT_EQ(reply.status, 200U) << reply.body;
  EXPECT_EQ(json::parse(reply.body)["result"], 25);
  EXPECT_GE(json::parse(reply.body)["took_s"], 0.0);
  EXPECT_EQ(ask(http::Method::kGet, "/health", "", "").body, "OK");
  EXPECT_THAT(ask(http::Method::kGet, "/operations", "", "").body, HasSubstr(R"("name":"monte_carlo_pi")"));
  EXPECT_TRUE(table_.mistakes().empty());
}

TEST_F(WorkerServer, RefusesWhatIsMistaken) {
  const http::Reply mistaken = execute({{"id", "a"}, {"operation", "primes"}, {"data", {{"limit", 0}}}});
  EXPECT_EQ(mistaken.status, 400U);
  EXPECT_THAT(mistaken.body, HasSubstr(R"("pointer":"/data/limit")"));
  EXPECT_EQ(execute({{"id", "a"}, {"operation", "nothing"}}).status, 400U);
  EXPECT_EQ(execute({{"operation", "primes"}}).status, 400U);
  EXPECT_EQ(ask(http::Method::kPost, "/operations", "{}", "another").status, 401U);
  EXPECT_EQ(ask(http::Method::kDelete, "/operations/a", "", "another").status, 401U);
  EXPECT_EQ(ask(http::Method::kDelete, "/operations/a").status, 404U);
}

TEST_F(WorkerServer, CancelsWhatRunsAndWhatSleeps) {
  const json pi = {
      {"id", "7.0#1"}, {"operation", "monte_carlo_pi"}, {"data", {{"iterations", 10'000'000'000}}}};
  const json sleep = {{"id", "8.0#1"}, {"operation", "sleep"}, {"data", {{"seconds", 1000}}}};
  auto running_pi = std::async(std::launch::async, [&] { return execute(pi); });
  auto running_sleep = std::async(std::launch::async, [&] { return execute(sleep); });
  until_running(2);
  EXPECT_EQ(execute(pi).status, 409U);
  EXPECT_EQ(ask(http::Method::kDelete, "/operations/7.0%231").status, 202U);
  EXPECT_EQ(ask(http::Method::kDelete, "/operations/8.0%231").status, 202U);
  EXPECT_EQ(running_pi.get().status, 409U);
  EXPECT_EQ(running_sleep.get().status, 409U);
  EXPECT_EQ(running(), 0U);
}

}  // namespace
}  // namespace duet::test
