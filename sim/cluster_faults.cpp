// What breaks in the simulated world, and what that means for the messages, the clocks and the controller.
#include <algorithm>
#include <limits>
#include <utility>

#include "core/rng.h"
#include "sim/cluster_world.h"

namespace duet::sim {
namespace {

using Kind = Fault::Kind;
__extension__ using Wide = unsigned __int128;

constexpr std::uint32_t kTrueRate = 1'000'000;

/// `d * times / by`, rounded down; the longest duration if it is longer than that.
Duration scaled(Duration d, std::uint32_t times, std::uint32_t by) {
  const Wide product = static_cast<Wide>(static_cast<std::uint64_t>(d.count())) * times / by;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return Duration(static_cast<std::int64_t>(std::min<Wide>(product, kMost)));
}

/// Somebody waits for an answer.
bool is_request(const controller::Event& event) {
  return !std::holds_alternative<controller::Received>(event) && !std::holds_alternative<Wake>(event) &&
         !std::holds_alternative<controller::Restore>(event);
}

}  // namespace

Instant SkewedClock::at(Instant now) const {
  return saturating_add(shown, scaled(now - since, rate_ppm, kTrueRate));
}

Instant SkewedClock::when(Instant time) const {
  if (time <= shown) return since;
  if (time == kNever) return kNever;
  // Rounded up: a nanosecond earlier it does not show it yet.
  const Duration d = scaled(time - shown, kTrueRate, rate_ppm);
  return saturating_add(since, scaled(d, rate_ppm, kTrueRate) < time - shown ? d + Duration{1} : d);
}

void ClusterWorld::play_faults() {
  if (!faults_ended_.empty()) {
    std::sort(faults_ended_.begin(), faults_ended_.end());
    for (const std::uint32_t index : std::exchange(faults_ended_, {})) apply(scenario_.faults[index], false);
  }
  for (; next_fault_ < scenario_.faults.size() && scenario_.faults[next_fault_].at <= now_; ++next_fault_) {
    const Fault& fault = scenario_.faults[next_fault_];
    if (options_.observer != nullptr) options_.observer->on_fault(now_, fault);
    if (fault.kind == Kind::kCrash) crash(fault.node);
    if (fault.kind == Kind::kRestart) switch_on(fault.node);
    if (!fault.lasts()) continue;
    if (fault.until != kNever)
      push(fault.until, Timer::Kind::kFaultEnd, static_cast<std::uint32_t>(next_fault_));
    apply(fault, true);
  }
}

/// Of the faults of this kind that are in force on this node, the last to begin.
const Fault* ClusterWorld::in_force(Kind kind, std::uint32_t node) const {
  const Fault* last = nullptr;
  for (const Fault& fault : scenario_.faults)
    if (fault.kind == kind && fault.node == node && fault.at <= now_ && now_ < fault.until) last = &fault;
  return last;
}

/// A fault that lasts begins or ends: what is in force now, together with the others?
void ClusterWorld::apply(const Fault& fault, bool begins) {
  switch (fault.kind) {
    case Kind::kPartition:
    case Kind::kNetwork:
      if (begins)
        on_links_.push_back(&fault);
      else
        std::erase(on_links_, &fault);
      for (const std::uint32_t node : fault.nodes)
        if (fault.cuts(node, false)) detection_.trouble(node, begins, now_);
      break;
    case Kind::kClockSkew: {
      Host& host = hosts_[fault.node];
      const Fault* skew = in_force(Kind::kClockSkew, fault.node);
      const Instant shown = begins ? saturating_add(clock_of(host), fault.delay) : clock_of(host);
      host.clock = SkewedClock{now_, shown, skew == nullptr ? kTrueRate : skew->rate_ppm};
      // What it is to do next is due at another true time.
      host.armed = kNever;
      agents_due_.push_back(fault.node);
      break;
    }
    case Kind::kSlowNode: {
      const Fault* slow = in_force(Kind::kSlowNode, fault.node);
      engine_.slow(fault.node, slow == nullptr ? 1 : slow->factor);
      break;
    }
    case Kind::kStoreDelay:
      commit_delay_ = scenario_.commit_delay;
      for (const Fault& other : scenario_.faults)
        if (other.kind == Kind::kStoreDelay && other.at <= now_ && now_ < other.until)
          commit_delay_ = std::max(commit_delay_, other.delay);
      break;
    case Kind::kControllerRestart:
      killed_ = in_force(Kind::kControllerRestart) != nullptr;
      if (begins && up_) lose_controller();
      break;
    case Kind::kAgentRestart:
      detection_.trouble(fault.node, begins, now_);
      if (begins)
        kill_agent(fault.node);
      else if (!hosts_[fault.node].off && in_force(Kind::kAgentRestart, fault.node) == nullptr)
        boot(fault.node);
      break;
    case Kind::kStuckNode:
      set_stuck(fault.node, in_force(Kind::kStuckNode, fault.node) != nullptr);
      break;
    case Kind::kStoreFailure:
      store_fails_ = in_force(Kind::kStoreFailure) != nullptr;
      break;
    default:
      break;
  }
  if (!up_) restore_if_possible();
}

/// The fate of a message. That of message n of a link depends on nothing else, so that removing one fault
/// moves no other.
void ClusterWorld::meddle(const Letter& letter) {
  MessageFaults worst;
  if (now_ < scenario_.network.until) worst = scenario_.network;
  for (const Fault* fault : on_links_) {
    if (fault->cuts(letter.node, letter.to_agent)) return mail_.discard(letter);
    if (fault->kind != Kind::kNetwork || !fault->hits(letter.node)) continue;
    worst.loss_ppm = std::max(worst.loss_ppm, fault->messages.loss_ppm);
    worst.duplicate_ppm = std::max(worst.duplicate_ppm, fault->messages.duplicate_ppm);
    worst.delay_ppm = std::max(worst.delay_ppm, fault->messages.delay_ppm);
    worst.max_delay = std::max(worst.max_delay, fault->messages.max_delay);
  }
  Rng fate(keyed_draw(scenario_.seed, letter.node, letter.number));
  const auto strikes = [&fate](std::uint32_t ppm) { return fate.below(1'000'000) < ppm; };
  const bool lost = strikes(worst.loss_ppm);
  const bool twice = strikes(worst.duplicate_ppm);
  const bool late = strikes(worst.delay_ppm);
  const auto jitter = [&] {
    return Duration(fate.between(0, std::max<std::int64_t>(0, to_ns(worst.max_delay))));
  };
  const Duration first = scenario_.latency + (late ? jitter() : Duration{0});
  const Duration second = scenario_.latency + jitter();
  if (twice) post(mail_.copy(letter), second);
  if (lost)
    mail_.discard(letter);
  else
    post(letter, first);
}

/// There is no controller: what agents say is lost, requests wait or are refused.
void ClusterWorld::miss(const controller::Event& event) {
  if (is_request(event)) turn_away(event);
}

/// Whoever finds no controller waits for it; a living one whose store does not work refuses jobs. Operators
/// ask until they are heard.
void ClusterWorld::turn_away(const controller::Event& request) {
  if (const auto* submit = std::get_if<controller::Submit>(&request); submit != nullptr && !killed_)
    note(controller::Reply{submit->request, {}, "store unavailable"});
  else
    door_.emplace_back(request);
}

/// The controller's memory is gone, and with it all that is not durable. `failed` is what it was told last,
/// if that is to be undone, too.
void ClusterWorld::lose_controller(const controller::Event* failed) {
  up_ = false;
  ++life_;
  controller_touched_ = false;
  controller_due_ = kNever;
  last_release_ = {};
  forget_uncommitted_jobs();
  // No answer went out to these: whoever asked asks again.
  for (const Uncommitted& lost : std::exchange(uncommitted_, {}))
    if (lost.request && is_request(*lost.request)) turn_away(*lost.request);
  if (failed != nullptr && is_request(*failed)) turn_away(*failed);
  if (options_.observer != nullptr) options_.observer->on_controller(now_, false);
}

/// Jobs that were accepted, but neither durably nor to anybody's knowledge: they are the last ones.
void ClusterWorld::forget_uncommitted_jobs() {
  const std::uint64_t kept = store_.jobs_given();
  if (rows_.size() <= kept) return;
  for (std::size_t i = kept; i < rows_.size(); ++i) note_forgotten(results_.jobs[rows_[i].job]);
  results_.tasks.resize(rows_[kept].first_task);
  for (std::size_t i = kept; i < rows_.size(); ++i) {
    JobRow& row = results_.jobs[rows_[i].job];
    row.id = {};
    row.state = JobState::kPending;
  }
  rows_.resize(kept);
  std::erase_if(results_.earlier, [&](const EarlierAttempt& e) { return e.id.task.job.value > kept; });
}

void ClusterWorld::restore_if_possible() {
  if (killed_ || store_fails_) return;
  controller_ = Traced<Controller>(Controller(scenario_.controller), 0, options_.controller_sink);
  up_ = true;
  if (options_.observer != nullptr) options_.observer->on_controller(now_, true);
  step(controller::Restore{store_.records()});
}

}  // namespace duet::sim
