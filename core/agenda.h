// What is due when. Things of one instant are kept, and taken, together: agents beat together, and what
// watches them looks at them together.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "core/time.h"

namespace duet {

template <class T>
class Agenda {
 public:
  Instant next_due() const { return at_.empty() ? kNever : at_.begin()->first; }
  /// What is due at the next instant, in the order of push(). There must be one.
  std::vector<T>& front() { return at_.begin()->second; }
  /// Forgets what is due at the next instant.
  void pop() {
    spare_ = at_.extract(at_.begin());
    last_ = at_.end();
  }
  void push(Instant due, const T& thing) {
    if (last_ == at_.end() || last_->first != due) last_ = place(due);
    last_->second.push_back(thing);
  }

  // `last_` is of one map.
  Agenda() = default;
  Agenda(const Agenda& other) : at_(other.at_) {}
  Agenda(Agenda&& other) noexcept : at_(std::move(other.at_)) {}
  Agenda& operator=(Agenda other) noexcept {
    at_ = std::move(other.at_);
    last_ = at_.end();
    return *this;
  }
  ~Agenda() = default;

 private:
  using Map = std::map<Instant, std::vector<T>>;

  typename Map::iterator place(Instant due) {
    if (const auto there = at_.find(due); there != at_.end()) return there;
    if (spare_.empty()) return at_.emplace(due, std::vector<T>{}).first;
    spare_.key() = due;
    spare_.mapped().clear();
    return at_.insert(std::move(spare_)).position;
  }

  Map at_;
  typename Map::iterator last_ = at_.end();  ///< Where the last thing was put.
  typename Map::node_type spare_;  ///< The last one forgotten, so that steady work allocates nothing.
};

}  // namespace duet
