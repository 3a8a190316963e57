// What is durable of a controller: the last record of each key; an ended job's records are gone. It outlives
// the controller.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/model.h"

namespace duet {

class RecordStore {
 public:
  void put(const Record& record) {
    std::visit([this](const auto& r) { keep(r); }, record);
  }

  /// Everything, for a controller that takes over: nodes, ends, jobs, tasks, keys.
  std::vector<Record> records() const {
    std::vector<Record> all;
    for (const auto& [id, record] : nodes_) all.emplace_back(record);
    if (last_end_.job.value > 0) all.emplace_back(last_end_);
    for (const auto& [id, record] : jobs_) all.emplace_back(record);
    for (const auto& [id, record] : tasks_) all.emplace_back(record);
    for (const auto& [key, record] : keys_) all.emplace_back(record);
    return all;
  }

  /// How many jobs that have not ended there are, and records of their tasks.
  std::size_t jobs() const { return jobs_.size(); }
  std::size_t tasks() const { return tasks_.size(); }
  std::size_t keys() const { return keys_.size(); }

  /// Jobs ever stored, which is the highest of their ids: they are stored in the order of their acceptance.
  std::uint64_t jobs_given() const { return jobs_given_; }

 private:
  void keep(const NodeRecord& record) { nodes_[record.node] = record; }
  void keep(const TaskRecord& record) { tasks_[record.task] = record; }
  void keep(const JobRecord& record) {
    jobs_[record.job] = record;
    jobs_given_ = std::max(jobs_given_, record.job.value);
  }
  /// Nothing is left of a job that has ended but the highest id of all: no id is ever given again.
  void keep(const EndRecord& record) {
    jobs_.erase(record.job);
    tasks_.erase(tasks_.lower_bound(TaskId{record.job, 0}),
                 tasks_.lower_bound(TaskId{JobId{record.job.value + 1}, 0}));
    if (last_end_.job < record.job) last_end_ = record;
  }

  void keep(const KeyRecord& record) {
    if (record.job == JobId{})
      keys_.erase(record.key);
    else
      keys_[record.key] = record;
  }

  std::map<NodeId, NodeRecord> nodes_;
  std::map<std::string, KeyRecord> keys_;
  std::map<JobId, JobRecord> jobs_;
  std::map<TaskId, TaskRecord> tasks_;
  EndRecord last_end_;
  std::uint64_t jobs_given_ = 0;
};

}  // namespace duet
