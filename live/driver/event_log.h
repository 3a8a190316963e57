// The latest events, numbered without gaps, for those who watch and those who come back after a break.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "core/time.h"

namespace duet::live {

struct ClusterEvent {
  std::uint64_t number = 0;  ///< From 1, of this log.
  Instant at{};
  std::string type;  ///< "job", "task", "node", "pool", ...
  std::string json;  ///< One object, on one line.
};

class EventLog {
 public:
  static constexpr std::size_t kKept = 16384;

  using Watcher = std::function<void(const ClusterEvent&)>;
  using WatcherId = std::uint64_t;

  /// Numbers it, keeps it, tells it to all watchers.
  void add(Instant at, std::string type, std::string json);

  /// The oldest event that is kept, and the next one to come; equal: there is none.
  std::uint64_t first() const { return next_ - kept_.size(); }
  std::uint64_t next() const { return next_; }
  /// `number` must be in first() .. next() - 1.
  const ClusterEvent& at(std::uint64_t number) const { return kept_[number - first()]; }

  /// `watcher` hears what is added from now on, until unwatch(). It must not add, watch or unwatch itself.
  WatcherId watch(Watcher watcher);
  void unwatch(WatcherId id) { watchers_.erase(id); }
  std::size_t watchers() const { return watchers_.size(); }

 private:
  std::deque<ClusterEvent> kept_;
  std::uint64_t next_ = 1;
  std::map<WatcherId, Watcher> watchers_;
  WatcherId last_watcher_ = 0;
};

}  // namespace duet::live
