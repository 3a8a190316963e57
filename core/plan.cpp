#include "core/plan.h"

#include <algorithm>

#include "core/check.h"
#include "core/mutation.h"

namespace duet {

bool Plan::known_not_to_fit(const Waiting& waiting) const {
  const std::uint32_t width = waiting.together ? waiting.width : 1;
  for (const auto& [request, too_much] : failed_)
    if (width >= too_much && request == waiting.request) return true;
  return false;
}

void Plan::put(const Waiting& waiting, NodeId node) {
  DUET_CHECK(places_.index().fits(node, waiting.request));
  const Instant end = waiting.estimate ? saturating_add(now_, *waiting.estimate) : kNever;
  const ThreadSet threads = places_.take(node, waiting.request);
  placements_.push_back({waiting.job, waiting.group, node, threads, waiting.request, end});
}

/// What this pass has placed so far, by estimated end.
std::vector<Release> Plan::own_releases() const {
  std::vector<Release> own;
  own.reserve(placements_.size());
  for (const Placement& p : placements_) {
    Resources charge = p.request.need;
    if (p.request.exclusive) charge.cpu_m = places_.index().target(p.target).slot_cpu_m;
    own.push_back({p.estimated_end, {p.job, 0}, p.target, charge});
  }
  std::stable_sort(own.begin(), own.end(), [](const Release& a, const Release& b) { return a.at < b.at; });
  return own;
}

std::optional<NodeId> Plan::ask(const Waiting& waiting) {
  Scheduler& scheduler = scheduler_of(waiting);
  if (watcher_ != nullptr) watcher_->choosing(*this, waiting, &scheduler);
  return scheduler.pick(waiting.request, places_.index(), rng_);
}

std::optional<NodeId> Plan::pick(const Waiting& waiting) {
  const auto target = ask(waiting);
  if (!target || target != waiting.avoid || mutated(Mutant::kAvoidsNothing)) return target;
  places_.show(*target, false);
  const auto other = ask(waiting);
  places_.show(*target, true);
  return other ? other : target;
}

std::uint32_t Plan::place(const Waiting& waiting) {
  for (std::uint32_t placed = 0; placed < waiting.width; ++placed) {
    const auto target = pick(waiting);
    if (!target) return placed;
    put(waiting, *target);
  }
  return waiting.width;
}

void Plan::undo(std::uint32_t count) {
  for (; count > 0; --count) {
    const Placement& last = placements_.back();
    places_.give_back(last.target, last.request, last.threads);
    placements_.pop_back();
  }
}

bool Plan::start(Cursor& at) {
  Waiting& waiting = at->second;
  ++tried_;
  if (known_not_to_fit(waiting)) return false;
  Scheduler& scheduler = scheduler_of(waiting);
  const std::uint64_t mark = scheduler.mark();
  const Rng before = rng_;
  const std::uint32_t placed = place(waiting);
  if (placed == waiting.width) {
    at = pending_.erase(at);
    return true;
  }
  failed_.emplace_back(waiting.request, waiting.together ? waiting.width : 1);
  if (waiting.together && !mutated(Mutant::kGangInPieces)) {
    undo(placed);
    scheduler.rewind(mark);
    rng_ = before;
  } else {
    pending_.set_width(waiting, waiting.width - placed);
  }
  return false;
}

void Plan::start_on(Cursor& at, std::span<const NodeId> nodes) {
  const Waiting& waiting = at->second;
  DUET_CHECK(nodes.size() == waiting.width);
  for (const NodeId node : nodes) {
    if (watcher_ != nullptr) watcher_->choosing(*this, waiting, nullptr);
    put(waiting, node);
  }
  at = pending_.erase(at);
}

}  // namespace duet
