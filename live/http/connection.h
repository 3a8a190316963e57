// One connection of a server: reads a request, has it answered, reads the next. Only the server sees this.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "live/asio.h"
#include "live/http/responder.h"
#include "live/http/server.h"
#include "live/byte_stream.h"

namespace duet::live::http {

using Clock = std::chrono::steady_clock;

class Connection;

/// What connections share and what they tell the server.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const ServerOptions& options() const = 0;
  virtual const Gate& gate() const = 0;
  /// "Sun, 06 Nov 1994 08:49:37 GMT"
  virtual std::string_view date() = 0;
  virtual bool stopping() const = 0;
  /// Calls `what` soon, unless the server is destroyed before.
  virtual void soon(std::function<void()> what) = 0;
  /// Its stream is closed. Last call of a connection.
  virtual void closed(Connection& connection) = 0;
};

class Connection : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  /// `host` outlives all but the handlers that find the stream closed.
  static std::shared_ptr<Connection> make(ConnectionHost& host, std::unique_ptr<ByteStream> stream,
                                          std::string peer);
  ~Connection() override = default;

  virtual void start() = 0;
  /// Answers 503 whatever is asked, and closes.
  virtual void refuse(std::string_view why) = 0;
  /// To be called every now and then: acts if something took too long, or a stream needs its comment.
  virtual void look_at_clock(Clock::time_point now) = 0;
  /// The server stops: closes as soon as nothing is owed to the client.
  virtual void wind_down() = 0;
  /// At once. Nothing is called afterwards.
  virtual void cut() = 0;

  const std::string& peer() const { return peer_; }
  /// Whether it was one too many.
  bool refused() const { return refused_; }

 protected:
  explicit Connection(std::string peer) : peer_(std::move(peer)) {}
  bool refused_ = false;

 private:
  std::string peer_;
};

/// How a client learns where the body ends.
enum class Framing : std::uint8_t { kLength, kChunked, kUntilClose };

/// The head of a response with the empty line after it. Header values lose what would end their line.
std::string head_text(const Response& response, std::string_view date, Framing framing, bool close,
                      bool http_1_0);

}  // namespace duet::live::http
