// The Plan: what one scheduling pass may do. It refuses overcommit, places gangs whole or not at all, and
// never tries twice within a pass what cannot fit.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/cluster.h"
#include "core/policy.h"

namespace duet {

/// What waits, in the queue policy's order.
class Pending {
 public:
  using Key = std::tuple<std::int64_t, JobId, std::uint32_t>;
  using Map = std::map<Key, Waiting>;
  void add(std::int64_t rank, const Waiting& waiting) {
    const Key key{rank, waiting.job, waiting.group};
    width_ += waiting.width;
    if (spare_.empty()) {
      map_.emplace_hint(map_.end(), key, waiting);  // Mostly the last one.
    } else {
      spare_.key() = key;
      spare_.mapped() = waiting;
      map_.insert(map_.end(), std::move(spare_));
    }
  }
  /// Forgets this entry; returns the next one.
  Map::iterator erase(Map::iterator at) {
    const auto next = std::next(at);
    width_ -= at->second.width;
    spare_ = map_.extract(at);
    return next;
  }
  /// Forgets this entry, if it waits.
  void remove(std::int64_t rank, JobId job, std::uint32_t group) {
    if (const auto at = map_.find(Key{rank, job, group}); at != map_.end()) erase(at);
  }
  /// The entry, or null if it does not wait.
  Waiting* find(std::int64_t rank, JobId job, std::uint32_t group) {
    const auto it = map_.find(Key{rank, job, group});
    return it == map_.end() ? nullptr : &it->second;
  }
  /// So many tasks of the entry wait from now on.
  void set_width(Waiting& waiting, std::uint32_t width) {
    width_ = width_ - waiting.width + width;
    waiting.width = width;
  }
  /// Tasks that wait, of all entries.
  std::uint64_t width() const { return width_; }
  bool empty() const { return map_.empty(); }
  std::size_t size() const { return map_.size(); }
  Map& map() { return map_; }
  const Map& map() const { return map_; }

 private:
  Map map_;
  std::uint64_t width_ = 0;
  Map::node_type spare_;  ///< The last one forgotten, so that steady work allocates nothing.
};

/// A running or starting attempt, for queues that plan ahead.
struct Release {
  Instant at;  ///< Estimated end; kNever if unknown.
  TaskId task;
  NodeId node;
  Resources charge;
  auto operator<=>(const Release& other) const {
    if (const auto c = at <=> other.at; c != 0) return c;
    return task <=> other.task;
  }
  bool operator==(const Release& other) const { return at == other.at && task == other.task; }
};
using Releases = std::set<Release>;

/// One task that the pass placed.
struct Placement {
  JobId job;
  std::uint32_t group = 0;
  NodeId target;  ///< A node; of an operation, a worker of its pool.
  ThreadSet threads;
  Request request;
  Instant estimated_end = kNever;
};

class Plan;

/// Looks over the shoulder of a pass, for explanations.
class PassWatcher {
 public:
  virtual ~PassWatcher() = default;
  /// The next placement of the plan is about to be chosen, by this scheduler; null: the queue has done it.
  virtual void choosing(const Plan&, const Waiting&, const Scheduler*) {}
  /// A pass is over; of those of one Wake, those of pools come first.
  virtual void finished(const Plan&) {}
  /// The queue keeps room for this entry from then on (kNever: it cannot tell when), on these nodes or, if
  /// there are none, anywhere.
  virtual void reserved(const Plan&, const Waiting&, Instant, std::span<const NodeId>) {}
};

class Plan {
 public:
  using Cursor = Pending::Map::iterator;

  /// `placements` is cleared, filled, and its storage reused from pass to pass.
  Plan(Instant now, Pending& pending, Cluster& cluster, const Releases& releases, Scheduler& scheduler,
       Rng& rng, std::vector<Placement>& placements, PassWatcher* watcher = nullptr)
      : Plan(now, pending, cluster, &cluster, &releases, scheduler, rng, placements, watcher) {}
  /// Of operations, on the workers of a pool; for queues that do not reserve.
  Plan(Instant now, Pending& pending, Places& places, Scheduler& scheduler, Rng& rng,
       std::vector<Placement>& placements, PassWatcher* watcher = nullptr)
      : Plan(now, pending, places, nullptr, nullptr, scheduler, rng, placements, watcher) {}

  Instant now() const { return now_; }
  Cursor begin() { return pending_.map().begin(); }
  Cursor end() { return pending_.map().end(); }

  /// Places as much of the entry as the scheduler finds room for: a gang whole or not at all, a bag as many
  /// as fit. If all of it is placed, it leaves the queue and `at` moves on to the next entry: true. Else `at`
  /// stays: false.
  bool start(Cursor& at);
  /// Places a whole gang on these nodes, one task per entry of `nodes`; each must fit. Then as start().
  void start_on(Cursor& at, std::span<const NodeId> nodes);

  /// Tells who watches what the queue keeps for an entry that it cannot start.
  void reserve(const Waiting& waiting, Instant at, std::span<const NodeId> nodes = {}) const {
    if (watcher_ != nullptr) watcher_->reserved(*this, waiting, at, nodes);
  }

  /// CPU that the entry needs all together, in millicores.
  static std::int64_t cpu_m(const Waiting& waiting) {
    return waiting.request.need.cpu_m * static_cast<std::int64_t>(waiting.width);
  }
  std::int64_t free_cpu_m() const { return cluster().free_cpu_m(); }
  /// Where the tasks go; in a pool, its workers.
  const Places& places() const { return places_; }
  bool in_pool() const { return cluster_ == nullptr; }
  const Cluster& cluster() const {
    DUET_CHECK(cluster_ != nullptr);
    return *cluster_;
  }
  const Pending& pending() const { return pending_; }
  /// What schedulers draw from.
  const Rng& rng() const { return rng_; }
  /// How many tasks are placed so far.
  std::size_t placed() const { return placements_.size(); }
  /// Calls f(estimated end, node, what it holds) for each attempt that holds resources, this pass's included,
  /// in the order of their estimated ends, until f returns false.
  template <class F>
  void for_each_release(F&& f) const;

  /// Entries that policies looked at through start(), for the bench.
  std::uint64_t tried() const { return tried_; }

 private:
  Plan(Instant now, Pending& pending, Places& places, const Cluster* cluster, const Releases* releases,
       Scheduler& scheduler, Rng& rng, std::vector<Placement>& placements, PassWatcher* watcher)
      : now_(now),
        pending_(pending),
        places_(places),
        cluster_(cluster),
        releases_(releases),
        scheduler_(scheduler),
        rng_(rng),
        placements_(placements),
        watcher_(watcher) {
    placements_.clear();
  }

  bool known_not_to_fit(const Waiting& waiting) const;
  std::optional<NodeId> pick(const Waiting& waiting);
  std::optional<NodeId> ask(const Waiting& waiting);
  Scheduler& scheduler_of(const Waiting& waiting) const {
    return waiting.scheduler != nullptr ? *waiting.scheduler : scheduler_;
  }
  void put(const Waiting& waiting, NodeId node);
  std::vector<Release> own_releases() const;
  std::uint32_t place(const Waiting& waiting);
  void undo(std::uint32_t count);

  Instant now_;
  Pending& pending_;
  Places& places_;
  const Cluster* cluster_;    ///< Null in a pool.
  const Releases* releases_;  ///< Likewise.
  Scheduler& scheduler_;
  Rng& rng_;
  std::vector<Placement>& placements_;
  PassWatcher* watcher_;
  /// Requests that failed in this pass, with the width that was too much. Nothing frees up within a pass.
  std::vector<std::pair<Request, std::uint32_t>> failed_;
  std::uint64_t tried_ = 0;
};

template <class F>
void Plan::for_each_release(F&& f) const {
  DUET_CHECK(releases_ != nullptr);
  const std::vector<Release> own = own_releases();
  auto a = releases_->begin();
  auto b = own.begin();
  while (a != releases_->end() || b != own.end()) {
    const bool first = b == own.end() || (a != releases_->end() && a->at <= b->at);
    const Release& next = first ? *a++ : *b++;
    if (!f(next.at, next.node, next.charge)) return;
  }
}

}  // namespace duet
