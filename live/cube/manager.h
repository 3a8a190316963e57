// A manager's workers together: dialled, and shown as nodes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "live/cube/worker_link.h"
#include "live/driver/controller_driver.h"

namespace duet::live::cube {

class Manager {
 public:
  struct Options {
    std::vector<std::string> workers;  ///< HOST:PORT of each; the names of their nodes.
    AgentConfig config;                ///< Of their agents: times.
    /// What only this manager knows, so that its tasks at a worker are told from another's.
    std::string secret;
    std::chrono::milliseconds sync_every{500};
    std::chrono::seconds stats_every{15};
    HealthCheck check{};  ///< Of tasks of an earlier life that have one.
  };

  /// `driver` must outlive it.
  Manager(asio::io_context& io, ControllerDriver& driver, const Options& options,
          const std::function<void(std::string)>& warn);

  /// To be called when the driver has started.
  void start();
  /// From the controller, if the link is one of its.
  bool send(LinkId link, const msg::ToAgent& message);
  /// As GET /nodes shows them: memory in kB, disk in bytes.
  Json nodes() const;

 private:
  Json node(const WorkerLink& worker) const;

  ControllerDriver& driver_;
  std::vector<std::unique_ptr<WorkerLink>> workers_;
};

/// "worker-1:5556,worker-2:5557" as its parts; Problems name those that are no HOST:PORT, or twice.
Result<std::vector<std::string>> worker_addresses(const std::string& list);

}  // namespace duet::live::cube
