#include "live/http/client.h"

#include <optional>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "live/http/url.h"
#include "live/byte_stream.h"

namespace duet::live::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Millis = std::chrono::milliseconds;

constexpr std::size_t kReadSize = 64 * 1024;

Reply failed(Reply::Failure failure, std::string why) {
  Reply reply;
  reply.failure = failure;
  reply.why = std::move(why);
  return reply;
}

}  // namespace

struct Client::State {
  using Parser = beast::http::response_parser<beast::http::string_body>;
  using Take = std::function<bool(std::string_view)>;

  Url url;
  std::string base;  ///< Of the URL's path, without a slash at its end.
  ClientOptions options;
  asio::io_context io{1};
  std::unique_ptr<ByteStream> stream{};
  beast::flat_buffer buffer{};

  std::string where() const {
    const bool v6 = url.host.find(':') != std::string::npos;
    return (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
  }

  /// Runs one operation that `begin` starts with the handler it is given; `cut` ends it when time is up.
  template <class Begin, class Cut>
  error_code wait(Millis time, Begin begin, Cut cut) {
    error_code result = asio::error::would_block;
    begin([&result](const error_code& error, auto&&...) { result = error; });
    const auto until = std::chrono::steady_clock::now() + time;
    io.restart();
    while (result == asio::error::would_block && io.run_one_until(until) > 0) {
    }
    if (result != asio::error::would_block) return result;
    cut();
    io.restart();
    while (result == asio::error::would_block && io.run_one() > 0) {
    }
    return asio::error::timed_out;
  }

  /// The same with the connection, which is closed when time is up.
  template <class Begin>
  error_code wait(Millis time, Begin begin) {
    return wait(time, std::move(begin), [this] { stream->close(); });
  }

  void close() {
    if (stream) stream->close();
    stream.reset();
    buffer.clear();
  }

  bool still_open() { return stream && buffer.size() == 0 && stream->at_rest(); }

  std::optional<Reply> connect() {
    close();
    error_code error;
    tcp::resolver resolver(io);
    const auto endpoints =
        resolver.resolve(url.host, std::to_string(url.port), tcp::resolver::numeric_service, error);
    if (error)
      return failed(Reply::Failure::kUnreachable,
                    "the name " + url.host + " is not known: " + error.message());
    tcp::socket socket(io);
    error = wait(
        options.connect_time,
        [&](auto handler) { asio::async_connect(socket, endpoints, std::move(handler)); },
        [&] { socket.close(); });
    if (error)
      return failed(Reply::Failure::kUnreachable, "cannot connect to " + where() + ": " + error.message());
    socket.set_option(tcp::no_delay(true), error);
    stream = stream_over(std::move(socket), options.layer);
    return std::nullopt;
  }

  std::string request_text(const Ask& ask, bool keep) const {
    std::string text(to_string(ask.method));
    text += " " + base + (ask.target.starts_with('/') ? "" : "/") + ask.target + " HTTP/1.1\r\n";
    const auto add = [&](std::string_view name, std::string_view value) {
      text += name;
      text += ": ";
      for (const char c : value)
        if (static_cast<unsigned char>(c) >= ' ') text += c;
      text += "\r\n";
    };
    add("Host", where());
    if (!options.token.empty()) add("Authorization", "Bearer " + std::string(options.token.reveal()));
    if (!ask.body.empty() && !ask.headers.find("Content-Type")) add("Content-Type", "application/json");
    const bool may_have_body =
        ask.method == Method::kPost || ask.method == Method::kPut || ask.method == Method::kPatch;
    if (may_have_body || !ask.body.empty()) add("Content-Length", std::to_string(ask.body.size()));
    if (!keep) add("Connection", "close");
    for (const auto& [name, value] : ask.headers.entries()) add(name, value);
    return text + "\r\n" + ask.body;
  }

  Reply broken(const error_code& error, const char* doing) {
    close();
    if (error == asio::error::timed_out)
      return failed(Reply::Failure::kTimedOut, where() + " did not answer in time");
    return failed(Reply::Failure::kBroken, std::string(doing) + " " + where() + ": " + error.message());
  }

  error_code read_piece(Parser& parser, Millis time);
  Reply exchange(const Ask& ask, const Take& take);
  Reply receive(Parser& parser, const Take& take);
  Reply once(const Ask& ask, const Take& take, bool& nothing_came);
};

/// Parses what is there. Where that is not enough for anything, more is read.
error_code Client::State::read_piece(Parser& parser, Millis time) {
  error_code error = beast::http::error::need_more;
  const std::size_t used = buffer.size() > 0 ? parser.put(buffer.data(), error) : 0;
  buffer.consume(used);
  if (error != beast::http::error::need_more) return error;
  if (used > 0) return {};
  std::size_t came = 0;
  error = wait(time, [&](auto handler) {
    stream->read_some(buffer.prepare(kReadSize),
                      [handler, &came](const error_code& failed, std::size_t bytes) mutable {
                        came = bytes;
                        handler(failed);
                      });
  });
  if (!error) buffer.commit(came);
  if (error != asio::error::eof) return error;
  if (!parser.got_some()) return beast::http::error::end_of_stream;  // put_eof() would call that an answer
  parser.put_eof(error);
  return error;
}

/// One request over the connection that is there. `nothing_came`: it failed before the answer's first byte.
Reply Client::State::once(const Ask& ask, const Take& take, bool& nothing_came) {
  nothing_came = true;
  const std::string text = request_text(ask, take == nullptr);
  // A server that refuses a long body answers before it was read; then the answer counts.
  const error_code unsent = wait(
      options.answer_time, [&](auto handler) { stream->write({asio::buffer(text)}, std::move(handler)); });
  if (unsent == asio::error::timed_out) return broken(unsent, "sending to");
  Parser parser;
  parser.body_limit(options.most_bytes);
  parser.header_limit(64 * 1024);
  parser.skip(ask.method == Method::kHead);
  error_code error;
  const Millis most = take ? options.silence : options.answer_time;
  const auto until = std::chrono::steady_clock::now() + most;
  while (!error && !parser.is_header_done())
    error = read_piece(parser, std::chrono::ceil<Millis>(until - std::chrono::steady_clock::now()));
  if (error) {
    nothing_came = !parser.got_some();
    return broken(unsent ? unsent : error, "no answer from");
  }
  nothing_came = false;
  Reply reply = receive(parser, take);
  if (reply.arrived() && (unsent || !parser.is_done() || !parser.keep_alive())) close();
  return reply;
}

Reply Client::State::receive(Parser& parser, const Take& take) {
  Reply reply;
  const auto& head = parser.get();
  reply.status = head.result_int();
  for (const auto& field : head)
    reply.headers.add({field.name_string().data(), field.name_string().size()},
                      {field.value().data(), field.value().size()});
  const bool hand_out = take && reply.ok();
  parser.eager(true);
  if (hand_out) parser.body_limit(boost::none);  // nothing of it is kept
  bool go_on = true;
  while (go_on && !parser.is_done()) {
    const error_code error = read_piece(parser, hand_out ? options.silence : options.answer_time);
    std::string& body = parser.get().body();
    if (hand_out && !body.empty()) {
      go_on = take(body);
      body.clear();
    }
    if (error && go_on) return broken(error, "the answer is cut short:");
  }
  reply.body = std::move(parser.get().body());
  return reply;
}

Reply Client::State::exchange(const Ask& ask, const Take& take) {
  const bool repeatable = (ask.method != Method::kPost && ask.method != Method::kPatch) ||
                          ask.headers.find("Idempotency-Key").has_value();
  bool nothing_came = false;
  if (still_open()) {
    Reply reply = once(ask, take, nothing_came);
    if (reply.arrived() || reply.failure == Reply::Failure::kTimedOut || !nothing_came || !repeatable)
      return reply;
  }
  if (auto unreachable = connect()) return *unreachable;
  return once(ask, take, nothing_came);
}

Result<Client> Client::make(std::string_view url, ClientOptions options) {
  const auto parsed = parse_url(url);
  if (!parsed) return parsed.problems();
  auto state = std::make_unique<State>();
  state->url = *parsed;
  state->options = std::move(options);
  state->base = parsed->target;
  while (state->base.ends_with('/')) state->base.pop_back();
  return Client(std::move(state));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Reply Client::send(const Ask& ask) { return state_->exchange(ask, nullptr); }
Reply Client::get(std::string_view target) { return send({.target = std::string(target)}); }
Reply Client::post(std::string_view target, std::string_view body) {
  return send({.method = Method::kPost, .target = std::string(target), .body = std::string(body)});
}
Reply Client::put(std::string_view target, std::string_view body) {
  return send({.method = Method::kPut, .target = std::string(target), .body = std::string(body)});
}
Reply Client::remove(std::string_view target) {
  return send({.method = Method::kDelete, .target = std::string(target)});
}

Reply Client::stream(const Ask& ask, const std::function<bool(std::string_view)>& take) {
  Reply reply = state_->exchange(ask, take);
  state_->close();
  return reply;
}

Reply Client::events(std::string_view target, std::string_view last_id,
                     const std::function<bool(const ReceivedEvent&)>& take) {
  Ask ask{.target = std::string(target)};
  ask.headers.add("Accept", "text/event-stream");
  if (!last_id.empty()) ask.headers.add("Last-Event-ID", last_id);
  EventParser parser;
  return stream(ask, [&](std::string_view piece) { return parser.feed(piece, take); });
}

}  // namespace duet::live::http
