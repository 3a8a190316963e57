#include "core/plan.h"

#include "core/check.h"

namespace duet {

bool Plan::known_not_to_fit(const Waiting& waiting) const {
  const std::uint32_t width = waiting.together ? waiting.width : 1;
  for (const auto& [request, too_much] : failed_)
    if (width >= too_much && request == waiting.request) return true;
  return false;
}

std::uint32_t Plan::place(const Waiting& waiting) {
  for (std::uint32_t placed = 0; placed < waiting.width; ++placed) {
    const auto target = scheduler_.pick(waiting.request, cluster_.index(), rng_);
    if (!target) return placed;
    DUET_CHECK(cluster_.index().fits(*target, waiting.request));
    const ThreadSet threads = cluster_.take(*target, waiting.request);
    placements_.push_back({waiting.job, waiting.group, *target, threads, waiting.request});
  }
  return waiting.width;
}

void Plan::undo(std::uint32_t count) {
  for (; count > 0; --count) {
    const Placement& last = placements_.back();
    cluster_.give_back(last.node, last.request, last.threads);
    placements_.pop_back();
  }
}

bool Plan::start(Cursor& at) {
  Waiting& waiting = at->second;
  ++tried_;
  if (known_not_to_fit(waiting)) return false;
  const std::uint64_t mark = scheduler_.mark();
  const std::uint32_t placed = place(waiting);
  if (placed == waiting.width) {
    at = pending_.map().erase(at);
    return true;
  }
  failed_.emplace_back(waiting.request, waiting.together ? waiting.width : 1);
  if (waiting.together) {
    undo(placed);
    scheduler_.rewind(mark);
  } else {
    waiting.width -= placed;
  }
  return false;
}

void Plan::start_on(Cursor& at, std::span<const NodeId> nodes) {
  const Waiting& waiting = at->second;
  DUET_CHECK(nodes.size() == waiting.width);
  for (const NodeId node : nodes) {
    DUET_CHECK(cluster_.index().fits(node, waiting.request));
    placements_.push_back({waiting.job, waiting.group, node, cluster_.take(node, waiting.request), waiting.request});
  }
  at = pending_.map().erase(at);
}

}  // namespace duet
