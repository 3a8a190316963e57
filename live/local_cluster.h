// The smallest live cluster: one process holds the controller and its agents, the tasks are real processes.
// It only translates: clock readings, exits and requests into events, commands into processes and messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/agent.h"
#include "core/controller.h"
#include "core/trace.h"
#include "live/asio.h"
#include "live/child_process.h"

namespace duet::live {

struct LocalClusterOptions {
  ControllerConfig controller;
  std::vector<AgentConfig> agents;
  StepSink<Controller>* controller_sink = nullptr;  ///< Must outlive the cluster, as the next one.
  StepSink<Agent>* agent_sink = nullptr;
  std::function<void(Instant, const controller::Notice&)> on_notice;
  std::function<void(const controller::Reply&)> on_reply;
};

class LocalCluster {
 public:
  /// Boots all agents as soon as `io` runs. `io` must be run by one thread and outlive the cluster.
  LocalCluster(asio::io_context& io, LocalClusterOptions options);
  ~LocalCluster();

  /// Queues a request; it is answered through on_reply.
  void request(controller::Event event);
  std::size_t live_jobs() const { return controller_.machine().jobs().live(); }

 private:
  struct Node {
    std::unique_ptr<Traced<Agent>> agent;
    std::map<AttemptId, std::unique_ptr<ChildProcess>> processes;
  };
  using AgentEvent = std::pair<std::size_t, agent::Event>;

  Instant read_clock() const;
  void schedule_pump();
  void pump();
  void settle_messages();
  void step(const controller::Event& event);
  void step(std::size_t node, const agent::Event& event);
  void perform(std::size_t node, const agent::Command& command);
  void launch(std::size_t node, const agent::Launch& launch);
  void arm();

  asio::io_context& io_;
  LocalClusterOptions options_;
  Traced<Controller> controller_;
  std::vector<Node> nodes_;
  asio::steady_timer timer_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();

  Instant now_;  ///< Read once per batch.
  bool pump_scheduled_ = false;
  bool controller_touched_ = false;
  std::deque<controller::Event> requests_;
  std::deque<AgentEvent> agent_events_;
  std::deque<std::pair<std::size_t, msg::FromAgent>> to_controller_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
