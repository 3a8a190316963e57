// A controller with agents and its HTTP interface, on a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "live/api/api.h"
#include "live/http/client.h"
#include "live/http/server.h"
#include "tests/live/test_cluster.h"

namespace duet::live_tests {

namespace http = live::http;
using nlohmann::json;

class ApiWorld : public testing::Test {
 protected:
  ApiWorld();
  ~ApiWorld() override;

  /// Nodes n1, n2, ... of 2000 m and 1024 MiB, ready.
  void add_nodes(std::size_t count);
  void on_thread(const std::function<void()>& what);
  bool eventually(const std::function<bool()>& done);

  http::Client client(http::ClientOptions options = {.token = live::Secret("s3cret")}) const;
  /// A request with the token. Its answer must be one that the table of routes promises; problems too.
  http::Reply ask(http::Method method, const std::string& path, const std::string& body = "",
                  const http::Headers& headers = {});
  http::Reply get(const std::string& path) { return ask(http::Method::kGet, path); }
  http::Reply post(const std::string& path, const std::string& body) {
    return ask(http::Method::kPost, path, body);
  }
  http::Reply put(const std::string& path, const std::string& body) {
    return ask(http::Method::kPut, path, body);
  }
  http::Reply remove(const std::string& path) { return ask(http::Method::kDelete, path); }
  /// The body of a GET that must succeed.
  json shown(const std::string& path);
  /// The id of a job that must be accepted.
  std::uint64_t submit(const std::string& body);
  bool in_state(std::uint64_t job, const std::string& state);
  /// Ends the attempt of a task that runs on one of the nodes.
  void end_attempt(AttemptId attempt, int code);
  std::string command_of(AttemptId attempt);

  live::asio::io_context io_{1};
  duet::test::CommandedStore store_{io_};
  std::vector<std::unique_ptr<duet::test::CommandedProcesses>> processes_;
  std::unique_ptr<duet::test::TestController> controller_;
  std::vector<std::unique_ptr<duet::test::TestAgent>> agents_;
  std::unique_ptr<live::Api> api_;
  http::RouteTable table_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  std::string log_ = "one\ntwo\n";  ///< What every attempt is said to have written.
  std::uint64_t log_begin_ = 0;     ///< Of what is kept of it.
  bool log_ended_ = true;
  std::thread thread_;
};

}  // namespace duet::live_tests
