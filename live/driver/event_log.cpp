#include "live/driver/event_log.h"

namespace duet::live {

void EventLog::add(Instant at, std::string type, std::string json) {
  kept_.push_back({next_++, at, std::move(type), std::move(json)});
  if (kept_.size() > kKept) kept_.pop_front();
  for (const auto& [id, watcher] : watchers_) watcher(kept_.back());
}

EventLog::WatcherId EventLog::watch(Watcher watcher) {
  watchers_.emplace(++last_watcher_, std::move(watcher));
  return last_watcher_;
}

}  // namespace duet::live
