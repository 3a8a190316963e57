// A scenario on a cluster of this machine: real agents, real processes, real time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/asio.h"
#include "live/driver/agent_driver.h"
#include "live/driver/controller_driver.h"
#include "live/process/process_runtime.h"
#include "live/secret.h"
#include "live/store/store.h"
#include "live/wire/agent_port.h"
#include "live/wire/controller_link.h"
#include "sim/results.h"
#include "sim/step_results.h"
#include "tools/duet-live/live_work.h"

namespace duet::live_run {

struct LiveRunOptions {
  Translation how;
  std::string folder;                               ///< Of the cluster; is there.
  std::string runner;                               ///< Path of duet-runner.
  StepSink<Controller>* controller_sink = nullptr;  ///< Must outlive the run, as the next.
  StepSink<Agent>* agent_sink = nullptr;
};

/// The drivers are those of duet-controller and duet-agent, with their connections and one runner for each
/// node; they share one process, so that one clock tells the order of what happened.
class LiveRun {
 public:
  /// `scenario` must outlive it.
  LiveRun(const sim::Scenario& scenario, LiveRunOptions options);
  ~LiveRun();

  /// Runs it to its end. Problems: nodes do not come up, or it was interrupted; nothing is left running.
  Result<sim::Results> play();

 private:
  struct Node {
    std::optional<live::AgentDriver> driver;
    std::unique_ptr<live::ProcessRuntime> runtime;
    std::optional<live::wire::ControllerLink> link;
    bool registered = false;
  };
  /// The steps, in one order, to all who want them.
  class Sinks final : public StepSink<Controller>, public StepSink<Agent> {
   public:
    explicit Sinks(LiveRun& run) : run_(run) {}
    void record(MachineIndex machine, Instant now, const controller::Event& event,
                const controller::Commands& commands, std::size_t first) override;
    void record(MachineIndex machine, Instant now, const agent::Event& event, const agent::Commands& commands,
                std::size_t first) override;

   private:
    LiveRun& run_;
  };
  using Clock = std::chrono::steady_clock;

  Problems start();
  void start_controller();
  Problems start_node(std::uint32_t index, const live::Processors& machine);
  void connect(std::uint32_t index);
  void begin_workload();
  void advance();
  void submit(const sim::Arrival& arrival);
  void perform(const sim::OperatorEvent& event);
  void watch_for_stall();
  Clock::time_point due(Instant at) const;
  bool over() const;
  void end(Problems problems);
  void shut_down();

  const sim::Scenario& scenario_;
  LiveRunOptions options_;
  live::asio::io_context io_{1};
  live::asio::signal_set signals_;
  live::asio::steady_timer next_;  ///< The next thing of the scenario.
  live::asio::steady_timer patience_;
  live::asio::steady_timer quiet_;
  Instant zero_;
  live::Secret token_;
  std::unique_ptr<live::Store> store_;
  Sinks sinks_{*this};
  sim::StepResults results_;
  std::optional<live::wire::AgentPort> agents_;
  std::optional<live::ControllerDriver> driver_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<sim::ArrivalSource> source_;
  std::optional<sim::Arrival> arrival_;
  std::size_t next_event_ = 0;
  std::uint64_t unanswered_ = 0;
  std::map<std::string, std::vector<JobId>> ids_;  ///< By key.
  Clock::time_point began_{};
  Instant begun_{};
  Instant ended_{};
  bool running_ = false;
  bool ending_ = false;
  bool stalled_ = false;
  bool horizon_ = false;
  std::size_t left_ = 0;  ///< Nodes that are still being shut down.
  Problems problems_;
};

}  // namespace duet::live_run
