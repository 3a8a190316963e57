// When agents want to be woken. Agents that started together beat together for ever, so those of one instant
// are kept, and woken, as one.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/time.h"

namespace duet::sim {

class AgentTimers {
 public:
  Instant next_due() const { return at_.empty() ? kNever : at_.begin()->first; }
  /// The nodes of the next instant, in the order of push().
  const std::vector<std::uint32_t>& front() const { return at_.begin()->second; }
  void pop() {
    spare_ = at_.extract(at_.begin());
    last_ = at_.end();
  }
  void push(Instant due, std::uint32_t node) {
    if (last_ == at_.end() || last_->first != due) last_ = place(due);
    last_->second.push_back(node);
  }

 private:
  using Map = std::map<Instant, std::vector<std::uint32_t>>;

  Map::iterator place(Instant due) {
    if (const auto there = at_.find(due); there != at_.end()) return there;
    if (spare_.empty()) return at_.emplace(due, std::vector<std::uint32_t>{}).first;
    spare_.key() = due;
    spare_.mapped().clear();
    return at_.insert(std::move(spare_)).position;
  }

  Map at_;
  Map::iterator last_ = at_.end();  ///< Where the last one was put.
  Map::node_type spare_;            ///< The last one taken away, so that steady work allocates nothing.
};

}  // namespace duet::sim
