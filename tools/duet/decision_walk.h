// The decisions of a run one after the other, numbered.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "core/codec/decision.h"
#include "core/codec/task_story.h"
#include "core/result.h"

namespace duet::front {

class DecisionWalk {
 public:
  static Result<DecisionWalk> open(const std::string& trace, codec::DecisionFilter filter,
                                   std::atomic<std::uint64_t>* progress);

  /// Goes on to the next decision that is wanted. False at the end of the trace.
  Result<bool> next();
  /// Of the decision: counts all of the run from 1, whether wanted or not.
  std::uint64_t number() const { return number_; }
  const codec::Walk& walk() const { return walk_; }
  codec::Walk& walk() { return walk_; }
  /// Of the task, or of the first of the job, that is wanted; without one, of none.
  const codec::TaskStory& story() const { return story_; }
  codec::Decision decision() const { return codec::decision_of(walk_, filter_); }

 private:
  DecisionWalk(codec::Walk walk, codec::DecisionFilter filter)
      : walk_(std::move(walk)),
        filter_(std::move(filter)),
        story_({filter_.job.value_or(JobId{}), filter_.task.value_or(0)}) {}

  codec::Walk walk_;
  codec::DecisionFilter filter_;
  codec::TaskStory story_;
  std::uint64_t number_ = 0;
};

}  // namespace duet::front
