// The story of a task, told from a walk: each state that it came to, when, and what brought it there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/codec/walk.h"

namespace duet::codec {

struct Chapter {
  std::uint64_t step = 0;
  Instant at;
  TaskState state = TaskState::kPending;
  std::uint32_t attempt = 0;  ///< 0 before the first.
  std::string node;           ///< Of that attempt; empty before the first.
  std::string why;            ///< "exited with code 1; tries again after 2 s"
};

/// What a step's notice about a task means, in words; to be asked when the step has been taken.
std::string why_of(const Walk& walk, const controller::TaskChanged& change);

class TaskStory {
 public:
  explicit TaskStory(TaskId task) : task_(task) {}
  /// To be called for each step when it has been taken.
  void hear(const Walk& walk);

  const std::vector<Chapter>& chapters() const { return chapters_; }
  /// Nothing more can happen to it.
  bool over() const;
  Instant submitted() const { return submitted_; }
  const std::string& key() const { return key_; }
  /// What is right if the task was never met: which tasks the job has, or which jobs there are.
  std::string hint() const;

 private:
  void begin(const Walk& walk);

  TaskId task_;
  std::vector<Chapter> chapters_;
  Instant submitted_{};
  std::string key_;
  std::uint64_t last_job_ = 0;
  std::size_t siblings_ = 0;  ///< Tasks of its job, at most.
};

/// "2.5 s"
std::string seconds_text(std::int64_t ns);

}  // namespace duet::codec
