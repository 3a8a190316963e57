// A stream that carries whole frames: their length in 4 bytes, little-endian, then so many bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/codec/bytes.h"
#include "core/codec/encode.h"
#include "live/byte_stream.h"

namespace duet::live::wire {

/// One connection. All on the thread of its io_context.
class FramedSocket : public std::enable_shared_from_this<FramedSocket> {
 public:
  using Socket = ByteStream::Socket;

  /// No frame is longer, and no more waits to be sent: beyond it the connection is given up.
  static constexpr std::size_t kLongest = std::size_t{16} << 20;
  static constexpr std::size_t kMostWaiting = std::size_t{64} << 20;

  /// `frame` is called with each frame, `closed` once, with the reason, when no more can come; not after
  /// close().
  struct Hooks {
    std::function<void(std::span<const std::uint8_t>)> frame;
    std::function<void(std::string why)> closed;
  };

  static std::shared_ptr<FramedSocket> make(Socket socket,
                                            const std::shared_ptr<const Layer>& layer = nullptr) {
    return std::shared_ptr<FramedSocket>(new FramedSocket(stream_over(std::move(socket), layer)));
  }
  void start(Hooks hooks);

  template <class T>
  void send(const T& value) {
    codec::Encoder encoder(begin_frame());
    encoder.put(value);
    encoder.finish();
    end_frame();
  }
  /// Ends the connection when what was sent has left; nothing is received any more.
  void finish();
  /// Ends it now. No hook is called any more.
  void close();
  /// Bytes so far, heads of frames included: received, and accepted for sending.
  std::uint64_t bytes_in() const { return bytes_in_; }
  std::uint64_t bytes_out() const { return bytes_out_; }

 private:
  explicit FramedSocket(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}
  codec::ByteBuffer& begin_frame();
  void end_frame();
  void read();
  void received(std::size_t bytes);
  void write();
  void fail(const std::string& why);
  void drop_hooks();

  std::unique_ptr<ByteStream> stream_;
  Hooks hooks_;
  std::vector<std::uint8_t> in_;
  std::size_t filled_ = 0;     ///< Bytes of in_ that were received and not yet used.
  codec::ByteBuffer next_;     ///< Frames that wait.
  codec::ByteBuffer leaving_;  ///< Frames that are being written.
  std::size_t frame_start_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  bool writing_ = false;
  bool scheduled_ = false;
  bool finishing_ = false;
  bool closed_ = false;
};

/// For TCP: no waiting to fill packets, and an error when nothing is acknowledged for `silence`.
void set_tcp_options(FramedSocket::Socket& socket, std::chrono::milliseconds silence);

}  // namespace duet::live::wire
