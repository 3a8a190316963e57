// A connection over a Unix socket that carries whole records, each behind its length.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/codec/decode.h"
#include "core/codec/encode.h"
#include "live/asio.h"

namespace duet::live {

class Channel {
 public:
  using Socket = asio::local::stream_protocol::socket;
  struct Hooks {
    std::function<void(std::span<const std::uint8_t>)> record;
    std::function<void(std::string why)> closed;  ///< Once, and not by close().
  };
  /// Records above this end the connection.
  static constexpr std::size_t kMaxRecord = std::size_t{16} << 20;

  /// Hooks are called from the io_context once it is started, not after destruction; they may destroy it.
  explicit Channel(Socket socket) : socket_(std::move(socket)) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void start(Hooks hooks);
  bool is_open() const { return socket_.is_open(); }

  template <class T>
  void send(const T& record) {
    codec::ByteBuffer buffer;
    codec::Encoder encoder(buffer);
    encoder.put(record);
    encoder.finish();
    send_bytes(buffer.span());
  }
  /// Sends what was given to send() before, and ends the connection.
  void finish();
  void close();

 private:
  void send_bytes(std::span<const std::uint8_t> bytes);
  void read();
  void take(std::size_t bytes);
  void write();
  void end(const std::string& why);

  Socket socket_;
  Hooks hooks_;
  std::vector<std::uint8_t> in_;  ///< Of which `in_used_` bytes have come.
  std::size_t in_used_ = 0;
  std::string out_;      ///< Waits.
  std::string writing_;  ///< Under way.
  bool finishing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// False if the bytes are no such record, or more than one.
template <class T>
bool decode_record(std::span<const std::uint8_t> bytes, T& record) {
  codec::DecodeContext context;
  codec::Decoder decoder(bytes, context);
  return decoder.get(record) && decoder.left() == 0;
}

/// The address of FOLDER/NAME, which may be longer than addresses of sockets are: `folder` is an open folder,
/// which has to stay open.
asio::local::stream_protocol::endpoint socket_in(int folder, const std::string& name);

}  // namespace duet::live
