// Which submissions were heard before: whoever got no answer asks again under the same key, and gets the job
// that the first one made. After J. Jena and S. Dalal, "The Idempotency-Key HTTP Header Field", IETF draft
// (httpapi working group).
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/model.h"

namespace duet {

class IdempotencyKeys {
 public:
  static constexpr std::size_t kLongest = 255;  ///< Bytes of a key.

  /// Keys stand for their jobs for so long after the submission, and as long as those live.
  explicit IdempotencyKeys(Duration kept) : kept_(kept) {}

  /// What was first submitted under the key, or null: never, or so long ago that it is forgotten.
  template <class Lives>
  const KeyRecord* find(std::string_view key, Instant now, const Lives& lives) const {
    const auto it = records_.find(key);
    if (it == records_.end()) return nullptr;
    const KeyRecord& record = it->second;
    return saturating_add(record.submitted, kept_) > now || lives(record.job) ? &record : nullptr;
  }

  /// To be called in the order of submissions, with keys that find() does not know.
  void add(const KeyRecord& record) {
    ages_.push_back({saturating_add(record.submitted, kept_), record.key, record.job});
    records_.insert_or_assign(record.key, record);
  }

  /// Lets go of what find() would not find, soon if not at once, and calls `forgotten(key)` for each: a job
  /// that lives longer than its key would be remembered is looked at again as much later.
  template <class Lives, class Forgotten>
  void forget_old(Instant now, const Lives& lives, const Forgotten& forgotten) {
    for (; !ages_.empty() && ages_.front().due <= now; ages_.pop_front()) {
      Age& oldest = ages_.front();
      const auto it = records_.find(oldest.key);
      if (it == records_.end() || it->second.job != oldest.job) continue;  // The key was used anew.
      if (lives(oldest.job)) {
        const Duration later = std::max(kept_, Duration(1));  // Not again at this instant.
        ages_.push_back({saturating_add(now, later), oldest.key, oldest.job});
        continue;
      }
      forgotten(oldest.key);
      records_.erase(it);
    }
  }

  std::size_t size() const { return records_.size(); }

 private:
  struct Age {
    Instant due;  ///< When to look whether it can be forgotten.
    std::string key;
    JobId job;
  };
  Duration kept_;
  std::map<std::string, KeyRecord, std::less<>> records_;
  std::deque<Age> ages_;  ///< Ascending by due.
};

}  // namespace duet
