// An HTTP/1.1 server on one thread: a table of routes, and limits on whatever a client may do.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "live/asio.h"
#include "live/http/gate.h"
#include "live/http/routes.h"

namespace duet::live {
class Layer;
}

namespace duet::live::http {

struct Limits {
  std::size_t header = 16 * 1024;                ///< Bytes of a request's head; beyond: 431.
  std::size_t body = 1024 * 1024;                ///< Bytes of its body; beyond: 413.
  std::size_t connections = 4096;                ///< Beyond: 503.
  std::size_t per_address = 100;                 ///< Connections of one client address; beyond: 503.
  std::size_t stream_buffer = 1024 * 1024;       ///< Bytes that may wait for a slow reader of a stream.
  std::chrono::milliseconds header_time{5'000};  ///< From a request's first byte to its head's end; then 408.
  std::chrono::milliseconds body_time{10'000};   ///< From there to the end of its body; then 408.
  std::chrono::milliseconds idle_time{60'000};   ///< Between two requests; then the connection is closed.
  std::chrono::milliseconds write_time{
      30'000};  ///< In which a response, or a piece of a stream, must be taken.
  std::chrono::milliseconds linger_time{2'000};  ///< Left to read what a client still sends after an error.
  std::chrono::milliseconds heartbeat{15'000};   ///< Between the comments that keep a stream of events alive.
};

/// What was answered, for logs and metrics.
struct Answered {
  const Route* route = nullptr;  ///< Null: none was found, or the request could not be read.
  std::string_view method;       ///< As sent, likewise the next; empty if unreadable.
  std::string_view path;
  std::string_view peer;
  unsigned status = 0;
  std::chrono::nanoseconds took{0};  ///< From its last byte to its answer.
};

struct ServerOptions {
  Limits limits{};
  GateOptions gate{};
  /// Addresses beyond the loopback are refused without it: nothing here is encrypted.
  bool allow_remote = false;
  std::shared_ptr<const Layer> layer{};                ///< Over each connection; null: none.
  std::function<void(const Answered&)> on_answered{};  ///< May be empty.
  std::function<void(std::string_view)> on_warning{};  ///< What an operator should know: no descriptors left.
};

class Server {
 public:
  /// `io` must be run by one thread and outlive this, `table` must outlive it and change no more.
  Server(asio::io_context& io, const RouteTable& table, ServerOptions options);
  /// Cuts all connections; nothing is called afterwards.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Also listens there; port 0 = any. The port, or what is wrong with the address. `address` is "127.0.0.1",
  /// "::1" or "localhost", or with allow_remote any address of this machine.
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);

  /// Accepts nothing more, closes what is idle and all streams, lets requests that run be answered. `done` is
  /// called when no connection is left, at the latest after `grace`, when those that remain are cut.
  void stop(std::chrono::milliseconds grace, std::function<void()> done);

  std::size_t connections() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace duet::live::http
