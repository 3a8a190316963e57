#include "sim/check_view.h"

#include <algorithm>

namespace duet::sim {
namespace {

bool whole_threads(const TaskSpec& spec) {
  return spec.exclusive || (spec.need.cpu_m >= kThread && spec.need.cpu_m % kThread == 0);
}

}  // namespace

Ledger::Ledger(const NodeOffer& offer) : offer_(offer), free_(offer.capacity) {
  if (offer.threads_placed()) loads_.resize(offer.threads());
}

Resources Ledger::charge(const TaskSpec& spec) const {
  Resources total = spec.need;
  if (spec.exclusive) total.cpu_m = kThread * offer_.threads_per_core;
  return total;
}

/// What is wrong with the threads before they are taken. Shares may end up beside a whole thread's task when
/// no other thread is left (the core takes the least loaded one then), two tasks of whole threads never.
std::optional<Ledger::Wrong> Ledger::crowded(const TaskSpec& spec, const ThreadSet& threads) const {
  const auto wrong = [](std::string_view what) { return Wrong{"I6", what}; };
  if (loads_.empty()) {
    if (threads.empty()) return std::nullopt;
    return wrong("has threads on a node whose threads are not told apart");
  }
  if (threads.empty()) return wrong("has no threads");
  std::optional<Wrong> found;
  const std::uint32_t core = threads.lowest() % offer_.cores;
  threads.for_each([&](std::uint32_t t) {
    if (t >= loads_.size())
      found = Wrong{"I7", "has a thread that its node does not offer"};
    else if (spec.exclusive && t % offer_.cores != core)
      found = wrong("is exclusive on threads of two cores");
    else if (spec.exclusive && loads_[t].whole + loads_[t].shared > 0)
      found = wrong("is exclusive, but not alone on its core");
    else if (whole_threads(spec) && loads_[t].whole > 0)
      found = wrong("shares a thread with another task of whole threads");
  });
  if (found) return found;
  if (spec.exclusive && threads.size() != offer_.threads_per_core) return wrong("has not its whole core");
  if (!spec.exclusive && whole_threads(spec) &&
      threads.size() != static_cast<std::uint32_t>(spec.need.cpu_m / kThread))
    return wrong("has another number of threads than it needs");
  return std::nullopt;
}

void Ledger::load(const TaskSpec& spec, const ThreadSet& threads, int sign) {
  if (loads_.empty()) return;
  threads.for_each([&](std::uint32_t t) {
    if (t >= loads_.size()) return;
    auto& count = whole_threads(spec) ? loads_[t].whole : loads_[t].shared;
    count = static_cast<std::uint16_t>(count + sign * (charge(spec).cpu_m > 0));
  });
}

std::optional<Ledger::Wrong> Ledger::add(const TaskSpec& spec, const ThreadSet& threads) {
  const Resources total = charge(spec);
  std::optional<Wrong> wrong = crowded(spec, threads);
  if (!free_.covers(total)) wrong = Wrong{"I5", "needs more than is free"};
  free_ -= total;
  load(spec, threads, +1);
  return wrong;
}

void Ledger::remove(const TaskSpec& spec, const ThreadSet& threads) {
  free_ += charge(spec);
  load(spec, threads, -1);
}

std::int64_t Ledger::free_slots() const {
  if (loads_.empty()) return free_.cpu_m / (kThread * offer_.threads_per_core);
  std::int64_t free = 0;
  for (std::uint32_t core = 0; core < offer_.cores; ++core) {
    bool idle = true;
    for (std::uint32_t t = core; t < loads_.size(); t += offer_.cores)
      idle = idle && loads_[t].whole + loads_[t].shared == 0;
    free += idle;
  }
  return free;
}

std::uint32_t Ledger::copies(const TaskSpec& spec, std::uint32_t limit) const {
  std::int64_t most = limit;
  const auto bound = [&](std::int64_t need, std::int64_t have) {
    if (need > 0) most = std::min(most, std::max<std::int64_t>(0, have) / need);
  };
  const Resources total = charge(spec);
  if (spec.exclusive) bound(1, free_slots());
  bound(total.cpu_m, free_.cpu_m);
  bound(total.memory_bytes, free_.memory_bytes);
  for (std::size_t i = 0; i < kCountableKinds; ++i) bound(total.count[i], free_.count[i]);
  return static_cast<std::uint32_t>(most);
}

bool JobView::blocked(std::uint32_t group) const {
  const auto& after = spec->groups[group].after;
  if (after.empty()) return false;
  return std::any_of(tasks.begin(), tasks.end(), [&](const TaskView& task) {
    return task.state != TaskState::kSucceeded &&
           std::find(after.begin(), after.end(), task.group) != after.end();
  });
}

}  // namespace duet::sim
