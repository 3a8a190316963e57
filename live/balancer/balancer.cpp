#include "live/balancer/balancer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace duet::live {
namespace {

using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

/// Without a free file, say: nobody is accepted for a moment.
constexpr auto kAfterFailure = std::chrono::milliseconds(100);
constexpr std::size_t kRelayBytes = std::size_t{16} << 10;

}  // namespace

/// One connection, with the one to its replica. It lives as long as a handler of it is under way.
class Balancer::Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(asio::io_context& io, Balancer& balancer, Tcp::socket client)
      : balancer_(&balancer), client_(std::move(client)), replica_(io), timer_(io) {}

  void begin(std::vector<Backend> candidates) {
    candidates_ = std::move(candidates);
    try_next();
  }

  /// No handler calls the balancer after this.
  void stop() {
    balancer_ = nullptr;
    timer_.cancel();
    Error ignored;
    client_.close(ignored);
    replica_.close(ignored);
  }

  bool connected() const { return connected_; }
  const Backend& backend() const { return backend_; }
  std::list<std::shared_ptr<Relay>>::iterator place{};

 private:
  struct Direction {
    std::array<char, kRelayBytes> bytes{};
    bool over = false;
  };

  void try_next() {
    if (next_ == candidates_.size()) return close();
    backend_ = candidates_[next_++];
    ++balancer_->load_[backend_];
    Error ignored;
    replica_.close(ignored);
    timer_.expires_after(balancer_->options_.connect_timeout);
    timer_.async_wait([self = shared_from_this(), tried = next_](const Error& error) {
      // Ends the attempt to connect, which then tries the next one.
      Error none;
      if (!error && self->balancer_ != nullptr && self->next_ == tried && !self->connected_)
        self->replica_.close(none);
    });
    replica_.async_connect(backend_, [self = shared_from_this()](const Error& error) {
      if (self->balancer_ == nullptr) return;
      self->timer_.cancel();
      if (!error) return self->relay();
      self->balancer_->unload(self->backend_);
      self->try_next();
    });
  }

  void relay() {
    connected_ = true;
    ++balancer_->served_;
    Error ignored;
    for (Tcp::socket* socket : {&client_, &replica_}) {
      socket->set_option(Tcp::no_delay(true), ignored);
      socket->set_option(Tcp::socket::keep_alive(true), ignored);
    }
    read(client_, replica_, up_);
    read(replica_, client_, down_);
  }

  void read(Tcp::socket& from, Tcp::socket& to, Direction& direction) {
    from.async_read_some(asio::buffer(direction.bytes), [self = shared_from_this(), &from, &to, &direction](
                                                            const Error& error, std::size_t count) {
      if (self->balancer_ == nullptr) return;
      if (error == boost::asio::error::eof) return self->half_close(to, direction);
      if (error) return self->close();
      asio::async_write(to, asio::buffer(direction.bytes, count),
                        [self, &from, &to, &direction](const Error& failed, std::size_t) {
                          if (self->balancer_ == nullptr) return;
                          if (failed) return self->close();
                          self->read(from, to, direction);
                        });
    });
  }

  /// All of it has been passed on: so is its end. The other direction may go on.
  void half_close(Tcp::socket& to, Direction& direction) {
    direction.over = true;
    Error ignored;
    to.shutdown(Tcp::socket::shutdown_send, ignored);
    if (up_.over && down_.over) close();
  }

  void close() {
    Balancer* const balancer = balancer_;
    stop();
    if (balancer != nullptr) balancer->end(*this);
  }

  Balancer* balancer_;
  Tcp::socket client_;
  Tcp::socket replica_;
  asio::steady_timer timer_;
  std::vector<Backend> candidates_;
  std::size_t next_ = 0;
  Backend backend_;
  bool connected_ = false;
  Direction up_;
  Direction down_;
};

Balancer::Balancer(asio::io_context& io, Options options, Replicas replicas)
    : io_(io), options_(std::move(options)), replicas_(std::move(replicas)), acceptor_(io), pause_(io) {}

Balancer::~Balancer() {
  *alive_ = false;
  for (const auto& relay : relays_) relay->stop();
}

Result<std::uint16_t> Balancer::listen() {
  Error error;
  const auto address = asio::ip::make_address(options_.host, error);
  const std::string where = options_.host + ':' + std::to_string(options_.port);
  if (error) return Problem{where, "is no address to listen on", "an IP address of this machine"};
  const Tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    Error ignored;
    acceptor_.close(ignored);
    return Problem{where, "cannot be listened on: " + error.message(), "a port that is free"};
  }
  options_.port = acceptor_.local_endpoint().port();
  accept();
  return options_.port;
}

void Balancer::accept() {
  if (accepting_ || relays_.size() >= options_.connections) return;
  accepting_ = true;
  acceptor_.async_accept([this, alive = alive_](const Error& error, Tcp::socket client) {
    if (!*alive || error == boost::asio::error::operation_aborted) return;
    accepting_ = false;
    if (error) {
      pause_.expires_after(kAfterFailure);
      return pause_.async_wait([this, still = alive](const Error& cancelled) {
        if (*still && !cancelled) accept();
      });
    }
    const auto relay = std::make_shared<Relay>(io_, *this, std::move(client));
    relay->place = relays_.insert(relays_.end(), relay);
    relay->begin(in_order());
    accept();
  });
}

void Balancer::unload(const Backend& backend) {
  const auto at = load_.find(backend);
  if (at != load_.end() && --at->second == 0) load_.erase(at);
}

void Balancer::end(Relay& relay) {
  if (relay.connected())
    unload(relay.backend());
  else
    ++refused_;
  relays_.erase(relay.place);
  accept();
}

/// Whom to try first: who has the fewest connections; among equals each in turn.
std::vector<Backend> Balancer::in_order() {
  std::vector<Backend> replicas = replicas_();
  if (replicas.empty()) return replicas;
  std::rotate(replicas.begin(), replicas.begin() + static_cast<std::ptrdiff_t>(turn_++ % replicas.size()),
              replicas.end());
  const auto load = [this](const Backend& backend) {
    const auto at = load_.find(backend);
    return at == load_.end() ? std::size_t{0} : at->second;
  };
  std::ranges::stable_sort(replicas, {}, load);
  return replicas;
}

}  // namespace duet::live
