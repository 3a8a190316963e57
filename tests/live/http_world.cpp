#include "tests/live/http_world.h"

#include <chrono>
#include <future>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace duet::live_tests {

bool eventually(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

RawSocket::RawSocket(std::uint16_t port, const std::string& from, int receive_bytes)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (receive_bytes > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (!from.empty()) {
    ::inet_pton(AF_INET, from.c_str(), &address.sin_addr);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

RawSocket::~RawSocket() { close(); }

void RawSocket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool RawSocket::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string RawSocket::read(std::string_view enough) {
  std::string all;
  char piece[4096];
  for (;;) {
    const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
    if (got <= 0) return all;
    all.append(piece, static_cast<std::size_t>(got));
    if (!enough.empty() && all.find(enough) != std::string::npos) return all;
  }
}

bool RawSocket::at_end() {
  char byte = 0;
  return ::recv(fd_, &byte, 1, 0) == 0;
}

void RawSocket::finish_sending() { ::shutdown(fd_, SHUT_WR); }

std::string raw(std::uint16_t port, std::string_view text) {
  RawSocket socket(port);
  socket.send(text);
  return socket.read();
}

std::string request(const std::string& method, const std::string& path, const std::string& body,
                    const std::string& more_headers) {
  std::string text =
      method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more_headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

HttpWorld::HttpWorld(http::ServerOptions options) : options_(std::move(options)) {}

HttpWorld::~HttpWorld() {
  if (thread_.joinable()) {
    on_thread([this] {
      waiting.clear();
      streams.clear();
      server_.reset();
    });
    io_.stop();
    thread_.join();
  }
}

void HttpWorld::start() {
  server_ = std::make_unique<http::Server>(io_, table, options_);
  const auto port = server_->listen("127.0.0.1", 0);
  ASSERT_TRUE(port) << port.problems()[0].what;
  port_ = *port;
  thread_ = std::thread([this] {
    const auto work = live::asio::make_work_guard(io_);
    io_.run();
  });
}

http::Client HttpWorld::client(http::ClientOptions options) const {
  auto made = http::Client::make(url(), std::move(options));
  return std::move(*made);
}

void HttpWorld::on_thread(const std::function<void()>& what) {
  std::promise<void> done;
  live::asio::post(io_, [&] {
    what();
    done.set_value();
  });
  done.get_future().wait();
}

std::size_t HttpWorld::connections() {
  std::size_t count = 0;
  on_thread([&] { count = server_->connections(); });
  return count;
}

std::size_t HttpWorld::waiters() {
  std::size_t count = 0;
  on_thread([&] { count = waiting.size(); });
  return count;
}

std::size_t HttpWorld::closed() {
  std::size_t count = 0;
  on_thread([&] { count = closed_streams; });
  return count;
}

void HttpWorld::add_routes() {
  table.schemas().add("Message", R"({"type":"object","required":["text"],"additionalProperties":false,
    "properties":{"text":{"type":"string","minLength":1,"maxLength":1000},
                  "times":{"type":"integer","minimum":1,"maximum":9},
                  "kind":{"type":"string","enum":["loud","quiet"]},
                  "tags":{"type":"array","maxItems":2,"items":{"type":"string","pattern":"^[a-z]+$"}}}})");
  table.add({.path = "/hello",
             .operation_id = "hello",
             .summary = "A greeting.",
             .needs_token = false,
             .query = {{.name = "limit",
                        .description = "How many.",
                        .schema = R"({"type":"integer","minimum":1})"}},
             .responses = {{.status = 200, .description = "The greeting.", .content_type = "text/plain"}},
             .handler = [](const http::Request& r, const http::Responder& respond) {
               respond(http::text_response("hello " + std::string(r.query_value("limit").value_or("all"))));
             }});
  table.add({.method = http::Method::kPost,
             .path = "/echo",
             .operation_id = "echo",
             .summary = "Says it again.",
             .needs_token = false,
             .request = "Message",
             .responses = {{.status = 200, .description = "The same.", .schema = "Message"}},
             .handler = [](const http::Request& r, const http::Responder& respond) {
               respond(http::json_response(r.document->dump()));
             }});
  table.add({.path = "/items/{id}",
             .operation_id = "getItem",
             .summary = "One item.",
             .needs_token = false,
             .responses = {{.status = 200, .description = "The item."}},
             .handler = [](const http::Request& r, const http::Responder& respond) {
               respond(http::text_response(std::string(r.parameter("id"))));
             }});
  table.add({.method = http::Method::kPost,
             .path = "/secret",
             .operation_id = "tellSecret",
             .summary = "Needs a token.",
             .responses = {{.status = 204, .description = "Done."}},
             .handler = [](const http::Request&, const http::Responder& respond) {
               respond(http::empty_response());
             }});
  table.add({.path = "/later",
             .operation_id = "later",
             .summary = "Answered when the test says so.",
             .needs_token = false,
             .responses = {{.status = 200, .description = "At last."}},
             .handler = [this](const http::Request&, const http::Responder& respond) {
               waiting.push_back(respond);
             }});
  table.add({.path = "/events",
             .operation_id = "events",
             .summary = "A stream.",
             .needs_token = false,
             .responses = {{.status = 200, .description = "Events.", .content_type = "text/event-stream"}},
             .handler = [this](const http::Request&, const http::Responder& respond) {
               streams.push_back(respond.events());
               streams.back().on_closed([this] { ++closed_streams; });
             }});
}

}  // namespace duet::live_tests
