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
    for (const Held& held : held_) due = std::min(due, held.kill_at);
  for (const Watched& watched : watched_) due = std::min(due, watched.due);
  if (due == kNever) return std::nullopt;
  return due;
}

void Agent::on(const agent::Boot& event) {
  // A new life remembers nothing of the one before.
  node_ = {};
  register_serial_ = 0;
  launch_floor_ = 0;
  held_.clear();
  watched_.clear();
  probes_ = 0;
  unacknowledged_ = 0;
  timed_ = 0;
  boot_ = event.nonce;
  // What it started and what outlived it, the runtime knows.
  for (const agent::Adopted& adopted : event.adopted) {
    if (mutated(Mutant::kAdoptsNothing)) break;
    Held& held = hold(adopted.attempt);
    held.worker = adopted.worker;
    held.phase = adopted.running ? Phase::kRunning : Phase::kEnded;
    held.outcome = adopted.outcome;
    held.exit_code = adopted.exit_code;
    held.cpu = adopted.cpu;
    held.health = adopted.health;
    if (!adopted.kept.empty() && adopted.ordered != Outcome::kKilled)
      held.kept = std::make_shared<const msg::Keep>(adopted.kept.front());
    if (adopted.ordered) {
      held.terminated = true;
      held.timed_out = *adopted.ordered == Outcome::kTimedOut;
      held.orphaned = *adopted.ordered == Outcome::kLost;
      held.unhealthy = *adopted.ordered == Outcome::kUnhealthy;
      if (!adopted.running) held.outcome = name_of_end(held);
      if (adopted.running) set_kill_at(held, now_ + config_.kill_grace);
    } else if (adopted.running && adopted.timeout_left > Duration{0})
      set_kill_at(held, saturating_add(now_, adopted.timeout_left));
    unacknowledged_ += adopted.running ? 0 : 1;
    if (adopted.running && !adopted.ordered) watch(held, true);
  }
  for (const Held& held : held_)
    if (held.worker && held.phase == Phase::kRunning)
      if (const Held* worker = find(*held.worker); worker == nullptr || worker->phase == Phase::kEnded)
        end_operations(*held.worker);
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
      repeat();
    }
  }
  if (!watched_.empty()) probe_due();
  if (timed_ == 0) return;
  for (Held& held : held_) {
    if (held.kill_at > now_) continue;
    if (!held.terminated) held.timed_out = true;
    terminate(held);
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
  std::vector<msg::Keep> kept;
  for (const Held& held : held_) {
    body.held.push_back(held.attempt);
    if (held.kept != nullptr) kept.push_back(*held.kept);
  }
  if (kept.empty())
    report(std::move(body));
  else
    report(msg::Rejoin{std::move(body), std::move(kept)});
  resend_at_ = now_ + config_.resend_after;
}

void Agent::report_end(const Held& held) {
  report(msg::AttemptEnded{held.attempt, held.outcome, held.exit_code, held.cpu});
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
  if (const auto* noted = std::get_if<msg::Noted>(&message.body)) received(*noted);
  if (const auto* keep = std::get_if<msg::Keep>(&message.body)) received(*keep);
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
  tell_again();
  repeat();
}

/// Says again what the controller may never have heard: how attempts ended, and which workers ask.
void Agent::repeat() {
  for (Held& held : held_) {
    if (held.phase == Phase::kEnded) report_end(held);
    if (held.asking && !mutated(Mutant::kAsksOnce)) ask(held);
  }
  for (const Watched& watched : watched_)
    if (!watched.noted) tell(watched);
  resend_at_ = unacknowledged_ > 0 ? now_ + config_.resend_after : kNever;
}

void Agent::received(const msg::Launch& body) {
  const Held* const here = find(body.attempt);
  const bool fresh = body.serial > launch_floor_ || mutated(Mutant::kDuplicateLaunchRuns);
  launch_floor_ = std::max(launch_floor_, body.serial);
  if (here != nullptr && !mutated(Mutant::kDuplicateLaunchRuns)) {
    // Already here: the report of its start, or of its end, got lost.
    if (here->phase == Phase::kRunning) report(msg::AttemptStarted{body.attempt});
    if (here->phase == Phase::kEnded) report_end(*here);
    return;
  }
  if (!fresh) return;
  Held* const worker = body.worker ? find(*body.worker) : nullptr;
  if (worker != nullptr) stop_asking(*worker);
  const bool served = worker != nullptr && worker->phase == Phase::kRunning && !worker->terminated;
  Held& held = hold(body.attempt);
  held.timeout = body.timeout;
  held.health = body.work.health;
  held.worker = body.worker;
  if (body.worker && !served) {  // Its worker has ended, or is about to.
    held.phase = Phase::kEnded;
    held.outcome = Outcome::kLost;
    return ended(held);
  }
  out_->push_back(
      agent::Launch{body.attempt, body.worker, body.work, body.cpu_m, body.threads, body.timeout});
  if (mutated(Mutant::kEndBeforeStart)) report(msg::AttemptEnded{body.attempt, Outcome::kSucceeded, 0});
}

/// The entry of this attempt, or null.
Agent::Held* Agent::find(AttemptId attempt) {
  const auto at = std::lower_bound(held_.begin(), held_.end(), attempt);
  return at != held_.end() && at->attempt == attempt ? &*at : nullptr;
}

/// A fresh entry for the attempt. Others may move.
Agent::Held& Agent::hold(AttemptId attempt) {
  const auto at = std::lower_bound(held_.begin(), held_.end(), attempt);
  Held fresh;
  fresh.attempt = attempt;
  if (at == held_.end() || at->attempt != attempt) return *held_.insert(at, fresh);
  return *at = fresh;
}

void Agent::received(const msg::Kill& body) {
  if (!mutated(Mutant::kKillVoidsNothing)) launch_floor_ = std::max(launch_floor_, body.serial);
  Held* const here = find(body.attempt);
  if (here == nullptr) {
    // Its launch never came, or its end is already forgotten: say that it is not here, until that is known.
    Held& held = hold(body.attempt);
    held.phase = Phase::kEnded;
    held.outcome = Outcome::kKilled;
    ended(held);
    return;
  }
  here->kept.reset();  // Nobody is to take it over.
  if (here->phase == Phase::kEnded)
    report_end(*here);
  else if (!here->terminated)
    terminate(*here);
}

void Agent::received(const msg::Keep& body) {
  Held* const here = find({body.task.task, body.task.attempt});
  if (here == nullptr || here->phase == Phase::kEnded || here->terminated) return;
  here->kept = std::make_shared<const msg::Keep>(body);
  out_->emplace_back(body);
}

void Agent::received(const msg::Ack& body) {
  if (!mutated(Mutant::kKillVoidsNothing)) launch_floor_ = std::max(launch_floor_, body.serial);
  Held* const here = find(body.attempt);
  if (here == nullptr || here->phase != Phase::kEnded) return;
  held_.erase(held_.begin() + (here - held_.data()));
  out_->push_back(agent::Forget{body.attempt});
  if (--unacknowledged_ == 0) resend_at_ = kNever;
}

/// What its end is called if it was told to end. Who failed its health check did not succeed, whatever it
/// says when it is told; else a success stands.
Outcome Agent::name_of_end(const Held& held) {
  if (held.unhealthy) return Outcome::kUnhealthy;
  if (held.phase == Phase::kEnded && held.outcome == Outcome::kSucceeded) return Outcome::kSucceeded;
  return held.timed_out ? Outcome::kTimedOut : held.orphaned ? Outcome::kLost : Outcome::kKilled;
}

/// The first call is polite (unless there is no grace), the next ones are not; the runtime answers with
/// Exited.
void Agent::terminate(Held& held) {
  const bool force = held.terminated || config_.kill_grace == Duration{0};
  out_->push_back(agent::Terminate{held.attempt, force, name_of_end(held)});
  held.terminated = true;
  stop_watching(held);
  set_kill_at(held, now_ + (force ? std::max(config_.kill_grace, config_.resend_after) : config_.kill_grace));
}

void Agent::set_kill_at(Held& held, Instant at) {
  timed_ += (at != kNever) - (held.kill_at != kNever);
  held.kill_at = at;
}

void Agent::on(const agent::Started& event) {
  Held* const held = find(event.attempt);
  if (held == nullptr || held->phase != Phase::kLaunching) return;
  held->phase = Phase::kRunning;
  if (held->timeout > Duration{0} && !held->terminated && !mutated(Mutant::kNoTimeout))
    set_kill_at(*held, saturating_add(now_, held->timeout));
  if (!held->terminated) watch(*held);
  if (registered()) report(msg::AttemptStarted{event.attempt});
}

void Agent::on(const agent::Exited& event) {
  Held* const held = find(event.attempt);
  if (held == nullptr || held->phase == Phase::kEnded) return;
  held->phase = Phase::kEnded;
  held->outcome = event.outcome;
  held->exit_code = event.exit_code;
  held->cpu = event.cpu;
  // What ended because we ended it did not fail or succeed by itself.
  if (held->terminated) held->outcome = name_of_end(*held);
  stop_asking(*held);
  stop_watching(*held);
  ended(*held);
  end_operations(event.attempt);
}

/// A worker is gone: nothing executes its operations any more.
void Agent::end_operations(AttemptId worker) {
  if (mutated(Mutant::kOrphansRunOn)) return;
  for (Held& held : held_) {
    if (held.worker != worker || held.phase == Phase::kEnded || held.orphaned) continue;
    held.orphaned = !held.terminated;
    out_->push_back(agent::Terminate{held.attempt, true, name_of_end(held)});
    held.terminated = true;
    stop_watching(held);
    set_kill_at(held, now_ + std::max(config_.kill_grace, config_.resend_after));
  }
}

void Agent::on(const agent::Asked& event) {
  Held* const held = find(event.worker);
  if (held == nullptr || held->phase != Phase::kRunning || held->asking) return;
  held->asking = true;
  ++unacknowledged_;
  if (!registered()) return;
  ask(*held);
  resend_at_ = std::min(resend_at_, now_ + config_.resend_after);
}

/// Each time under a new number: an ask that was granted may be made again, if the grant came to nothing.
void Agent::ask(Held& worker) { report(msg::Ask{worker.attempt, ++worker.asked}); }

void Agent::stop_asking(Held& worker) {
  if (worker.asking) --unacknowledged_;
  worker.asking = false;
}

void Agent::ended(Held& held) {
  set_kill_at(held, kNever);
  ++unacknowledged_;
  if (!registered()) return;
  report_end(held);
  if (mutated(Mutant::kNoEndResend)) return;
  resend_at_ = std::min(resend_at_, now_ + config_.resend_after);
}

}  // namespace duet
