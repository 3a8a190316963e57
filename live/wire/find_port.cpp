#include "live/wire/find_port.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <nlohmann/json.hpp>

namespace duet::live::wire {
namespace {

namespace beast_http = boost::beast::http;
using AskError = boost::system::error_code;

constexpr std::size_t kLongestDocument = 64 * 1024;

}  // namespace

struct FindPort::Asking : std::enable_shared_from_this<FindPort::Asking> {
  Asking(asio::io_context& io, std::string to, std::uint16_t number, Found then)
      : resolver(io), socket(io), host(std::move(to)), port(number), found(std::move(then)) {
    parser.body_limit(kLongestDocument);
  }

  void begin() {
    resolver.async_resolve(
        host, std::to_string(port), [self = shared_from_this()](const AskError& error, const auto& ends) {
          if (error) return self->fail(error.message());
          asio::async_connect(self->socket, ends, [self](const AskError& failed, const auto&) {
            if (failed) return self->fail(failed.message());
            self->ask();
          });
        });
  }

  void ask() {
    const bool v6 = host.find(':') != std::string::npos;
    request = "GET " + std::string(kFindPath) + " HTTP/1.1\r\nHost: " + (v6 ? '[' + host + ']' : host) + ':' +
              std::to_string(port) + "\r\nConnection: close\r\n\r\n";
    asio::async_write(socket, asio::buffer(request),
                      [self = shared_from_this()](const AskError& error, std::size_t) {
                        if (error) return self->fail(error.message());
                        self->read();
                      });
  }

  void read() {
    beast_http::async_read(socket, buffer, parser,
                           [self = shared_from_this()](const AskError& error, std::size_t) {
                             if (error) return self->fail("what came is no answer: " + error.message());
                             self->take();
                           });
  }

  void take() {
    const auto document = nlohmann::json::parse(parser.get().body(), nullptr, false);
    const std::uint64_t number = document.is_object() && document.contains("agents_port") &&
                                         document["agents_port"].is_number_unsigned()
                                     ? document["agents_port"].get<std::uint64_t>()
                                     : 0;
    if (parser.get().result_int() != 200)
      return fail("who answers there does not say where agents are awaited, but " +
                  std::to_string(parser.get().result_int()));
    if (number == 0 || number > 65535) return fail("what answers there is no controller of Duet");
    finish(static_cast<std::uint16_t>(number));
  }

  void fail(const std::string& why) { finish(Problem{host + ':' + std::to_string(port), why, {}}); }
  void finish(Result<std::uint16_t> result) {
    if (const Found then = std::exchange(found, nullptr)) then(std::move(result));
  }
  void drop() {
    found = nullptr;
    resolver.cancel();
    AskError ignored;
    socket.close(ignored);
  }

  asio::ip::tcp::resolver resolver;
  asio::ip::tcp::socket socket;
  std::string host;
  std::uint16_t port;
  Found found;
  std::string request;
  boost::beast::flat_buffer buffer;
  beast_http::response_parser<beast_http::string_body> parser;
};

FindPort::FindPort(asio::io_context& io, std::string host, std::uint16_t port, Found found)
    : asking_(std::make_shared<Asking>(io, std::move(host), port, std::move(found))) {
  asking_->begin();
}

FindPort::~FindPort() { asking_->drop(); }

}  // namespace duet::live::wire
