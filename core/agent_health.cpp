// Health checks: when an attempt is asked whether it works, and what comes of the answers.
#include <algorithm>

#include "core/agent.h"
#include "core/mutation.h"

namespace duet {

Agent::Watched* Agent::find_watched(AttemptId attempt) {
  const auto at = std::lower_bound(watched_.begin(), watched_.end(), attempt,
                                   [](const Watched& one, AttemptId id) { return one.attempt < id; });
  return at != watched_.end() && at->attempt == attempt ? &*at : nullptr;
}

bool Agent::ready(AttemptId attempt) const {
  const auto here =
      std::find_if(held_.begin(), held_.end(), [&](const Held& held) { return held.attempt == attempt; });
  if (here == held_.end() || here->phase != Phase::kRunning || here->terminated) return false;
  const auto at = std::find_if(watched_.begin(), watched_.end(),
                               [&](const Watched& one) { return one.attempt == attempt; });
  return at == watched_.end() || at->ready;
}

/// The attempt runs: if it has a health check, it is asked from now on.
void Agent::watch(const Held& held, bool adopted) {
  if (!held.health) return;
  const HealthCheck& check = *held.health;
  Watched watched;
  watched.attempt = held.attempt;
  watched.adopted = adopted;
  watched.check = check;
  watched.counts_from = saturating_add(now_, check.start_period);
  watched.due = saturating_add(now_, check.interval);
  const auto at = std::lower_bound(watched_.begin(), watched_.end(), held.attempt,
                                   [](const Watched& one, AttemptId id) { return one.attempt < id; });
  watched_.insert(at, watched);
}

/// It has ended, or is told to: nobody asks it any more. That it is not to be relied on until its end is told
/// if the controller does not know that it is being ended.
void Agent::stop_watching(const Held& held) {
  Watched* const watched = find_watched(held.attempt);
  if (watched == nullptr) return;
  // The controller may rely on it: this life told so, or an earlier one may have.
  const bool relied_on = watched->told > 0 || watched->adopted;
  if (held.phase != Phase::kEnded && (held.unhealthy || held.timed_out) && relied_on) {
    watched->asking = 0;
    watched->due = kNever;
    if (watched->ready || watched->told == 0) set_ready(*watched, false);
    return;
  }
  if (!watched->noted) --unacknowledged_;
  watched_.erase(watched_.begin() + (watched - watched_.data()));
}

/// Asks who is due, and takes probes without an answer for failed.
void Agent::probe_due() {
  // Who is ended is watched no more: by position, from behind.
  for (std::size_t i = watched_.size(); i-- > 0;) {
    Watched& watched = watched_[i];
    if (watched.due > now_) continue;
    if (watched.asking != 0) {
      answered(watched, false);
    } else {
      watched.asking = ++probes_;
      watched.due = saturating_add(now_, watched.check.timeout);
      out_->push_back(agent::Probe{watched.attempt, watched.asking, watched.check.timeout});
    }
  }
}

void Agent::on(const agent::Probed& event) {
  Watched* const watched = find_watched(event.attempt);
  // The answer to a probe that was given up comes too late.
  if (watched == nullptr || watched->asking == 0 || watched->asking != event.number) return;
  answered(*watched, event.healthy);
}

/// May end the attempt, and with it `watched`.
void Agent::answered(Watched& watched, bool healthy) {
  watched.asking = 0;
  watched.due = saturating_add(now_, watched.check.interval);
  if (healthy) {
    watched.failures = 0;
    if (!watched.ready) set_ready(watched, true);
    return;
  }
  // A first success is the end of the start, too: counts_from is then in the past.
  if (now_ < watched.counts_from) return;
  if (++watched.failures < watched.check.failures || mutated(Mutant::kSickRunsOn)) return;
  Held& held = *find(watched.attempt);
  held.unhealthy = true;
  terminate(held);
}

void Agent::set_ready(Watched& watched, bool ready) {
  watched.ready = ready;
  if (ready) watched.counts_from = now_;
  ++watched.told;
  if (watched.noted) ++unacknowledged_;
  watched.noted = false;
  if (!registered()) return;
  tell(watched);
  resend_at_ = std::min(resend_at_, now_ + config_.resend_after);
}

void Agent::tell(const Watched& watched) {
  report(msg::AttemptReady{watched.attempt, watched.ready, watched.told});
}

/// Another registration, perhaps another controller: it has to be told all over again.
void Agent::tell_again() {
  for (Watched& watched : watched_) {
    if (watched.told == 0 || !watched.noted) continue;
    watched.noted = false;
    ++unacknowledged_;
  }
}

void Agent::received(const msg::Noted& body) {
  Watched* const watched = find_watched(body.attempt);
  if (watched == nullptr || watched->noted || body.number != watched->told) return;
  watched->noted = true;
  if (--unacknowledged_ == 0) resend_at_ = kNever;
}

}  // namespace duet
