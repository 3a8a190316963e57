#include "live/http/server.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <utility>

#include "live/byte_stream.h"
#include "live/http/connection.h"
#include "live/http/url.h"

namespace duet::live::http {
namespace {

using asio::ip::tcp;
using Millis = std::chrono::milliseconds;

/// So often connections are looked at: no limit is overdrawn by more than a quarter of a second.
Millis tick_of(const Limits& limits) {
  const Millis least = std::min({limits.header_time, limits.body_time, limits.idle_time, limits.write_time,
                                 limits.linger_time, limits.heartbeat});
  return std::clamp(least / 4, Millis(1), Millis(250));
}

std::string address_text(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

/// Refused connections that may be told so at a time; beyond, they are closed without a word.
constexpr std::size_t most_refused = 64;
constexpr Millis accept_pause(100);

bool is_shortage(const boost::system::error_code& error) {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system ||
         error == boost::system::errc::no_buffer_space || error == boost::system::errc::not_enough_memory;
}

}  // namespace

class Server::Core final : public ConnectionHost, public std::enable_shared_from_this<Server::Core> {
 public:
  Core(asio::io_context& io, const RouteTable& table, ServerOptions options)
      : io_(io),
        options_(std::move(options)),
        gate_(table, options_.gate),
        tick_(tick_of(options_.limits)),
        ticker_(io),
        grace_(io) {}

  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);
  void stop(Millis grace, std::function<void()> done);
  void cut_all();
  std::size_t connections() const { return connections_.size(); }

  const ServerOptions& options() const override { return options_; }
  const Gate& gate() const override { return gate_; }
  std::string_view date() override;
  bool stopping() const override { return stopping_; }
  void soon(std::function<void()> what) override;
  void closed(Connection& connection) override;

 private:
  struct Listener {
    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };

  void accept(Listener& listener);
  void take(tcp::socket socket);
  void wait_for_tick();
  void finish_if_empty();
  void warn(const std::string& text) const {
    if (options_.on_warning) options_.on_warning(text);
  }

  asio::io_context& io_;
  ServerOptions options_;
  Gate gate_;
  Millis tick_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::map<Connection*, std::shared_ptr<Connection>> connections_;
  std::map<std::string, std::size_t> per_address_;
  std::size_t refused_ = 0;
  asio::steady_timer ticker_;
  bool ticking_ = false;
  asio::steady_timer grace_;
  bool stopping_ = false;
  std::function<void()> done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< Gone when nothing may be called any more.
  std::time_t date_second_ = 0;
  std::string date_;
};

Result<std::uint16_t> Server::Core::listen(const std::string& address, std::uint16_t port) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
  const std::string where = address + ":" + std::to_string(port);
  if (error)
    return Problem{.where = where,
                   .what = "this is no address of a network interface",
                   .right = "for example 127.0.0.1, ::1 or localhost"};
  if (!ip.is_loopback() && !options_.allow_remote)
    return Problem{.where = where,
                   .what = "others could reach this address, and nothing is encrypted",
                   .right = "listen on 127.0.0.1"};
  auto listener = std::make_unique<Listener>(Listener{tcp::acceptor(io_), asio::steady_timer(io_)});
  tcp::acceptor& acceptor = listener->acceptor;
  acceptor.open(ip.is_v6() ? tcp::v6() : tcp::v4(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && ip.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind({ip, port}, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error)
    return Problem{.where = where,
                   .what = "cannot listen there: " + error.message(),
                   .right = error == boost::system::errc::address_in_use ? "name another port" : ""};
  if (ip.is_unspecified()) {
    gate_.answer_to_addresses();
  } else {
    gate_.answer_to(ip.to_string());
  }
  const std::uint16_t bound = acceptor.local_endpoint().port();
  listeners_.push_back(std::move(listener));
  accept(*listeners_.back());
  return bound;
}

void Server::Core::accept(Listener& listener) {
  listener.acceptor.async_accept(
      [self = shared_from_this(), &listener](const boost::system::error_code& error, tcp::socket socket) {
        if (self->stopping_ || error == asio::error::operation_aborted) return;
        if (!error) self->take(std::move(socket));
        if (!is_shortage(error)) return self->accept(listener);
        self->warn("no connection can be accepted: " + error.message());
        listener.pause.expires_after(accept_pause);
        listener.pause.async_wait([self, &listener](const boost::system::error_code& cancelled) {
          if (!cancelled && !self->stopping_) self->accept(listener);
        });
      });
}

void Server::Core::take(tcp::socket socket) {
  boost::system::error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;  // it is gone already
  socket.set_option(tcp::no_delay(true), error);
  const std::string peer = address_text(remote.address());
  const bool full = connections_.size() - refused_ >= options_.limits.connections;
  const auto of_peer = per_address_.find(peer);
  const bool greedy = of_peer != per_address_.end() && of_peer->second >= options_.limits.per_address;
  if ((full || greedy) && refused_ >= most_refused) return;
  auto connection = Connection::make(*this, stream_over(std::move(socket), options_.layer), peer);
  Connection& taken = *connection;
  connections_.emplace(&taken, std::move(connection));
  if (full || greedy) {
    ++refused_;
    taken.refuse(full ? "Too many connections. Try again later."
                      : "Too many connections from your address. Close some.");
  } else {
    ++per_address_[peer];
    taken.start();
  }
  if (!ticking_) wait_for_tick();
}

void Server::Core::soon(std::function<void()> what) {
  asio::post(io_, [alive = std::weak_ptr<bool>(alive_), what = std::move(what)] {
    if (!alive.expired()) what();
  });
}

void Server::Core::closed(Connection& connection) {
  const auto self = shared_from_this();  // `done` may be where the server is destroyed
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  if (connection.refused()) {
    --refused_;
  } else if (const auto of_peer = per_address_.find(connection.peer()); --of_peer->second == 0) {
    per_address_.erase(of_peer);
  }
  connections_.erase(found);
  finish_if_empty();
}

void Server::Core::wait_for_tick() {
  ticking_ = true;
  ticker_.expires_after(tick_);
  ticker_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    self->ticking_ = false;
    if (cancelled) return;
    std::vector<std::shared_ptr<Connection>> all;
    all.reserve(self->connections_.size());
    for (const auto& [key, connection] : self->connections_) all.push_back(connection);
    const Clock::time_point now = Clock::now();
    for (const auto& connection : all) connection->look_at_clock(now);
    if (!self->connections_.empty() && !self->ticking_) self->wait_for_tick();
  });
}

std::string_view Server::Core::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    // Not strftime: its names depend on the locale.
    constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    date_ = std::string(days[static_cast<std::size_t>(parts.tm_wday)]) + ", " + two(parts.tm_mday) + " " +
            months[static_cast<std::size_t>(parts.tm_mon)] + " " + std::to_string(1900 + parts.tm_year) +
            " " + two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec) + " GMT";
  }
  return date_;
}

void Server::Core::stop(Millis grace, std::function<void()> done) {
  if (stopping_) return;
  stopping_ = true;
  done_ = std::move(done);
  for (const auto& listener : listeners_) {
    boost::system::error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->wind_down();
  grace_.expires_after(grace);
  grace_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    std::vector<std::shared_ptr<Connection>> late;
    for (const auto& [key, connection] : self->connections_) late.push_back(connection);
    for (const auto& connection : late) connection->cut();
  });
  // Never from within stop(): the caller may not be ready for it.
  asio::post(io_, [self = shared_from_this()] { self->finish_if_empty(); });
}

void Server::Core::finish_if_empty() {
  if (!stopping_ || !connections_.empty() || !done_) return;
  grace_.cancel();
  ticker_.cancel();
  std::exchange(done_, nullptr)();
}

void Server::Core::cut_all() {
  stopping_ = true;
  alive_.reset();
  done_ = nullptr;
  options_.on_answered = nullptr;
  options_.on_warning = nullptr;
  for (const auto& listener : listeners_) {
    boost::system::error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
  ticker_.cancel();
  grace_.cancel();
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->cut();
}

Server::Server(asio::io_context& io, const RouteTable& table, ServerOptions options)
    : core_(std::make_shared<Core>(io, table, std::move(options))) {}
Server::~Server() { core_->cut_all(); }

Result<std::uint16_t> Server::listen(const std::string& address, std::uint16_t port) {
  return core_->listen(address, port);
}

void Server::stop(std::chrono::milliseconds grace, std::function<void()> done) {
  core_->stop(grace, std::move(done));
}

std::size_t Server::connections() const { return core_->connections(); }

}  // namespace duet::live::http
