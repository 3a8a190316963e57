// The balancers of a controller: one that its command line asks for, and one for each service whose document
// does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "live/balancer/balancer.h"
#include "live/driver/controller_driver.h"

namespace duet::live {

/// The replicas of a service that are ready, by their first port, as their agents gave it out. `name` empty:
/// of the service that was submitted first.
std::vector<Backend> ready_replicas(const Controller& machine, const ClusterView& view,
                                    const std::string& name);

class Balancers {
 public:
  using Warn = std::function<void(std::string)>;
  /// `driver` must outlive this, and have been started.
  Balancers(asio::io_context& io, const ControllerDriver& driver, std::string host, Warn warn);
  ~Balancers() { *alive_ = false; }

  /// Listens for as long as this lives. `service` as in ready_replicas().
  Result<std::uint16_t> add(const std::string& host, std::uint16_t port, std::string service);
  /// Looks from now on which services want a balancer ("balance" of their task), and which do not any more.
  /// Connections of a balancer that is not wanted any more are ended.
  void follow();
  std::size_t size() const { return fixed_.size() + wanted_.size(); }

 private:
  struct Wanted {
    std::shared_ptr<const std::string> payload;  ///< In which it says so.
    std::uint32_t port = 0;                      ///< 0: it says nothing.
    std::unique_ptr<Balancer> balancer;          ///< Null: its port is another's.
    bool warned = false;
  };
  void look();
  void open(JobId job, const std::string& name, Wanted& wanted);

  asio::io_context& io_;
  const ControllerDriver& driver_;
  const std::string host_;
  const Warn warn_;
  asio::steady_timer timer_;
  std::vector<std::unique_ptr<Balancer>> fixed_;
  std::map<JobId, Wanted> wanted_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
