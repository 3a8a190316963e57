// Requests a second over K kept connections, and two servers to compare with:
//   http_rate load HOST:PORT METHOD TARGET BODY TOKEN K SECONDS
//   http_rate canned BYTES      answers every request with so many bytes, without reading it: what Asio alone
//   can do http_rate append FILE       the project's own server with one route, POST /, which appends the
//   body to FILE and
//                               answers when it is on the disk, many together
// Servers print their port and run until they are ended.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "live/asio.h"
#include "live/http/server.h"
#include "live/serial_thread.h"

namespace {

using namespace duet::live;
using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

constexpr std::size_t kBuffer = 64 * 1024;

/// Where a message's head ends, or 0.
std::size_t end_of_head(std::string_view text) {
  const auto at = text.find("\r\n\r\n");
  return at == std::string_view::npos ? 0 : at + 4;
}

class LoadConnection {
 public:
  LoadConnection(asio::io_context& io, const Tcp::endpoint& to, const std::string& request, long& done)
      : socket_(io), request_(request), done_(done), in_(kBuffer, '\0') {
    socket_.connect(to);
    socket_.set_option(Tcp::no_delay(true));
    send();
  }

 private:
  void send() {
    asio::async_write(socket_, asio::buffer(request_), [this](Error error, std::size_t) {
      if (!error) receive();
    });
  }
  void receive() {
    socket_.async_receive(asio::buffer(in_.data() + used_, in_.size() - used_),
                          [this](Error error, std::size_t n) {
                            if (error) return;
                            used_ += n;
                            const std::string_view text(in_.data(), used_);
                            const std::size_t head = end_of_head(text);
                            if (head == 0) return receive();
                            const auto at = text.find("Content-Length: ");
                            const std::size_t body = std::strtoul(text.data() + at + 16, nullptr, 10);
                            if (used_ < head + body) return receive();
                            if (text.substr(9, 1) != "2") {
                              std::fprintf(stderr, "%.*s\n", static_cast<int>(used_), in_.data());
                              std::_Exit(1);
                            }
                            used_ = 0;
                            ++done_;
                            send();
                          });
  }

  Tcp::socket socket_;
  const std::string& request_;
  long& done_;
  std::string in_;
  std::size_t used_ = 0;
};

int load(char** v) {
  const std::string host = v[2];
  const auto colon = host.rfind(':');
  const std::string body = v[5];
  std::string request = std::string(v[3]) + " " + v[4] + " HTTP/1.1\r\nHost: " + host + "\r\n";
  if (*v[6] != '\0') request += "Authorization: Bearer " + std::string(v[6]) + "\r\n";
  if (!body.empty())
    request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  request += "\r\n" + body;
  asio::io_context io(1);
  const Tcp::endpoint to(asio::ip::make_address(host.substr(0, colon)),
                         static_cast<std::uint16_t>(std::atoi(host.c_str() + colon + 1)));
  long done = 0;
  std::vector<std::unique_ptr<LoadConnection>> connections;
  for (int i = std::atoi(v[7]); i > 0; --i)
    connections.push_back(std::make_unique<LoadConnection>(io, to, request, done));
  const auto begin = std::chrono::steady_clock::now();
  io.run_for(std::chrono::milliseconds(static_cast<long>(std::atof(v[8]) * 1000)));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%.0f requests/s\n", static_cast<double>(done) / seconds);
  return done > 0 ? 0 : 1;
}

void say_port(unsigned port) {
  std::printf("%u\n", port);
  std::fflush(stdout);
}

class CannedConnection : public std::enable_shared_from_this<CannedConnection> {
 public:
  CannedConnection(Tcp::socket socket, const std::string& answer)
      : socket_(std::move(socket)), answer_(answer), in_(kBuffer, '\0') {
    socket_.set_option(Tcp::no_delay(true));
  }
  void read() {
    socket_.async_receive(asio::buffer(in_), [self = shared_from_this()](Error error, std::size_t n) {
      if (error) return;
      if (!std::string_view(self->in_.data(), n).ends_with("\r\n\r\n")) return self->read();
      asio::async_write(self->socket_, asio::buffer(self->answer_), [self](Error failed, std::size_t) {
        if (!failed) self->read();
      });
    });
  }

 private:
  Tcp::socket socket_;
  const std::string& answer_;
  std::string in_;
};

int canned(const char* bytes) {
  const std::string body(std::strtoul(bytes, nullptr, 10), 'x');
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  asio::io_context io(1);
  Tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  std::function<void()> accept = [&] {
    acceptor.async_accept([&](Error error, Tcp::socket socket) {
      if (!error) std::make_shared<CannedConnection>(std::move(socket), answer)->read();
      accept();
    });
  };
  accept();
  say_port(acceptor.local_endpoint().port());
  io.run();
  return 0;
}

int append(const char* path) {
  struct Waiting {
    std::string bodies;
    std::vector<http::Responder> clients;
  };
  asio::io_context io(1);
  const asio::executor_work_guard<asio::io_context::executor_type> busy(io.get_executor());
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return 1;
  auto waiting = std::make_shared<Waiting>();
  bool writing = false;
  SerialThread disk;
  std::function<void()> commit = [&] {
    if (writing || waiting->clients.empty()) return;
    writing = true;
    disk.post([&, batch = std::exchange(waiting, std::make_shared<Waiting>())] {
      const bool kept = ::write(file, batch->bodies.data(), batch->bodies.size()) ==
                            static_cast<ssize_t>(batch->bodies.size()) &&
                        fdatasync(file) == 0;
      asio::post(io, [&, batch, kept] {
        writing = false;
        for (const http::Responder& client : batch->clients)
          client(http::json_response(R"({"id":1})", kept ? 201 : 503));
        commit();
      });
    });
  };
  http::RouteTable table;
  table.schemas().add("Any", R"({"type": "object"})");
  table.add({.method = http::Method::kPost,
             .path = "/",
             .operation_id = "append",
             .summary = "Appends.",
             .needs_token = false,
             .request = "Any",
             .responses = {{.status = 201, .description = "It is on the disk."}},
             .handler = [&](const http::Request& request, const http::Responder& respond) {
               waiting->bodies += request.body;
               waiting->clients.push_back(respond);
               commit();
             }});
  http::Server server(io, table, {});
  const auto port = server.listen("127.0.0.1", 0);
  if (!port) return 1;
  say_port(*port);
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "load" && argc == 9) return load(argv);
  if (what == "canned" && argc == 3) return canned(argv[2]);
  if (what == "append" && argc == 3) return append(argv[2]);
  std::fprintf(stderr, "http_rate load|canned|append ...: see bench/live/http_rate.cpp\n");
  return 2;
}
