// The live jobs of a controller, found by id in constant time; rows of ended jobs are used again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/ids.h"
#include "core/index.h"
#include "core/model.h"

namespace duet {

class Pool;
class Scheduler;

/// A task while its job lives.
struct LiveTask {
  TaskState state = TaskState::kPending;
  bool evicted = false;  ///< Stopping to run elsewhere, at no cost.
  bool ready = false;    ///< It runs, and passed its health check if it has one.
  std::uint32_t group = 0;
  std::uint32_t attempt = 0;  ///< Number of the last attempt.
  std::uint32_t failures = 0;
  std::uint32_t losses = 0;
  NodeId node;                     ///< Of the last attempt.
  std::uint32_t node_slot = 0;     ///< Where in its node's list of tasks it was last put; a hint.
  std::uint32_t ready_number = 0;  ///< Of what its agent's present life said last of its readiness.
  std::uint64_t serial = 0;        ///< Of the last launch sent in its node's epoch; 0 if none was.
  Instant answer_due;              ///< When its launch or kill is sent again if nothing answers.
  Instant retry_at;                ///< While it waits out a backoff: until then; else 0.
  ThreadSet threads;               ///< Held by the last attempt.
  Instant placed;
  Instant started;  ///< As reported; until then, when it was placed.
  Instant estimated_end = kNever;
};

/// The tasks of one group that wait: those never placed, from `next` on, and those that came back.
struct LiveGroup {
  Request request;
  std::int64_t rank = 0;            ///< Its place in the queue policy's order, while it waits.
  std::uint32_t next = 0;           ///< Index of the first task never placed.
  std::uint32_t end = 0;            ///< One past the group's last task.
  std::vector<std::uint32_t> back;  ///< Ascending.
  std::optional<NodeId> avoid;      ///< The target where one of those that came back failed.
  Pool* pool = nullptr;             ///< Of operations: whose workers execute them.

  /// How many wait.
  std::uint32_t width() const { return static_cast<std::uint32_t>(back.size()) + end - next; }
  void come_back(std::uint32_t index) {
    back.insert(std::lower_bound(back.begin(), back.end(), index), index);
  }
};

/// What a group of a DAG waits for, and what waits for it.
struct DagGroup {
  std::vector<std::uint32_t> then;  ///< Groups that come after this one.
  std::uint32_t blocked = 0;        ///< Groups that must succeed before this one may wait in the queue.
  std::uint32_t unfinished = 0;     ///< Tasks that have not succeeded.
};

struct LiveJob {
  bool service() const { return spec->kind == JobKind::kService; }
  /// Replicas that a service should have: those with lower indices.
  std::uint32_t desired() const { return spec->groups.back().count; }
  /// The number of a service's version that this task's last attempt runs.
  std::uint32_t version_of(const LiveTask& task) const {
    return version - (static_cast<std::uint32_t>(groups.size()) - 1 - task.group);
  }

  /// True if groups that this one comes after have not all succeeded.
  bool blocked(std::uint32_t group) const { return !dag.empty() && dag[group].blocked > 0; }

  JobId id;
  JobSpecPtr spec;
  JobState state = JobState::kPending;
  bool cancelled = false;          ///< The user ended it.
  bool failing = false;            ///< A rigid job that failed for good; its other tasks are being ended.
  bool restarting = false;         ///< A gang of which one member fell out; it starts again when all have.
  Scheduler* scheduler = nullptr;  ///< Its own; null: the cluster's.
  Pool* pool = nullptr;            ///< Whose workers its replicas are; null: none's.
  std::uint32_t version = 0;       ///< Counts the updates of a service: that of its last group.
  Instant submitted;
  std::vector<LiveTask>
      tasks;  ///< A service's may be more than are desired: the others are idle or on the way.
  std::vector<LiveGroup> groups;
  std::vector<DagGroup> dag;   ///< By group; empty if the job is no DAG.
  std::uint32_t active = 0;    ///< Tasks that are starting, running or stopping.
  std::uint32_t terminal = 0;  ///< Tasks that ended for good.
  std::uint32_t failed = 0;    ///< Of those, the failed ones.
};

class JobTable {
 public:
  /// Makes a job with the next id. It stays where it is until it is retired.
  LiveJob& create() {
    by_id_.push_back(nullptr);
    return place(JobId{end() - 1});
  }
  /// Makes a job with this id, which none had; for restoring. Ids that it passes over stay open.
  LiveJob& create_with(JobId id) {
    if (id.value >= end()) {
      if (id.value > end()) open_[end()] = id.value - 1;
      if (by_id_.empty()) first_id_ = id.value;
      gone_ += id.value - end();
      by_id_.resize(id.value - first_id_ + 1, nullptr);
      return place(id);
    }
    DUET_CHECK(passed_over(id));
    if (id.value < first_id_) {
      by_id_.insert(by_id_.begin(), first_id_ - id.value, nullptr);
      first_id_ = id.value;
    }
    const auto range = std::prev(open_.upper_bound(id.value));
    const std::uint64_t first = range->first;
    const std::uint64_t last = range->second;
    open_.erase(range);
    if (first < id.value) open_[first] = id.value - 1;
    if (id.value < last) open_[id.value + 1] = last;
    return place(id);
  }
  /// True if no job has or had this id, and a row for it would not make the table absurdly long.
  bool open(JobId id) const {
    if (id.value == 0) return false;
    if (id.value >= end()) return by_id_.empty() || id.value - end() < kFarthest;
    return passed_over(id) && (id.value >= first_id_ || first_id_ - id.value < kFarthest);
  }
  /// The ids that were passed over are those of jobs that have ended.
  void close_ids() { open_.clear(); }
  /// Ids up to this one are taken.
  void skip_to(JobId id) {
    while (end() <= id.value) skip();
  }
  /// The job, or null if it has ended or never was.
  const LiveJob* find(JobId id) const {
    if (id.value < first_id_ || id.value >= end()) return nullptr;
    return by_id_[id.value - first_id_];
  }
  LiveJob* find(JobId id) { return const_cast<LiveJob*>(std::as_const(*this).find(id)); }
  const LiveJob& at(JobId id) const {
    const LiveJob* job = find(id);
    DUET_CHECK(job != nullptr);
    return *job;
  }
  LiveJob& at(JobId id) { return const_cast<LiveJob&>(std::as_const(*this).at(id)); }
  bool was_given(JobId id) const { return id.value >= 1 && id.value < end() && !passed_over(id); }
  void retire(JobId id) {
    LiveJob& job = at(id);
    if (job.service()) services_.erase(id);
    job.spec.reset();
    free_.push_back(&job);
    by_id_[id.value - first_id_] = nullptr;
    if (++gone_ >= 1024 && gone_ > by_id_.size() / 2) forget_leading();
  }
  /// To be called once when a new job has its specification.
  void specified(const LiveJob& job) {
    if (job.service()) services_.insert(job.id);
  }
  std::size_t live() const { return all_.size() - free_.size(); }
  template <class F>
  void for_each(F&& f) const {
    for (const LiveJob* job : by_id_)
      if (job != nullptr) f(*job);
  }
  /// Services are few and looked for often, among jobs that may be many.
  template <class F>
  void for_each_service(F&& f) const {
    for (const JobId id : services_) f(at(id));
  }

 private:
  static constexpr std::uint64_t kFarthest = std::uint64_t{1} << 26U;

  /// The next id.
  std::uint64_t end() const { return first_id_ + by_id_.size(); }
  bool passed_over(JobId id) const {
    const auto after = open_.upper_bound(id.value);
    return after != open_.begin() && std::prev(after)->second >= id.value;
  }
  void skip() {
    if (by_id_.empty()) {
      ++first_id_;
    } else {
      by_id_.push_back(nullptr);
      ++gone_;
    }
  }
  /// Drops the oldest ids whose jobs have ended. Called when they may be many, so that each costs little.
  void forget_leading() {
    const auto live = std::find_if(by_id_.begin(), by_id_.end(), [](auto* job) { return job != nullptr; });
    first_id_ += static_cast<std::uint64_t>(live - by_id_.begin());
    by_id_.erase(by_id_.begin(), live);
    // If a job that lives long keeps the others from being dropped: not again before as many have ended.
    gone_ = 0;
  }
  LiveJob& place(JobId id) {
    if (free_.empty()) free_.push_back(all_.emplace_back(std::make_unique<LiveJob>()).get());
    LiveJob& job = *free_.back();
    free_.pop_back();
    by_id_[id.value - first_id_] = &job;
    // Reset by hand: the vectors keep their storage for the next job.
    job.id = id;
    job.state = JobState::kPending;
    job.cancelled = job.failing = job.restarting = false;
    job.scheduler = nullptr;
    job.pool = nullptr;
    job.version = 0;
    job.tasks.clear();
    job.groups.clear();
    job.dag.clear();
    job.active = job.terminal = job.failed = 0;
    return job;
  }

  std::uint64_t first_id_ = 1;
  std::map<std::uint64_t, std::uint64_t> open_;  ///< First and last of ids passed over.
  std::vector<LiveJob*> by_id_;                  ///< Job first_id_ + i; null once it has ended.
  std::size_t gone_ = 0;                         ///< Jobs that ended since the oldest ids were last dropped.
  std::vector<std::unique_ptr<LiveJob>> all_;    ///< Stay where they are.
  std::vector<LiveJob*> free_;
  std::set<JobId> services_;  ///< Those that live.
};

}  // namespace duet
