#include "live/wire/framed_socket.h"

#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace duet::live::wire {
namespace {

constexpr std::size_t kHead = 4;
constexpr std::size_t kReadAtLeast = 16 * 1024;

}  // namespace

void FramedSocket::start(Hooks hooks) {
  hooks_ = std::move(hooks);
  read();
}

codec::ByteBuffer& FramedSocket::begin_frame() {
  frame_start_ = next_.size();
  next_.reserve_more(kHead);
  next_.set_end(next_.end() + kHead);
  return next_;
}

void FramedSocket::end_frame() {
  const std::size_t length = next_.size() - frame_start_ - kHead;
  codec::store_u32(next_.data() + frame_start_, static_cast<std::uint32_t>(length));
  if (closed_ || finishing_) return next_.clear();
  if (length > kLongest || next_.size() > kMostWaiting) return fail("too much waits to be sent");
  bytes_out_ += length + kHead;
  if (writing_ || std::exchange(scheduled_, true)) return;
  // What is sent in one turn of the loop leaves together.
  asio::post(stream_->executor(), [self = shared_from_this()] {
    self->scheduled_ = false;
    self->write();
  });
}

void FramedSocket::write() {
  if (writing_ || closed_) return;
  if (next_.empty()) {
    if (finishing_) close();
    return;
  }
  writing_ = true;
  std::swap(next_, leaving_);
  stream_->write({asio::buffer(leaving_.data(), leaving_.size())},
                 [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                   self->writing_ = false;
                   self->leaving_.clear();
                   if (self->closed_) return;
                   if (error) return self->fail(error.message());
                   self->write();
                 });
}

void FramedSocket::read() {
  if (closed_) return;
  if (in_.size() - filled_ < kReadAtLeast) in_.resize(std::max(in_.size() * 2, filled_ + kReadAtLeast));
  stream_->read_some(asio::buffer(in_.data() + filled_, in_.size() - filled_),
                     [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) {
                       if (self->closed_) return;
                       if (error) return self->fail(error.message());
                       self->received(n);
                     });
}

void FramedSocket::received(std::size_t bytes) {
  filled_ += bytes;
  bytes_in_ += bytes;
  std::size_t used = 0;
  while (!closed_ && filled_ - used >= kHead) {
    const std::size_t length = codec::load_u32(in_.data() + used);
    if (length > kLongest) return fail("a frame of " + std::to_string(length) + " bytes");
    if (filled_ - used < kHead + length) {
      if (in_.size() < used + kHead + length) in_.resize(used + kHead + length);
      break;
    }
    if (!finishing_) hooks_.frame({in_.data() + used + kHead, length});
    used += kHead + length;
  }
  if (closed_) return;
  if (used > 0) {
    std::memmove(in_.data(), in_.data() + used, filled_ - used);
    filled_ -= used;
  }
  read();
}

void FramedSocket::fail(const std::string& why) {
  if (closed_) return;
  const auto hooks = std::move(hooks_);
  close();
  if (hooks.closed) hooks.closed(why);
}

void FramedSocket::finish() {
  finishing_ = true;
  drop_hooks();
  if (!writing_ && !scheduled_) close();
}

/// Later: one of them may be running, and may own who owns this.
void FramedSocket::drop_hooks() {
  asio::post(stream_->executor(), [hooks = std::make_shared<Hooks>(std::move(hooks_))] {});
  hooks_ = {};
}

void FramedSocket::close() {
  if (std::exchange(closed_, true)) return;
  drop_hooks();
  stream_->close();
}

void set_tcp_options(FramedSocket::Socket& socket, std::chrono::milliseconds silence) {
  const int on = 1;
  const int fd = socket.native_handle();
  const auto unacknowledged = static_cast<unsigned>(silence.count());
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof unacknowledged);
}

}  // namespace duet::live::wire
