// One operation in its runner: handed to the worker that is to execute it, over HTTP, and watched until that
// answers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/machine.h"
#include "live/asio.h"
#include "live/http/call.h"
#include "live/process/output.h"
#include "live/runtime/runtime.h"

namespace duet::live {

/// Where a worker of this runner takes operations.
struct WorkerAddress {
  std::uint16_t port = 0;
  Secret token;
};

class Invocation {
 public:
  struct Hooks {
    /// Of the worker, while it runs; nothing: it does not. Asked again until it is known.
    std::function<std::optional<WorkerAddress>()> worker;
    std::function<void()> started;
    std::function<void()> ended;  ///< Also if it could not be started. May not destroy the invocation.
    /// The worker does not stop it: nothing but its own end will.
    std::function<void()> end_worker;
  };

  /// `order` names a worker.
  Invocation(asio::io_context& io, LogWriter& logs, agent::Launch order, Hooks hooks);
  ~Invocation();
  Invocation(const Invocation&) = delete;
  Invocation& operator=(const Invocation&) = delete;

  void start();
  void terminate(const agent::Terminate& order);
  /// Its worker has ended, and with it whatever it did.
  void worker_ended();

  AttemptId id() const { return order_.attempt; }
  AttemptId worker() const { return *order_.worker; }
  bool has_ended() const { return ended_; }
  /// How it ended, once it has. What was told to end did not fail by itself.
  agent::Exited exited() const;
  agent::Adopted adopted() const;
  void keep(const msg::Keep& order) { kept_ = {order}; }
  AttemptFacts facts() const;

 private:
  using Clock = std::chrono::steady_clock;

  void hand_over();
  void on_answer(const http::Reply& reply);
  void read_result(const std::string& body);
  void read_problem(const http::Reply& reply);
  void cancel();
  void finish(Outcome outcome, std::int32_t code, std::string reason);
  void write_log();
  void after(Clock::duration pause, void (Invocation::*what)());
  void give_up_on_worker();

  asio::io_context& io_;
  LogWriter& logs_;
  const agent::Launch order_;
  Hooks hooks_;
  asio::steady_timer timer_;
  std::unique_ptr<http::Call> call_;
  std::unique_ptr<http::Call> cancel_;
  Clock::time_point patience_ends_{};
  Clock::time_point begun_{};
  bool started_ = false;
  bool ended_ = false;
  bool broken_ = false;  ///< The worker broke off; perhaps because it is ending.
  std::optional<Outcome> ordered_;
  std::vector<msg::Keep> kept_;  ///< One at most: for a later agent.
  bool forced_ = false;
  Outcome outcome_ = Outcome::kSucceeded;
  std::int32_t exit_code_ = 0;
  std::string reason_;
  std::string result_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
