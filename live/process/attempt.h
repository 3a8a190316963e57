// One attempt in its runner: started, watched, and ended so that nothing of it is left.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/machine.h"
#include "live/asio.h"
#include "live/process/cgroups.h"
#include "live/process/health_probe.h"
#include "live/process/invocation.h"
#include "live/process/output.h"
#include "live/process/ports.h"
#include "live/process/runner_messages.h"
#include "live/process/runner_options.h"
#include "live/process/spawner.h"
#include "live/process/task_folders.h"
#include "live/runtime/runtime.h"
#include "live/runtime/task_command.h"

namespace duet::live {

/// What the attempts of a runner share.
struct RunnerParts {
  asio::io_context& io;
  const RunnerOptions& options;
  Spawner& spawner;
  TaskFolders& folders;
  ControlGroups& groups;
  LogWriter& logs;
  Ports& ports;
};

class Attempt {
 public:
  struct Hooks {
    std::function<void()> started;
    std::function<void()> ended;  ///< Also if it could not be started. May not destroy the attempt.
    /// Without control groups: children of the runner that are the program of no attempt, and not, or not
    /// possibly, of another one that runs.
    std::function<std::vector<std::int64_t>()> orphans;
  };

  Attempt(const RunnerParts& parts, runner::Launch order, Hooks hooks);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  void start();
  void terminate(const agent::Terminate& order);
  /// Ends it at once, though nobody ordered that: it has failed.
  void kill() {
    if (phase_ == Phase::kRunning) kill_all();
  }
  /// Asks it whether it works, as its payload says; one question at a time, the last one. `done` is not
  /// called after destruction, nor if it does not run.
  void probe(const agent::Probe& order, std::function<void(bool healthy)> done);

  AttemptId id() const { return order_.order.attempt; }
  bool has_ended() const { return phase_ == Phase::kEnded; }
  bool is_starting() const { return phase_ == Phase::kStarting || (probe_ && probe_->is_starting()); }
  /// Nobody waits for the answer any more.
  void forget_probe() { probe_.reset(); }
  /// Of the program that asks it, while that is not reaped; else 0.
  std::int64_t probe_pid() const { return probe_ ? probe_->pid() : 0; }
  /// Of its program, while that is not reaped; else 0.
  std::int64_t pid() const { return reaped_ ? 0 : pid_; }
  /// How it ended, once it has. What was told to end did not fail by itself.
  agent::Exited exited() const {
    return {id(), ordered_ && outcome_ == Outcome::kFailed ? *ordered_ : outcome_, exit_code_,
            Duration(cpu_ns_)};
  }
  agent::Adopted adopted() const;
  void keep(const msg::Keep& order) { kept_ = {order}; }
  /// Its processor time measured now, if it runs; what look_closely() finds as it was at its last call.
  AttemptFacts facts() const;
  /// Looks at each of its processes: at their memory, and whether they keep to their processors.
  void look_closely();
  /// Of a worker that runs.
  std::optional<WorkerAddress> worker_address() const;
  /// It is a worker that runs and is to ask for operations.
  bool pulls() const { return command_.worker && command_.worker->pull && phase_ == Phase::kRunning; }
  /// Whether it left something behind that had to be killed, and is to be reaped now.
  bool left_orphans() const { return left_; }
  /// The variable that its processes begin with.
  std::string mark() const;

 private:
  enum class Phase : std::uint8_t { kStarting, kRunning, kEnding, kEnded };
  using Clock = std::chrono::steady_clock;

  std::optional<Problem> read_command();
  void put_in_port();
  std::vector<std::string> environment() const;
  void on_spawned(Result<std::shared_ptr<Spawned>> result);
  void watch();
  void reap();
  void end_rest();
  void wait_then_end_rest();
  void finish_if_drained();
  bool something_is_left() const;
  void finish();
  void fail(const Problem& problem, std::int32_t code);
  void signal_group(int signal) const;
  void kill_all();
  std::vector<std::int64_t> rest() const;
  std::vector<std::int64_t> processes() const;

  const RunnerParts parts_;
  const runner::Launch order_;
  Hooks hooks_;
  TaskCommand command_;
  bool own_folder_ = false;  ///< It runs in one of its own.
  Secret worker_token_;
  GroupLimits limits_;
  std::shared_ptr<std::shared_ptr<ControlGroup>> group_;  ///< Filled by the spawning thread.
  std::vector<std::uint32_t> ports_;

  Phase phase_ = Phase::kStarting;
  std::int64_t pid_ = 0;
  bool reaped_ = false;
  bool left_ = false;
  asio::posix::stream_descriptor pidfd_;
  std::unique_ptr<OutputPipe> out_;
  std::unique_ptr<OutputPipe> err_;
  int open_pipes_ = 0;
  std::unique_ptr<HealthProbe> probe_;
  std::optional<Outcome> ordered_;
  std::vector<msg::Keep> kept_;  ///< One at most: for a later agent.
  bool forced_ = false;
  Clock::time_point begun_{};
  asio::steady_timer timer_;
  Clock::time_point patience_ends_{};
  Clock::duration pause_{};

  Outcome outcome_ = Outcome::kSucceeded;
  std::int32_t exit_code_ = 0;
  std::int64_t cpu_ns_ = 0;  ///< Once it has ended.
  std::int64_t memory_ = 0;
  std::uint32_t strayed_ = 0;
  std::string reason_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
