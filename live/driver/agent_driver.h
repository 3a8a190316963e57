// The agent, live: messages and exits become events, its commands become processes and messages.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/agent.h"
#include "core/trace.h"
#include "live/driver/pump.h"
#include "live/runtime/runtime.h"

namespace duet::live {

struct AgentDriverOptions {
  AgentConfig config;
  StepSink<Agent>* recorder = nullptr;  ///< Null: nothing is recorded. Must outlive the driver.
  MachineIndex index = 1;               ///< In the recording.
  Instant zero{};                       ///< What its instants count from; the Unix epoch.
  std::function<void(const msg::FromAgent&)> send;
  std::function<void(const AttemptFacts&)> tell;  ///< Something people want to know.
  std::function<void()> booted;                   ///< A life has begun: what outlived the last one is known.
  std::function<void(bool)> registered;  ///< The controller took this node in, or does not know it any more.
  std::function<void(std::string)> warn;
};

class AgentDriver {
 public:
  AgentDriver(asio::io_context& io, AgentDriverOptions options);
  ~AgentDriver() { *alive_ = false; }

  /// What the runtime is to call. The runtime must not outlive the driver's use of it: see start().
  Runtime::Hooks hooks();
  /// Begins a life with what outlived the last one; again whenever the runtime is lost. `runtime` must
  /// outlive this, or be gone before `io` runs on.
  void start(Runtime& runtime);
  void delivered(msg::ToAgent message);

  /// The attempt was started here and its end is not known yet.
  bool runs(AttemptId attempt) const { return running_.contains(attempt); }
  const Agent& machine() const { return machine_.machine(); }
  const Pump::HeldUp& held_up() const { return pump_.held_up(); }

 private:
  void boot();
  void put(agent::Event event);
  bool play(Instant now);
  void step(Instant now, const agent::Event& event);
  void perform(const agent::Command& command);

  asio::io_context& io_;
  AgentDriverOptions options_;
  Runtime* runtime_ = nullptr;
  Traced<Agent> machine_;
  Pump pump_;
  asio::steady_timer retry_;
  bool booted_ = false;
  std::deque<agent::Event> inbox_;
  std::set<AttemptId> running_;
  std::map<AttemptId, AttemptFacts> results_;  ///< Of operations, told with each report of their end.
  agent::Commands commands_;                   ///< Of the step in progress; kept for its storage.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
