// cube's manager or worker in front of a controller, on a port of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/cube/facade.h"
#include "live/cube/manager.h"
#include "live/http/server.h"
#include "live/program/arguments.h"
#include "live/secret.h"

namespace duet::live::cube {

struct ServiceSettings {
  Arguments::Endpoint at{"127.0.0.1", 0};  ///< Port 0: there is none.
  bool worker = false;                     ///< Else a manager.
  std::vector<std::string> workers{};      ///< Of a manager.
  std::uint64_t sync_ms = 500;
  std::uint64_t stats_s = 15;
  std::uint64_t health_s = 15;
};

/// --cube, --cube-role, --cube-workers, --cube-sync-ms, --cube-stats-s, --cube-health-s. What `arguments`
/// does not say itself of mistakes is returned.
Problems read_settings(Arguments& arguments, ServiceSettings& settings);

class Service {
 public:
  /// `driver` and `settings` must outlive it.
  Service(asio::io_context& io, ControllerDriver& driver, const ServiceSettings& settings)
      : io_(io), driver_(driver), settings_(settings) {}

  /// To be called when the driver has started. `folder` is the controller's, `secret` what only it knows,
  /// `agents` has the times of workers' agents. Problems: the port cannot be had.
  Problems start(const std::string& folder, const Secret& secret, const AgentConfig& agents,
                 bool allow_remote);
  /// From the controller, if the link is one of a worker.
  bool send(LinkId link, const msg::ToAgent& message) { return manager_ && manager_->send(link, message); }

 private:
  asio::io_context& io_;
  ControllerDriver& driver_;
  const ServiceSettings& settings_;
  std::optional<Manager> manager_;
  std::optional<Facade> facade_;
  http::RouteTable routes_;
  std::optional<http::Server> server_;  // Last: it uses the others.
};

}  // namespace duet::live::cube
