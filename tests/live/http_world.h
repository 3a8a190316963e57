// A server with a few routes on a thread of its own, and sockets that say to it whatever a test likes.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "live/http/client.h"
#include "live/http/server.h"

namespace duet::live_tests {

namespace http = live::http;

/// Waits until `done` is true; false after ten seconds.
bool eventually(const std::function<bool()>& done);

/// A connection without manners: nothing is added, nothing understood.
class RawSocket {
 public:
  /// From another address of the loopback if `from` is given. `receive_bytes` > 0 makes its buffer that
  /// small.
  explicit RawSocket(std::uint16_t port, const std::string& from = "", int receive_bytes = 0);
  ~RawSocket();
  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  bool send(std::string_view text);
  /// Until the other side closes, `enough` occurs, or five seconds pass.
  std::string read(std::string_view enough = "");
  bool at_end();  ///< Waits for the other side to close.
  void finish_sending();
  void close();

 private:
  int fd_ = -1;
};

/// One request on a connection of its own, and all that comes back.
std::string raw(std::uint16_t port, std::string_view text);
/// "GET PATH" with what every request needs, closing.
std::string request(const std::string& method, const std::string& path, const std::string& body = "",
                    const std::string& more_headers = "");

class HttpWorld {
 public:
  explicit HttpWorld(http::ServerOptions options = {});
  ~HttpWorld();

  http::RouteTable table;
  /// To be called once, after the routes were added.
  void start();
  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  http::Client client(http::ClientOptions options = {}) const;
  /// Runs it on the server's thread and waits.
  void on_thread(const std::function<void()>& what);
  http::Server& server() { return *server_; }
  std::size_t connections();
  std::size_t waiters();
  std::size_t closed();  ///< Streams that their clients closed.

  /// GET /hello, POST /echo (schema Message), GET /events, GET /items/{id}, POST /secret with a token,
  /// GET /later: kept in `waiting`.
  void add_routes();
  std::vector<http::Responder> waiting;
  std::vector<http::Stream> streams;
  std::size_t closed_streams = 0;

 private:
  live::asio::io_context io_{1};
  http::ServerOptions options_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace duet::live_tests
