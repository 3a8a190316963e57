// A gateway of operations: submit one over HTTP and wait for its result. Workers on the zones of the cluster
// execute them; which, and how many workers there are, the controller's policies decide.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/policy.h"
#include "live/api/gateway_settings.h"
#include "live/asio.h"
#include "live/driver/controller_driver.h"
#include "live/http/routes.h"

namespace duet::live {

/// The pool of the gateway, and the name of the service that its workers are.
inline constexpr const char* kGatewayPool = "gateway";

class Gateway {
 public:
  /// `driver` and `io` must outlive it; `driver` has been started. Makes the pool as soon as there is a node,
  /// or takes over the one that an earlier gateway left. `estimator`: the controller's, whose estimates the
  /// log holds against what was measured.
  Gateway(asio::io_context& io, ControllerDriver& driver, const GatewaySettings& settings,
          const PolicyChoice& estimator);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// POST /submit, GET /status, GET /health, GET /openapi.json. The table's server must be destroyed before
  /// this.
  void add_to(http::RouteTable& table, const std::string& version);
  /// Submissions that wait for their result.
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    http::Responder respond;
    std::string name;  ///< JOB-1734739200
    TaskSpec spec;
    Duration expected{0};
  };

  void tick();
  void make_pool();
  std::optional<std::uint32_t> zones() const;
  const LiveJob* pool() const;
  void submit(const http::Request& request, const http::Responder& respond);
  void accepted(JobId job, Waiting waiting);
  void look_at(JobId job);
  void sweep();
  http::Response answer(const JobView& job, const Waiting& waiting);
  std::string status_text() const;
  std::string next_name(bool& complete);
  std::uint32_t core_of(NodeId node, const ThreadSet& threads) const;
  const Controller& machine() const { return driver_.machine(); }

  asio::io_context& io_;
  ControllerDriver& driver_;
  const GatewaySettings settings_;
  std::unique_ptr<CpuEstimator> estimator_;
  asio::steady_timer timer_;
  EventLog::WatcherId watcher_ = 0;
  bool made_ = false;  ///< The pool is as it should be, or a request for it is under way.
  std::size_t nodes_seen_ = 0;
  std::uint32_t ticks_without_news_ = 0;
  std::map<JobId, Waiting> waiting_;
  std::int64_t last_second_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Twelve hexadecimal digits that stand for a worker where others show the id of a container: of its attempt
/// and of when that was placed, so the same as long as the process lives.
std::string short_id(AttemptId attempt, Instant placed);

}  // namespace duet::live
