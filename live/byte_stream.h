// The bytes of one connection, as frames and HTTP see them: a socket, or what lies over one. TLS comes in
// here, and nothing above it changes (docs/adr/0012-byte-streams.md).
#pragma once

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <utility>

#include <sys/socket.h>

#include "live/asio.h"

namespace duet::live {

/// All on the thread of its io_context. One read and one write may be under way at a time.
class ByteStream {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  using Error = boost::system::error_code;
  using Done = std::function<void(const Error& error, std::size_t bytes)>;
  using Bytes = std::array<asio::const_buffer, 2>;

  virtual ~ByteStream() = default;
  virtual Socket::executor_type executor() = 0;
  /// At least one byte, or an error. Never calls `done` from within, as the next.
  virtual void read_some(asio::mutable_buffer into, Done done) = 0;
  /// All of them, or an error.
  virtual void write(Bytes all, Done done) = 0;
  /// Nothing more is written: the other side reads to the end.
  virtual Error end_writing() = 0;
  /// Nothing came that was not read, not even the end: what is written now may still be answered. A layer
  /// that cannot tell says no, and the next request has a connection of its own.
  virtual bool at_rest() = 0;
  /// What is under way ends with an error. The stream may be destroyed before that is told.
  virtual void close() = 0;
};

/// Puts itself over connected sockets, of either end. What it must agree on with the other side first (a
/// handshake) is its own affair: what is read and written meanwhile waits, and fails if that fails.
class Layer {
 public:
  virtual ~Layer() = default;
  virtual std::unique_ptr<ByteStream> over(ByteStream::Socket socket) const = 0;
};

/// The socket itself.
class SocketStream final : public ByteStream {
 public:
  explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}

  Socket::executor_type executor() override { return socket_.get_executor(); }
  void read_some(asio::mutable_buffer into, Done done) override {
    socket_.async_receive(into, std::move(done));
  }
  void write(Bytes all, Done done) override { asio::async_write(socket_, all, std::move(done)); }
  Error end_writing() override {
    Error error;
    socket_.shutdown(Socket::shutdown_send, error);
    return error;
  }
  bool at_rest() override {
    char byte = 0;
    const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
  void close() override {
    Error ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

 private:
  Socket socket_;
};

/// `layer` over it, or none if that is null.
inline std::unique_ptr<ByteStream> stream_over(ByteStream::Socket socket,
                                               const std::shared_ptr<const Layer>& layer) {
  if (layer) return layer->over(std::move(socket));
  return std::make_unique<SocketStream>(std::move(socket));
}

}  // namespace duet::live
