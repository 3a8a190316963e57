// One of a manager's workers: the core's agent for it, here in the manager, which starts, watches and ends
// tasks by the worker's own HTTP interface. While the worker does not answer, nothing of this agent is heard.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/cube/health_call.h"
#include "live/cube/worker_answers.h"
#include "live/driver/agent_driver.h"
#include "live/serial_thread.h"

namespace duet::live::cube {

class WorkerLink final : private Runtime {
 public:
  struct Options {
    std::string address;  ///< "worker-1:5556", which is also the node's name.
    AgentConfig config;   ///< But for the name and the offer, which the worker tells.
    LinkId link;
    std::uint32_t tag = 0;                      ///< Of the manager: tells its events from those of others.
    std::chrono::milliseconds sync_every{500};  ///< Between two looks at the worker's tasks.
    std::chrono::seconds stats_every{15};
    HealthCheck check{};  ///< Of tasks of an earlier life that have one.
  };
  struct Hooks {
    std::function<void(LinkId, msg::FromAgent)> message;
    std::function<void(const AttemptFacts&)> learned;
    std::function<void(const AgentFacts&)> joined;
    /// The controller has it at work: what it does not want of an earlier life need not be told again.
    std::function<bool(AttemptId)> wanted;
    std::function<void(std::string)> warn;
  };

  WorkerLink(asio::io_context& io, Options options, Hooks hooks);
  /// Tasks go on. Waits for a request that is under way, 5 s at most.
  ~WorkerLink() override;

  void start() { look(); }
  /// From the controller.
  void deliver(msg::ToAgent message);
  bool reachable() const { return reachable_; }
  const std::string& address() const { return options_.address; }
  /// What the worker last told.
  const std::optional<WorkerStats>& stats() const { return stats_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// An attempt that is, or is to be, a task of the worker.
  struct Held {
    std::string event_id;
    std::string task_id;
    std::string body;  ///< Of POST /tasks; empty: it outlived an earlier life of the manager.
    bool accepted = false;
    bool started = false;
    bool ended = false;
    std::optional<Clock::time_point>
        conflict_since{};              ///< When the worker first had another task of that id.
    std::optional<Outcome> ordered{};  ///< Terminate::why.
    std::optional<HealthPlace> place{};
    std::unique_ptr<HealthCall> call{};  ///< The latest probe.
  };
  /// One turn of requests: made on the thread, answered on the io_context's.
  struct Turn;
  struct Thread;

  void open(Opened done) override;
  void launch(const agent::Launch& order) override;
  void terminate(const agent::Terminate& order) override;
  void probe(const agent::Probe& order) override;
  void keep(const msg::Keep&) override {}  ///< A worker of cube's knows its tasks, and nothing of their jobs.
  void forget(AttemptId attempt) override { held_.erase(attempt); }
  void sample(std::function<void(std::vector<AttemptFacts>)> done) override { done({}); }
  void shut_down(Duration, std::function<void()> done) override { done(); }

  void look();
  void look_soon();
  void look_later();
  void take(Turn& turn);
  void begin_with(const WorkerStats& stats);
  void adopt(const std::vector<WorkerTask>& tasks);
  void compare(const std::vector<WorkerTask>& tasks);
  void compare(AttemptId attempt, Held& held, const WorkerTask& task);
  void end(AttemptId attempt, Outcome outcome, std::int32_t code, const std::string& reason);
  void set_reachable(bool reachable, const std::string& why);
  bool active() const;

  asio::io_context& io_;
  Options options_;
  Hooks hooks_;
  asio::steady_timer timer_;
  std::optional<AgentDriver> driver_;
  std::map<AttemptId, Held> held_;
  std::vector<std::string> strays_;  ///< Tasks of an earlier life that nobody wants.
  Opened opened_;
  bool opening_ = false;
  bool reachable_ = false;
  bool told_ = false;
  bool looking_ = false;
  bool again_ = false;
  std::optional<WorkerStats> stats_;
  Clock::time_point stats_at_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::shared_ptr<Thread> thread_;
};

}  // namespace duet::live::cube
