#include "live/driver/agent_driver.h"

#include <random>
#include <utility>

#include "core/check.h"

namespace duet::live {
namespace {

constexpr std::size_t kMaxAgentRound = 1024;
constexpr auto kRetryRuntime = std::chrono::seconds(1);

/// No two lives of an agent share it, whatever the clock does.
BootNonce fresh_nonce() {
  std::random_device device;
  return BootNonce{std::uint64_t{device()} << 32 | device()};
}

}  // namespace

AgentDriver::AgentDriver(asio::io_context& io, AgentDriverOptions options)
    : io_(io),
      options_(std::move(options)),
      machine_(Agent(options_.config), options_.index, options_.recorder),
      pump_(io, {[this](Instant now) { return play(now); },
                 [this] { return booted_ ? machine_.next_deadline().value_or(kNever) : kNever; }}),
      retry_(io) {
  DUET_CHECK(options_.send);
  if (!options_.tell) options_.tell = [](const AttemptFacts&) {};
  if (!options_.booted) options_.booted = [] {};
  if (!options_.registered) options_.registered = [](bool) {};
  if (!options_.warn) options_.warn = [](const std::string&) {};
  pump_.clock().count_from(options_.zero);
}

Runtime::Hooks AgentDriver::hooks() {
  Runtime::Hooks hooks;
  hooks.event = [this, alive = alive_](agent::Event event) {
    if (*alive) put(std::move(event));
  };
  hooks.fact = [this, alive = alive_](const AttemptFacts& facts) {
    if (!*alive) return;
    // A result that is lost on the way is told again, as the end is.
    if (facts.result.empty())
      options_.tell(facts);
    else
      results_[facts.attempt] = facts;
  };
  hooks.lost = [this, alive = alive_](const std::string& why) {
    if (!*alive) return;
    options_.warn("what ran here is lost: " + why);
    booted_ = false;
    inbox_.clear();
    running_.clear();
    results_.clear();
    boot();
  };
  return hooks;
}

void AgentDriver::start(Runtime& runtime) {
  runtime_ = &runtime;
  boot();
}

void AgentDriver::boot() {
  runtime_->open([this, alive = alive_](Result<std::vector<agent::Adopted>> outlived) {
    if (!*alive) return;
    if (outlived) {
      booted_ = true;
      for (const agent::Adopted& adopted : *outlived)
        if (adopted.running) running_.insert(adopted.attempt);
      inbox_.emplace_front(agent::Boot{fresh_nonce(), std::move(*outlived)});
      pump_.schedule();
      options_.booted();
      return;
    }
    for (const Problem& problem : outlived.problems()) options_.warn(problem.where + ": " + problem.what);
    retry_.expires_after(kRetryRuntime);
    retry_.async_wait([this, still = alive_](const boost::system::error_code& error) {
      if (*still && !error) boot();
    });
  });
}

void AgentDriver::delivered(msg::ToAgent message) {
  if (booted_) put(agent::Delivered{std::move(message)});
}

void AgentDriver::put(agent::Event event) {
  if (const auto* exited = std::get_if<agent::Exited>(&event)) running_.erase(exited->attempt);
  inbox_.push_back(std::move(event));
  pump_.schedule();
}

bool AgentDriver::play(Instant now) {
  if (!booted_) return false;
  if (const auto due = machine_.next_deadline(); due && *due <= now) step(now, Wake{});
  for (std::size_t n = 0; n < kMaxAgentRound && !inbox_.empty(); ++n) {
    const agent::Event event = std::move(inbox_.front());
    inbox_.pop_front();
    step(now, event);
  }
  return !inbox_.empty();
}

void AgentDriver::step(Instant now, const agent::Event& event) {
  commands_.clear();
  const bool registered = machine().registered();
  machine_.step(now, event, commands_);
  for (const agent::Command& command : commands_) perform(command);
  if (machine().registered() != registered) options_.registered(!registered);
}

void AgentDriver::perform(const agent::Command& command) {
  if (const auto* report = std::get_if<agent::Report>(&command)) {
    if (const auto* ended = std::get_if<msg::AttemptEnded>(&report->message.body))
      if (const auto result = results_.find(ended->attempt); result != results_.end())
        options_.tell(result->second);
    options_.send(report->message);
  } else if (const auto* order = std::get_if<agent::Terminate>(&command))
    runtime_->terminate(*order);
  else if (const auto* question = std::get_if<agent::Probe>(&command))
    runtime_->probe(*question);
  else if (const auto* start = std::get_if<agent::Launch>(&command)) {
    running_.insert(start->attempt);
    runtime_->launch(*start);
  } else if (const auto* keep = std::get_if<msg::Keep>(&command)) {
    runtime_->keep(*keep);
  } else {
    const AttemptId attempt = std::get<agent::Forget>(command).attempt;
    results_.erase(attempt);
    runtime_->forget(attempt);
  }
}

}  // namespace duet::live
