#include "core/agent.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/mutation.h"

namespace duet {

Agent::Agent(AgentConfig config) : config_(std::move(config)) {}

void Agent::step(Instant now, const Event& event, Commands& out) {
  DUET_CHECK(now >= now_);
  now_ = now;
  out_ = &out;
  std::visit([this](const auto& e) { on(e); }, event);
  out_ = nullptr;
}

std::optional<Instant> Agent::next_deadline() const {
  Instant due = std::min(heartbeat_at_, resend_at_);
  if (timed_ > 0)
    for (const auto& [attempt, held] : held_) due = std::min(due, held.kill_at);
  if (due == kNever) return std::nullopt;
  return due;
}

void Agent::on(const agent::Boot& event) {
  // A new life remembers nothing of the one before.
  node_ = {};
  register_serial_ = 0;
  launch_floor_ = 0;
  held_.clear();
  unacknowledged_ = 0;
  timed_ = 0;
  boot_ = event.nonce;
  register_anew();
}

void Agent::on(const Wake&) {
  if (heartbeat_at_ <= now_) {
    report(msg::Heartbeat{});
    heartbeat_at_ = now_ + config_.heartbeat;
  }
  if (resend_at_ <= now_) {
    if (!registered()) {
      ask_to_register();
    } else {
      for (const auto& [attempt, held] : held_)
        if (held.phase == Phase::kEnded) report_end(attempt, held);
      resend_at_ = unacknowledged_ > 0 ? now_ + config_.resend_after : kNever;
    }
  }
  if (timed_ == 0) return;
  for (auto& [attempt, held] : held_) {
    if (held.kill_at > now_) continue;
    if (!held.terminated) held.timed_out = true;
    terminate(attempt, held);
  }
}

void Agent::register_anew() {
  epoch_ = {};
  heartbeat_at_ = kNever;
  ++register_serial_;
  ask_to_register();
}

/// What is held does not change while nobody can send launches or acknowledgements, so asking again says the
/// same.
void Agent::ask_to_register() {
  msg::Register body{config_.name, register_serial_, config_.offer, {}};
  for (const auto& [attempt, held] : held_) body.held.push_back(attempt);
  report(std::move(body));
  resend_at_ = now_ + config_.resend_after;
}

void Agent::report(decltype(msg::FromAgent::body) body) {
  out_->emplace_back(std::in_place_type<agent::Report>,
                     agent::Report{{node_, boot_, epoch_, std::move(body)}});
}

void Agent::report_end(AttemptId attempt, const Held& held) {
  report(msg::AttemptEnded{attempt, held.outcome, held.exit_code});
}

void Agent::on(const agent::Delivered& event) {
  const msg::ToAgent& message = event.message;
  // Meant for another life of this agent: an earlier registration's answer must not be believed.
  if (message.boot != boot_ && !mutated(Mutant::kIgnoreNonce)) return;
  if (std::holds_alternative<msg::Fenced>(message.body)) {
    if (message.epoch == epoch_) register_anew();
    return;
  }
  if (const auto* registered_as = std::get_if<msg::Registered>(&message.body)) {
    received(*registered_as, message);
    return;
  }
  if (message.epoch != epoch_) return;
  if (const auto* launch = std::get_if<msg::Launch>(&message.body)) received(*launch);
  if (const auto* kill = std::get_if<msg::Kill>(&message.body)) received(*kill);
  if (const auto* ack = std::get_if<msg::Ack>(&message.body)) received(*ack);
}

void Agent::received(const msg::Registered& body, const msg::ToAgent& message) {
  // Only an answer to the last registration: any other judged by attempts that were held earlier.
  const bool expected = (!registered() && body.serial == register_serial_) ||
                        (mutated(Mutant::kAnyRegisterAnswer) && message.epoch > epoch_);
  if (!expected && !mutated(Mutant::kIgnoreNonce)) return;
  node_ = body.node;
  epoch_ = message.epoch;
  launch_floor_ = 0;
  heartbeat_at_ = config_.heartbeat > Duration{0} ? now_ + config_.heartbeat : kNever;
  // The controller may never have heard how these ended.
  for (const auto& [attempt, held] : held_)
    if (held.phase == Phase::kEnded) report_end(attempt, held);
  resend_at_ = unacknowledged_ > 0 ? now_ + config_.resend_after : kNever;
}

void Agent::received(const msg::Launch& body) {
  const auto it = held_.find(body.attempt);
  const bool fresh = body.serial > launch_floor_ || mutated(Mutant::kDuplicateLaunchRuns);
  launch_floor_ = std::max(launch_floor_, body.serial);
  if (it != held_.end() && !mutated(Mutant::kDuplicateLaunchRuns)) {
    // Already here: the report of its start, or of its end, got lost.
    if (it->second.phase == Phase::kRunning) report(msg::AttemptStarted{body.attempt});
    if (it->second.phase == Phase::kEnded) report_end(body.attempt, it->second);
    return;
  }
  if (!fresh) return;
  Held& held = hold(body.attempt);
  held.timeout = body.timeout;
  out_->push_back(agent::Launch{body.attempt, body.work, body.width, body.threads});
  if (mutated(Mutant::kEndBeforeStart)) report(msg::AttemptEnded{body.attempt, Outcome::kSucceeded, 0});
}

/// A fresh entry for the attempt.
Agent::Held& Agent::hold(AttemptId attempt) {
  if (spare_.empty()) return held_[attempt] = {};
  spare_.key() = attempt;
  spare_.mapped() = {};
  return held_.insert(std::move(spare_)).position->second;
}

void Agent::received(const msg::Kill& body) {
  if (!mutated(Mutant::kKillVoidsNothing)) launch_floor_ = std::max(launch_floor_, body.serial);
  const auto it = held_.find(body.attempt);
  if (it == held_.end()) {
    // Its launch never came, or its end is already forgotten: say that it is not here, until that is known.
    Held& held = hold(body.attempt);
    held.phase = Phase::kEnded;
    held.outcome = Outcome::kKilled;
    ended(body.attempt, held);
    return;
  }
  if (it->second.phase == Phase::kEnded)
    report_end(body.attempt, it->second);
  else if (!it->second.terminated)
    terminate(body.attempt, it->second);
}

void Agent::received(const msg::Ack& body) {
  if (!mutated(Mutant::kKillVoidsNothing)) launch_floor_ = std::max(launch_floor_, body.serial);
  const auto it = held_.find(body.attempt);
  if (it == held_.end() || it->second.phase != Phase::kEnded) return;
  spare_ = held_.extract(it);
  if (--unacknowledged_ == 0) resend_at_ = kNever;
}

/// The first call is polite (unless there is no grace), the next ones are not; the runtime answers with
/// Exited.
void Agent::terminate(AttemptId attempt, Held& held) {
  const bool force = held.terminated || config_.kill_grace == Duration{0};
  out_->push_back(agent::Terminate{attempt, force});
  held.terminated = true;
  set_kill_at(held, now_ + (force ? std::max(config_.kill_grace, config_.resend_after) : config_.kill_grace));
}

void Agent::set_kill_at(Held& held, Instant at) {
  timed_ += (at != kNever) - (held.kill_at != kNever);
  held.kill_at = at;
}

void Agent::on(const agent::Started& event) {
  const auto it = held_.find(event.attempt);
  if (it == held_.end() || it->second.phase != Phase::kLaunching) return;
  Held& held = it->second;
  held.phase = Phase::kRunning;
  if (held.timeout > Duration{0} && !held.terminated) set_kill_at(held, saturating_add(now_, held.timeout));
  if (registered()) report(msg::AttemptStarted{event.attempt});
}

void Agent::on(const agent::Exited& event) {
  const auto it = held_.find(event.attempt);
  if (it == held_.end() || it->second.phase == Phase::kEnded) return;
  Held& held = it->second;
  held.phase = Phase::kEnded;
  held.outcome = event.outcome;
  held.exit_code = event.exit_code;
  // What ended because we ended it did not fail or succeed by itself.
  if (held.terminated && event.outcome != Outcome::kSucceeded)
    held.outcome = held.timed_out ? Outcome::kTimedOut : Outcome::kKilled;
  ended(event.attempt, held);
}

void Agent::ended(AttemptId attempt, Held& held) {
  set_kill_at(held, kNever);
  ++unacknowledged_;
  if (!registered()) return;
  report_end(attempt, held);
  if (mutated(Mutant::kNoEndResend)) return;
  resend_at_ = std::min(resend_at_, now_ + config_.resend_after);
}

}  // namespace duet
