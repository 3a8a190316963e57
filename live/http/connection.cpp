#include "live/http/connection.h"

#include <exception>
#include <optional>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "core/check.h"

namespace duet::live::http {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

constexpr std::size_t read_size = 8 * 1024;
constexpr std::string_view continue_text = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

void append_chunk(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string size;
  for (std::size_t rest = text.size(); rest > 0; rest /= 16) size.insert(0, 1, digits[rest % 16]);
  out += size;
  out += "\r\n";
  out += text;
  out += "\r\n";
}

Response unreadable(const error_code& error) {
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow)
    return problem(431, "The head of the request is too long.");
  if (error == beast::http::error::body_limit) return problem(413, "The body is too long.");
  if (error == beast::http::error::bad_version) return problem(505, "Only HTTP/1.0 and HTTP/1.1 are spoken.");
  return problem(400, "This is no HTTP request: " + error.message() + ".");
}

class HttpConnection final : public Connection {
 public:
  HttpConnection(ConnectionHost& host, std::unique_ptr<ByteStream> stream, std::string peer)
      : Connection(std::move(peer)), host_(host), stream_(std::move(stream)) {}

  void start() override {
    begin_request();
    set_deadline(limits().header_time);
    read();
  }
  void refuse(std::string_view why) override;
  void look_at_clock(Clock::time_point now) override;
  void wind_down() override;
  void cut() override {
    closed_ = nullptr;
    close();
  }

  void answer(Response response) override;
  void begin_stream(Response head, bool of_events) override;
  bool write(std::string_view text, bool is_event) override;
  void end_stream() override;
  std::size_t buffered() const override { return pending_.size() + sending_.size(); }
  void on_closed(std::function<void()> closed) override { closed_ = std::move(closed); }
  void on_drained(std::function<void()> drained) override { drained_ = std::move(drained); }

 private:
  enum class State : std::uint8_t { kReading, kHandling, kWriting, kStreaming, kLingering, kClosed };
  using Parser = beast::http::request_parser<beast::http::string_body>;

  const Limits& limits() const { return host_.options().limits; }
  std::shared_ptr<HttpConnection> self() {
    return std::static_pointer_cast<HttpConnection>(shared_from_this());
  }
  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = Clock::now() + from_now; }
  void no_deadline() { deadline_ = Clock::time_point::max(); }

  void begin_request();
  void read();
  void on_read(const error_code& error, std::size_t bytes);
  void parse();
  bool on_head();
  void say_continue();
  void on_request();
  void refuse_request(Response response, bool close);
  void on_written(const error_code& error);
  void note(unsigned status) const;
  void flush();
  void on_flushed(const error_code& error);
  void tell_closed();
  void forget_drained();
  void linger();
  void close();

  ConnectionHost& host_;
  std::unique_ptr<ByteStream> stream_;
  State state_ = State::kReading;
  Clock::time_point deadline_ = Clock::time_point::max();
  beast::flat_buffer buffer_;
  bool read_pending_ = false;

  // The request that is read or answered.
  std::optional<Parser> parser_;
  Request request_;
  std::string method_;
  const Route* route_ = nullptr;
  bool begun_ = false;  ///< Its first byte is here.
  bool head_done_ = false;
  bool continuing_ = false;  ///< "100 Continue" is being written.
  bool close_after_ = false;
  bool is_head_ = false;
  bool http_1_0_ = false;
  Clock::time_point complete_at_;

  std::string head_;
  std::string body_;

  // A stream.
  bool of_events_ = false;
  bool chunked_ = false;
  bool ending_ = false;
  std::string pending_;
  std::string sending_;
  Clock::time_point next_comment_;
  std::function<void()> closed_;
  std::function<void()> drained_;
};

void HttpConnection::begin_request() {
  state_ = State::kReading;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits().header));
  parser_->body_limit(limits().body);
  request_ = Request{};
  method_.clear();
  route_ = nullptr;
  begun_ = head_done_ = is_head_ = http_1_0_ = false;
}

void HttpConnection::read() {
  if (read_pending_) return;
  read_pending_ = true;
  stream_->read_some(buffer_.prepare(read_size), [self = self()](const error_code& error, std::size_t bytes) {
    self->on_read(error, bytes);
  });
}

void HttpConnection::on_read(const error_code& error, std::size_t bytes) {
  read_pending_ = false;
  switch (state_) {
    case State::kReading:
      if (error) return close();
      buffer_.commit(bytes);
      return parse();
    case State::kStreaming:
      if (!error) return read();  // not expected, not wanted
      tell_closed();
      return close();
    case State::kLingering:
      return error ? close() : read();
    case State::kHandling:
    case State::kWriting:
    case State::kClosed:
      return;
  }
}

void HttpConnection::parse() {
  if (!begun_) {
    begun_ = true;
    set_deadline(limits().header_time);
  }
  while (buffer_.size() > 0) {
    error_code error;
    const std::size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (error == beast::http::error::need_more) {
      if (buffer_.size() > limits().header + read_size)
        return refuse_request(unreadable(beast::http::error::header_limit), true);
      return read();
    }
    if (error) return refuse_request(unreadable(error), true);
    if (parser_->is_header_done() && !head_done_) {
      head_done_ = true;
      if (!on_head()) return;
      parser_->eager(true);
      if (!parser_->is_done()) {
        set_deadline(limits().body_time);
        if (continuing_) return;
      }
    }
    if (parser_->is_done()) return on_request();
    if (used == 0) break;
  }
  read();
}

bool HttpConnection::on_head() {
  const auto& head = parser_->get();
  for (const auto& field : head)
    request_.headers.add({field.name_string().data(), field.name_string().size()},
                         {field.value().data(), field.value().size()});
  request_.peer = peer();
  method_.assign(head.method_string().data(), head.method_string().size());
  is_head_ = method_ == "HEAD";
  http_1_0_ = head.version() == 10;
  close_after_ = !parser_->keep_alive();
  const bool has_body = !parser_->is_done();
  const std::string_view target(head.target().data(), head.target().size());
  const auto way = host_.gate().head(method_, target, http_1_0_, has_body, request_);
  if (const auto* refused = std::get_if<Response>(&way)) {
    refuse_request(*refused, has_body);
    return false;
  }
  route_ = std::get<const Route*>(way);
  if (const auto expected = request_.headers.find("Expect"); expected && has_body) {
    if (!equal_ignoring_case(*expected, "100-continue")) {
      refuse_request(problem(417, "Only `Expect: 100-continue` is understood."), true);
      return false;
    }
    if (buffer_.size() == 0 && !http_1_0_) say_continue();
  }
  return true;
}

void HttpConnection::say_continue() {
  continuing_ = true;
  stream_->write({asio::buffer(continue_text.data(), continue_text.size())},
                 [self = self()](const error_code& error, std::size_t) {
                   self->continuing_ = false;
                   if (self->state_ != State::kReading) return;
                   if (error) return self->close();
                   self->read();
                 });
}

void HttpConnection::on_request() {
  no_deadline();
  complete_at_ = Clock::now();
  state_ = State::kHandling;
  request_.body = std::move(parser_->get().body());
  if (auto refused = host_.gate().body(*route_, request_)) return answer(std::move(*refused));
  const auto alive = self();
  try {
    route_->handler(request_, Responder(weak_from_this()));
  } catch (const std::exception& error) {
    // The handler's Responder is gone, and has answered 500 unless an answer was given.
    if (host_.options().on_warning)
      host_.options().on_warning(std::string("a handler threw: ") + error.what());
  }
}

void HttpConnection::refuse(std::string_view why) {
  refused_ = true;
  begin_request();
  Response response = problem(503, why);
  response.headers.add("Retry-After", "5");
  refuse_request(std::move(response), true);
}

/// Answers what has not been read to its end, if `close`; so nothing can follow it.
void HttpConnection::refuse_request(Response response, bool close) {
  if (continuing_) return this->close();  // two writes at a time would mix
  complete_at_ = Clock::now();
  state_ = State::kHandling;
  close_after_ = close_after_ || close;
  answer(std::move(response));
}

void HttpConnection::note(unsigned status) const {
  if (!host_.options().on_answered) return;
  host_.options().on_answered({.route = route_,
                               .method = method_,
                               .path = request_.path,
                               .peer = peer(),
                               .status = status,
                               .took = Clock::now() - complete_at_});
}

void HttpConnection::answer(Response response) {
  if (state_ != State::kHandling) return;
  close_after_ = close_after_ || host_.stopping();
  note(response.status);
  head_ = head_text(response, host_.date(), Framing::kLength, close_after_, http_1_0_);
  body_ = is_head_ ? std::string{} : std::move(response.body);
  state_ = State::kWriting;
  set_deadline(limits().write_time);
  stream_->write({asio::buffer(head_), asio::buffer(body_)},
                 [self = self()](const error_code& error, std::size_t) { self->on_written(error); });
}

void HttpConnection::on_written(const error_code& error) {
  if (state_ != State::kWriting) return;
  if (error) return close();
  if (close_after_ || host_.stopping()) return linger();
  begin_request();
  set_deadline(limits().idle_time);
  if (buffer_.size() > 0) return parse();
  read();
}

void HttpConnection::begin_stream(Response head, bool of_events) {
  if (state_ != State::kHandling) return;
  note(head.status);
  of_events_ = of_events;
  chunked_ = !http_1_0_;
  close_after_ = true;
  pending_ =
      head_text(head, host_.date(), chunked_ ? Framing::kChunked : Framing::kUntilClose, true, http_1_0_);
  state_ = State::kStreaming;
  next_comment_ = Clock::now() + limits().heartbeat;
  ending_ = is_head_ || host_.stopping();
  if (ending_ && !is_head_ && chunked_) pending_ += last_chunk;
  read();  // to see when the client leaves
  flush();
}

bool HttpConnection::write(std::string_view text, bool) {
  if (state_ != State::kStreaming || ending_) return false;
  if (text.empty()) return true;
  if (buffered() + text.size() > limits().stream_buffer) {
    pending_.clear();
    if (of_events_ && chunked_) {
      append_chunk(pending_, event_text({.id = "",
                                         .name = "overflow",
                                         .data = "You read too slowly. Come back with Last-Event-ID."}));
      pending_ += last_chunk;
    }
    ending_ = true;
    tell_closed();
    flush();
    return false;
  }
  if (chunked_) {
    append_chunk(pending_, text);
  } else {
    pending_ += text;
  }
  flush();
  return true;
}

void HttpConnection::end_stream() {
  std::exchange(closed_, nullptr);
  forget_drained();
  if (state_ != State::kStreaming || ending_) return;
  ending_ = true;
  if (chunked_) pending_ += last_chunk;
  flush();
  if (sending_.empty()) linger();
}

void HttpConnection::flush() {
  if (!sending_.empty() || pending_.empty()) return;
  std::swap(sending_, pending_);
  set_deadline(limits().write_time);
  stream_->write({asio::buffer(sending_)},
                 [self = self()](const error_code& error, std::size_t) { self->on_flushed(error); });
}

void HttpConnection::on_flushed(const error_code& error) {
  if (state_ != State::kStreaming) return;
  sending_.clear();
  no_deadline();
  if (error) {
    tell_closed();
    return close();
  }
  if (!pending_.empty()) return flush();
  if (ending_) return linger();
  if (drained_) {
    const auto drained = drained_;  // it may set another
    drained();
  }
}

/// It may hold the last handle of the stream, whose end comes back to this: so it is let go of first, and
/// ends after.
void HttpConnection::forget_drained() { std::exchange(drained_, nullptr); }

/// Later: whoever is told may be in the middle of writing to this stream.
void HttpConnection::tell_closed() {
  forget_drained();
  if (closed_) host_.soon(std::exchange(closed_, nullptr));
}

void HttpConnection::look_at_clock(Clock::time_point now) {
  if (state_ == State::kStreaming && of_events_ && !ending_ && now >= next_comment_) {
    next_comment_ = now + limits().heartbeat;
    if (buffered() == 0) write(":\n\n", true);
  }
  if (now < deadline_) return;
  no_deadline();
  switch (state_) {
    case State::kReading:
      if (!begun_) return close();
      return refuse_request(
          problem(408, head_done_ ? "The body took too long." : "The head of the request took too long."),
          true);
    case State::kStreaming:
      tell_closed();
      return close();
    case State::kWriting:
    case State::kLingering:
      return close();
    case State::kHandling:
    case State::kClosed:
      return;
  }
}

void HttpConnection::wind_down() {
  if (state_ == State::kReading && !begun_) return close();
  if (state_ != State::kStreaming || ending_) return;
  ending_ = true;
  if (chunked_) pending_ += last_chunk;
  tell_closed();
  flush();
  if (sending_.empty()) linger();
}

/// A close with bytes unread would reset the connection, and the client might lose its answer.
void HttpConnection::linger() {
  if (stream_->end_writing()) return close();
  state_ = State::kLingering;
  set_deadline(limits().linger_time);
  buffer_.clear();
  read();
}

void HttpConnection::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  no_deadline();
  forget_drained();
  stream_->close();
  host_.closed(*this);
}

}  // namespace

std::shared_ptr<Connection> Connection::make(ConnectionHost& host, std::unique_ptr<ByteStream> stream,
                                             std::string peer) {
  return std::make_shared<HttpConnection>(host, std::move(stream), std::move(peer));
}

}  // namespace duet::live::http
