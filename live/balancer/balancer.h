// Spreads TCP connections over the replicas of a service that are ready.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "live/asio.h"

namespace duet::live {

/// Where a replica listens.
using Backend = asio::ip::tcp::endpoint;

/// Each connection goes to the replica that has the fewest of this balancer's, in turn among equals. One that
/// cannot be reached is passed over for the next. A replica that is not ready any more gets no new
/// connections; those it has go on until somebody ends them. What one side sends arrives before its end does,
/// and an end in one direction leaves the other open.
class Balancer {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any that is free.
    /// At a time; who comes then waits in the system's queue until one has ended.
    std::size_t connections = 1000;
    std::chrono::milliseconds connect_timeout{2000};  ///< To one replica.
  };
  /// The replicas that are ready now; asked at each connection.
  using Replicas = std::function<std::vector<Backend>()>;

  Balancer(asio::io_context& io, Options options, Replicas replicas);
  /// Ends all connections.
  ~Balancer();
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  /// The port on which it listens from now on.
  Result<std::uint16_t> listen();
  std::uint16_t port() const { return options_.port; }
  /// Connections now, those that look for a replica included.
  std::size_t open() const { return relays_.size(); }
  std::uint64_t served() const { return served_; }    ///< Connections that reached a replica, ever.
  std::uint64_t refused() const { return refused_; }  ///< That reached none.

 private:
  class Relay;

  void accept();
  void end(Relay& relay);
  void unload(const Backend& backend);
  std::vector<Backend> in_order();

  asio::io_context& io_;
  Options options_;
  const Replicas replicas_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  bool accepting_ = false;
  std::list<std::shared_ptr<Relay>> relays_;
  std::map<Backend, std::size_t> load_;  ///< Connections of each.
  std::uint64_t turn_ = 0;
  std::uint64_t served_ = 0;
  std::uint64_t refused_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
