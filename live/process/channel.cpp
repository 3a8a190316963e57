#include "live/process/channel.h"

#include <cstring>
#include <utility>

namespace duet::live {

namespace {
constexpr std::size_t kHead = 4;
constexpr std::size_t kReadAtLeast = 16 * 1024;
}  // namespace

asio::local::stream_protocol::endpoint socket_in(int folder, const std::string& name) {
  return {"/proc/self/fd/" + std::to_string(folder) + "/" + name};
}

void Channel::start(Hooks hooks) {
  hooks_ = std::move(hooks);
  read();
}

Channel::~Channel() { *alive_ = false; }

void Channel::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Channel::finish() {
  finishing_ = true;
  if (writing_.empty()) end("it is finished");
}

void Channel::end(const std::string& why) {
  if (!socket_.is_open()) return;
  close();
  const auto closed = hooks_.closed;  // Survives this.
  closed(why);
}

void Channel::send_bytes(std::span<const std::uint8_t> bytes) {
  std::uint8_t head[kHead];
  codec::store_u32(head, static_cast<std::uint32_t>(bytes.size()));
  out_.append(reinterpret_cast<const char*>(head), kHead);
  out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (writing_.empty()) write();
}

void Channel::write() {
  if (!socket_.is_open()) return;
  std::swap(out_, writing_);
  out_.clear();
  asio::async_write(socket_, asio::buffer(writing_),
                    [this, alive = alive_](const boost::system::error_code& error, std::size_t) {
                      if (!*alive) return;
                      writing_.clear();
                      if (error) return end(error.message());
                      if (!out_.empty()) return write();
                      if (finishing_) end("it is finished");
                    });
}

void Channel::read() {
  if (in_.size() - in_used_ < kReadAtLeast) in_.resize(in_used_ + 2 * kReadAtLeast);
  socket_.async_read_some(asio::buffer(in_.data() + in_used_, in_.size() - in_used_),
                          [this, alive = alive_](const boost::system::error_code& error, std::size_t bytes) {
                            if (!*alive) return;
                            if (error) return end(error.message());
                            take(bytes);
                          });
}

void Channel::take(std::size_t bytes) {
  in_used_ += bytes;
  std::size_t at = 0;
  const auto alive = alive_;
  while (in_used_ - at >= kHead) {
    const std::size_t size = codec::load_u32(in_.data() + at);
    if (size > kMaxRecord) return end("a record is too long");
    if (in_used_ - at - kHead < size) break;
    hooks_.record({in_.data() + at + kHead, size});
    if (!*alive || !socket_.is_open()) return;
    at += kHead + size;
  }
  std::memmove(in_.data(), in_.data() + at, in_used_ - at);
  in_used_ -= at;
  read();
}

}  // namespace duet::live
