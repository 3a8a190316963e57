#include "live/http/call.h"

#include <optional>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

namespace duet::live::http {
namespace {

namespace beast_of_call = boost::beast;

Reply call_failed(Reply::Failure failure, std::string why) {
  Reply reply;
  reply.failure = failure;
  reply.why = std::move(why);
  return reply;
}

std::string call_text(const Client::Ask& ask, const CallOptions& options) {
  std::string text(to_string(ask.method));
  text += " " + ask.target + " HTTP/1.1\r\nHost: " + options.address + ":" + std::to_string(options.port) +
          "\r\nConnection: close\r\n";
  if (!options.token.empty()) text += "Authorization: Bearer " + std::string(options.token.reveal()) + "\r\n";
  if (!ask.body.empty())
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(ask.body.size()) + "\r\n";
  for (const auto& [name, value] : ask.headers.entries()) text += name + ": " + value + "\r\n";
  return text + "\r\n" + ask.body;
}

}  // namespace

class Call::Exchanging : public std::enable_shared_from_this<Exchanging> {
 public:
  Exchanging(asio::io_context& io, const Client::Ask& ask, CallOptions options,
             std::function<void(Reply)> done)
      : stream_(io), options_(std::move(options)), done_(std::move(done)), text_(call_text(ask, options_)) {
    parser_.body_limit(options_.most_bytes);
    parser_.header_limit(64 * 1024);
    parser_.skip(ask.method == Method::kHead);
  }

  void start() {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) {
      asio::post(stream_.get_executor(), [self = shared_from_this()] {
        self->end(call_failed(Reply::Failure::kUnreachable, self->options_.address + " is no IP address"));
      });
      return;
    }
    stream_.expires_after(options_.connect_time);
    stream_.async_connect(
        asio::ip::tcp::endpoint(address, options_.port),
        [self = shared_from_this()](const boost::system::error_code& failed) { self->on_connected(failed); });
  }

  void cut() {
    done_ = nullptr;
    options_.connected = nullptr;
    boost::system::error_code ignored;
    stream_.socket().close(ignored);
  }

 private:
  void on_connected(const boost::system::error_code& error) {
    if (!done_) return;
    if (error)
      return end(call_failed(
          error == beast_of_call::error::timeout ? Reply::Failure::kTimedOut : Reply::Failure::kUnreachable,
          "cannot be connected to: " + error.message()));
    boost::system::error_code ignored;
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    if (options_.answer_time.count() > 0)
      stream_.expires_after(options_.answer_time);
    else
      stream_.expires_never();
    asio::async_write(stream_, asio::buffer(text_),
                      [self = shared_from_this()](const boost::system::error_code& failed, std::size_t) {
                        self->on_sent(failed);
                      });
  }

  /// A server may answer before it has read all: then the answer counts.
  void on_sent(const boost::system::error_code&) {
    if (!done_) return;
    if (const auto connected = std::exchange(options_.connected, nullptr)) connected();
    if (!done_) return;
    beast_of_call::http::async_read(stream_, buffer_, parser_,
                                    [self = shared_from_this()](const boost::system::error_code& error,
                                                                std::size_t) { self->on_answer(error); });
  }

  void on_answer(const boost::system::error_code& error) {
    if (!done_) return;
    if (error == beast_of_call::error::timeout)
      return end(call_failed(Reply::Failure::kTimedOut, "did not answer in time"));
    if (error)
      return end(call_failed(Reply::Failure::kBroken, "did not answer as it should: " + error.message()));
    Reply reply;
    reply.status = parser_.get().result_int();
    for (const auto& field : parser_.get())
      reply.headers.add({field.name_string().data(), field.name_string().size()},
                        {field.value().data(), field.value().size()});
    reply.body = std::move(parser_.get().body());
    end(std::move(reply));
  }

  void end(Reply reply) {
    const auto done = std::exchange(done_, nullptr);
    boost::system::error_code ignored;
    stream_.socket().close(ignored);
    if (done) done(std::move(reply));
  }

  boost::beast::tcp_stream stream_;
  CallOptions options_;
  std::function<void(Reply)> done_;
  std::string text_;
  beast_of_call::flat_buffer buffer_;
  beast_of_call::http::response_parser<beast_of_call::http::string_body> parser_;
};

std::unique_ptr<Call> Call::start(asio::io_context& io, Client::Ask ask, CallOptions options,
                                  std::function<void(Reply)> done) {
  auto exchanging = std::make_shared<Exchanging>(io, ask, std::move(options), std::move(done));
  exchanging->start();
  return std::unique_ptr<Call>(new Call(std::move(exchanging)));
}

Call::~Call() { exchanging_->cut(); }

}  // namespace duet::live::http
