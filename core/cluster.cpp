#include "core/cluster.h"

#include <algorithm>

#include "core/check.h"
#include "core/mutation.h"

namespace duet {
namespace {

std::vector<std::int64_t> flatten(const NodeOffer& offer) {
  std::vector<std::int64_t> flat{offer.cores, offer.threads_per_core, offer.capacity.cpu_m,
                                 offer.capacity.memory_bytes};
  flat.insert(flat.end(), offer.capacity.count.begin(), offer.capacity.count.end());
  return flat;
}

/// What each of `threads`, from the lowest, carries of `cpu_m`: whole threads first, the rest on the last.
template <class F>
void share_out(std::int64_t cpu_m, const ThreadSet& threads, F&& f) {
  threads.for_each([&](std::uint32_t thread) {
    const std::int64_t part = std::min(cpu_m, kThread);
    cpu_m -= part;
    f(thread, static_cast<std::int32_t>(part));
  });
}

}  // namespace

NodeId Cluster::add(std::string name) {
  const NodeId id = index_.add({}, 0);
  by_name_[name] = id;
  nodes_.emplace_back().name = std::move(name);
  counted_.push_back(false);
  return id;
}

std::optional<NodeId> Cluster::find(const std::string& name) const {
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return std::nullopt;
  return it->second;
}

void Cluster::set_offer(NodeId id, const NodeOffer& offer) {
  ClusterNode& n = node(id);
  DUET_CHECK(n.tasks.empty() && n.held == 0);
  if (n.known && n.offer == offer) return;
  if (counted_[id.value]) {
    free_cpu_m_ -= n.room.free.cpu_m;
    counted_[id.value] = false;
  }
  if (n.known && --offers_[flatten(n.offer)] == 0) offers_.erase(flatten(n.offer));
  ++offers_[flatten(offer)];
  known_ += n.known ? 0 : 1;
  n.known = true;
  n.offer = offer;
  n.room = {offer.capacity, offer.cores};
  n.idle_slots = offer.cores;
  n.free_threads = {};
  n.load_m.clear();
  n.busy_threads.clear();
  if (offer.threads_placed()) {
    n.load_m.assign(offer.threads(), 0);
    n.busy_threads.assign(offer.cores, 0);
    for (std::uint32_t t = 0; t < offer.threads(); ++t) n.free_threads.insert(t);
  }
  index_.describe(id, offer.capacity, kThread * offer.threads_per_core);
  refresh(id);
}

bool Cluster::usable(NodeId id) const {
  const ClusterNode& n = node(id);
  const bool live =
      n.state == NodeState::kReady || (mutated(Mutant::kPlaceOnSuspect) && n.state == NodeState::kSuspect);
  return n.known && live && (!n.draining || mutated(Mutant::kPlaceOnDraining));
}

void Cluster::refresh(NodeId id) {
  const ClusterNode& n = node(id);
  const bool use = usable(id);
  if (use != counted_[id.value]) {
    free_cpu_m_ += use ? n.room.free.cpu_m : -n.room.free.cpu_m;
    counted_[id.value] = use;
  }
  index_.set(id, n.room, use, n.held);
}

Resources Cluster::charge(const ClusterNode& n, const Request& request) const {
  Resources total = request.need;
  if (request.exclusive) total.cpu_m = kThread * n.offer.threads_per_core;
  return total;
}

ThreadSet Cluster::choose_threads(const ClusterNode& n, const Request& request) const {
  ThreadSet chosen;
  if (request.exclusive) {
    for (std::uint32_t core = 0; core < n.offer.cores; ++core) {
      bool free = true;
      for (std::uint32_t t = core; t < n.offer.threads(); t += n.offer.cores)
        free &= n.free_threads.contains(t);
      if (!free) continue;
      for (std::uint32_t t = core; t < n.offer.threads(); t += n.offer.cores) chosen.insert(t);
      return chosen;
    }
    check_failed("an exclusive request fits without a free slot", __FILE__, __LINE__);
  }
  const std::int64_t cpu_m = request.need.cpu_m;
  if (cpu_m < kThread) {
    // A share of one thread: the lowest that has room for it.
    for (std::uint32_t t = 0; t < n.offer.threads(); ++t)
      if (n.load_m[t] + cpu_m <= kThread) {
        chosen.insert(t);
        return chosen;
      }
  }
  // Whole threads, lowest first. Where shares of others left too few, the least loaded ones, lowest first.
  std::int64_t missing = threads_for(cpu_m);
  if (mutated(Mutant::kSharesThreads))
    for (std::uint32_t t = 0; missing > 0; --missing) chosen.insert(t++);
  n.free_threads.for_each([&](std::uint32_t t) {
    if (missing > 0) {
      chosen.insert(t);
      --missing;
    }
  });
  while (missing > 0) {
    std::uint32_t least = n.offer.threads();
    for (std::uint32_t t = 0; t < n.offer.threads(); ++t)
      if (!chosen.contains(t) && (least == n.offer.threads() || n.load_m[t] < n.load_m[least])) least = t;
    DUET_CHECK(least < n.offer.threads());
    chosen.insert(least);
    --missing;
  }
  return chosen;
}

void Cluster::load_threads(ClusterNode& n, const Request& request, const ThreadSet& threads, int sign) {
  if (!n.offer.threads_placed()) {
    n.room.slots = n.room.free.cpu_m / (kThread * n.offer.threads_per_core);
    return;
  }
  share_out(charge(n, request).cpu_m, threads, [&](std::uint32_t t, std::int32_t part) {
    const bool was_free = n.load_m[t] == 0;
    n.load_m[t] += sign * part;
    DUET_CHECK(n.load_m[t] >= 0);
    const bool is_free = n.load_m[t] == 0;
    if (is_free == was_free) return;
    std::uint32_t& busy = n.busy_threads[t < n.offer.cores ? t : t % n.offer.cores];
    if (is_free) {
      n.free_threads.insert(t);
      n.idle_slots += --busy == 0;
    } else {
      n.free_threads.erase(t);
      n.idle_slots -= busy++ == 0;
    }
  });
  // Threads that carry more than their share leave others idle, whose CPU is then not free.
  n.room.slots = std::min(n.idle_slots, n.room.free.cpu_m / (kThread * n.offer.threads_per_core));
  if (mutated(Mutant::kIdleSlotsAreFree)) n.room.slots = n.idle_slots;
}

ThreadSet Cluster::take(NodeId id, const Request& request) {
  ClusterNode& n = node(id);
  DUET_CHECK(n.room.fits(request) || mutated(Mutant::kOvercommit));
  const ThreadSet threads = n.offer.threads_placed() ? choose_threads(n, request) : ThreadSet{};
  retake(id, request, threads);
  return threads;
}

bool Cluster::can_retake(NodeId id, const Request& request, const ThreadSet& threads) const {
  const ClusterNode& n = node(id);
  bool there = n.room.free.covers(charge(n, request));
  if (n.offer.threads_placed()) threads.for_each([&](std::uint32_t t) { there &= t < n.offer.threads(); });
  return there;
}

void Cluster::retake(NodeId id, const Request& request, const ThreadSet& threads) {
  ClusterNode& n = node(id);
  Resources total = charge(n, request);
  if (mutated(Mutant::kOvercommit)) total.cpu_m = 0;
  n.room.free -= total;
  if (counted_[id.value]) free_cpu_m_ -= total.cpu_m;
  load_threads(n, request, threads, +1);
  index_.set(id, n.room, counted_[id.value], ++n.held);
}

void Cluster::give_back(NodeId id, const Request& request, const ThreadSet& threads) {
  ClusterNode& n = node(id);
  Resources total = charge(n, request);
  if (mutated(Mutant::kOvercommit)) total.cpu_m = 0;
  n.room.free += total;
  DUET_CHECK(n.offer.capacity.covers(n.room.free));
  if (counted_[id.value]) free_cpu_m_ += total.cpu_m;
  load_threads(n, request, threads, -1);
  DUET_CHECK(n.held > 0);
  index_.set(id, n.room, counted_[id.value], --n.held);
}

}  // namespace duet
