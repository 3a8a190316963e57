// The balancer with real connections: who gets which, who is passed over, what arrives, and what ends when.
#include "live/balancer/balancer.h"

#include <array>
#include <functional>
#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace duet::test {
namespace {

using live::Backend;
using live::Balancer;
namespace asio = live::asio;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

/// A replica that tells its name at once, sends back what it gets, and its end after the client's.
class EchoReplica {
 public:
  EchoReplica(asio::io_context& io, std::string name)
      : io_(io), name_(std::move(name)), acceptor_(io, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    at_ = acceptor_.local_endpoint();
    accept();
  }
  Backend at() const { return at_; }
  void close() { acceptor_.close(); }
  void drop_all() { connections_.clear(); }

 private:
  struct Connection {
    explicit Connection(Tcp::socket from) : socket(std::move(from)) {}
    Tcp::socket socket;
    std::array<char, 4096> bytes{};
  };

  void accept() {
    acceptor_.async_accept([this](const error_code& error, Tcp::socket socket) {
      if (error) return;
      auto connection = std::make_shared<Connection>(std::move(socket));
      connections_.push_back(connection);
      asio::async_write(connection->socket, asio::buffer(name_),
                        [this, connection](const error_code& failed, std::size_t) {
                          if (!failed) echo(connection);
                        });
      accept();
    });
  }
  void echo(const std::shared_ptr<Connection>& connection) {
    connection->socket.async_read_some(
        asio::buffer(connection->bytes), [this, connection](const error_code& error, std::size_t count) {
          if (error) {
            // All of it came back; the last word comes after the client's end.
            error_code ignored;
            asio::write(connection->socket, asio::buffer(std::string("bye")), ignored);
            connection->socket.close(ignored);
            return;
          }
          asio::async_write(connection->socket, asio::buffer(connection->bytes, count),
                            [this, connection](const error_code& failed, std::size_t) {
                              if (!failed) echo(connection);
                            });
        });
  }

  asio::io_context& io_;
  std::string name_;
  Tcp::acceptor acceptor_;
  Backend at_;
  std::vector<std::shared_ptr<Connection>> connections_;
};

/// Until `text` is full, or no more comes.
void read_all(Tcp::socket& socket, std::string& text, std::size_t at,
              const std::function<void(std::size_t)>& done) {
  socket.async_read_some(asio::buffer(text.data() + at, text.size() - at),
                         [&socket, &text, at, done](const error_code& error, std::size_t count) {
                           if (error || at + count == text.size()) return done(at + count);
                           read_all(socket, text, at + count, done);
                         });
}

class BalancerTest : public testing::Test {
 protected:
  void listen(Balancer::Options options = {}) {
    balancer_.emplace(io_, options, [this] { return ready_; });
    const auto port = balancer_->listen();
    ASSERT_TRUE(port);
    there_ = Tcp::endpoint(asio::ip::address_v4::loopback(), *port);
  }
  bool wait(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds() && std::chrono::steady_clock::now() < deadline)
      io_.run_one_for(std::chrono::milliseconds(20));
    return holds();
  }
  /// A connection that was made.
  std::shared_ptr<Tcp::socket> connect() {
    auto socket = std::make_shared<Tcp::socket>(io_);
    bool done = false;
    socket->async_connect(there_, [&](const error_code& error) { done = !error; });
    EXPECT_TRUE(wait([&] { return done; }));
    return socket;
  }
  /// So many bytes; fewer if it ends before.
  std::string read(Tcp::socket& socket, std::size_t count) {
    std::string text(count, '\0');
    std::optional<std::size_t> got;
    read_all(socket, text, 0, [&](std::size_t bytes) { got = bytes; });
    EXPECT_TRUE(wait([&] { return got.has_value(); }));
    text.resize(got.value_or(0));
    return text;
  }
  std::string who(Tcp::socket& socket) { return read(socket, 1); }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> busy_{io_.get_executor()};
  std::vector<Backend> ready_;
  std::optional<Balancer> balancer_;
  Tcp::endpoint there_;
};

TEST_F(BalancerTest, EachInTurnWhileAllHaveAsManyThenWhoHasFewest) {
  EchoReplica a(io_, "a");
  EchoReplica b(io_, "b");
  EchoReplica c(io_, "c");
  ready_ = {a.at(), b.at(), c.at()};
  listen();
  std::map<std::string, std::vector<std::shared_ptr<Tcp::socket>>> by_name;
  for (int i = 0; i < 9; ++i) {
    auto socket = connect();
    by_name[who(*socket)].push_back(socket);
  }
  EXPECT_EQ(by_name["a"].size(), 3);
  EXPECT_EQ(by_name["b"].size(), 3);
  EXPECT_EQ(by_name["c"].size(), 3);
  // Whose connections end gets the next ones.
  by_name["b"].clear();
  ASSERT_TRUE(wait([&] { return balancer_->open() == 6; }));
  for (int i = 0; i < 3; ++i) {
    auto socket = connect();
    const std::string name = who(*socket);
    EXPECT_EQ(name, "b");
    by_name[name].push_back(socket);
  }
  EXPECT_EQ(balancer_->served(), 12);
}

TEST_F(BalancerTest, OneThatCannotBeReachedIsPassedOver) {
  EchoReplica dead(io_, "x");
  EchoReplica alive(io_, "a");
  dead.close();
  ready_ = {dead.at(), alive.at()};
  listen();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(who(*connect()), "a");
  EXPECT_EQ(balancer_->refused(), 0);
}

TEST_F(BalancerTest, WithoutAReplicaConnectionsAreClosed) {
  EchoReplica dead(io_, "x");
  dead.close();
  listen();
  EXPECT_EQ(read(*connect(), 1), "");
  ready_ = {dead.at()};
  EXPECT_EQ(read(*connect(), 1), "");
  EXPECT_TRUE(wait([&] { return balancer_->refused() == 2 && balancer_->open() == 0; }));
}

TEST_F(BalancerTest, WhatIsRemovedKeepsItsConnectionsAndGetsNoMore) {
  EchoReplica a(io_, "a");
  EchoReplica b(io_, "b");
  ready_ = {a.at()};
  listen();
  const auto old = connect();
  EXPECT_EQ(who(*old), "a");
  ready_ = {b.at()};
  EXPECT_EQ(who(*connect()), "b");
  EXPECT_EQ(who(*connect()), "b");
  asio::write(*old, asio::buffer(std::string("still")));
  EXPECT_EQ(read(*old, 5), "still");
}

TEST_F(BalancerTest, AnEndInOneDirectionLeavesTheOtherOpenAndNothingGetsLost) {
  EchoReplica a(io_, "a");
  ready_ = {a.at()};
  listen();
  const auto socket = connect();
  EXPECT_EQ(who(*socket), "a");
  std::string much(3'000'000, 'z');
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>('a' + i % 23);
  bool sent = false;
  asio::async_write(*socket, asio::buffer(much), [&](const error_code& error, std::size_t) {
    sent = !error;
    socket->shutdown(Tcp::socket::shutdown_send);
  });
  const std::string back = read(*socket, much.size() + 3);
  EXPECT_TRUE(sent);
  EXPECT_TRUE(back == much + "bye") << back.size();
  EXPECT_TRUE(wait([&] { return balancer_->open() == 0; }));
}

TEST_F(BalancerTest, WhoComesAtTheLimitWaits) {
  EchoReplica a(io_, "a");
  ready_ = {a.at()};
  Balancer::Options options;
  options.connections = 2;
  listen(options);
  auto first = connect();
  auto second = connect();
  EXPECT_EQ(who(*first) + who(*second), "aa");
  const auto third = connect();  // In the system's queue.
  std::string name(1, '\0');
  bool told = false;
  read_all(*third, name, 0, [&](std::size_t bytes) { told = bytes == 1; });
  for (int i = 0; i < 3; ++i) io_.run_one_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(told);
  EXPECT_EQ(balancer_->open(), 2);
  first->close();
  EXPECT_TRUE(wait([&] { return told; }));
}

TEST_F(BalancerTest, AReplicaThatDiesEndsItsConnections) {
  EchoReplica a(io_, "a");
  ready_ = {a.at()};
  listen();
  const auto socket = connect();
  EXPECT_EQ(who(*socket), "a");
  balancer_.reset();
  EXPECT_EQ(read(*socket, 1), "");
}

TEST_F(BalancerTest, APortThatIsTakenIsAProblem) {
  const Tcp::acceptor taken(io_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  Balancer::Options options;
  options.port = taken.local_endpoint().port();
  Balancer balancer(io_, options, [] { return std::vector<Backend>(); });
  const auto port = balancer.listen();
  ASSERT_FALSE(port);
  EXPECT_EQ(port.problems().front().right, "a port that is free");
}

}  // namespace
}  // namespace duet::test
