// A record store as simple as its contract: the last value of each key; an ended job's records are gone.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"

namespace duet::test {

class RecordStore {
 public:
  void put(const Record& record) {
    std::visit([this](const auto& r) { keep(r); }, record);
  }
  /// All of it, in an order that no controller may rely on: tasks and jobs before nodes, the highest keys
  /// first.
  std::vector<Record> records() const {
    std::vector<Record> all;
    for (auto it = keys_.rbegin(); it != keys_.rend(); ++it) all.emplace_back(it->second);
    for (auto it = tasks_.rbegin(); it != tasks_.rend(); ++it) all.emplace_back(it->second);
    if (ended_) all.emplace_back(*ended_);
    for (auto it = jobs_.rbegin(); it != jobs_.rend(); ++it) all.emplace_back(it->second);
    for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) all.emplace_back(it->second);
    return all;
  }
  std::size_t jobs() const { return jobs_.size(); }
  std::size_t tasks() const { return tasks_.size(); }
  std::size_t keys() const { return keys_.size(); }
  const TaskRecord* task(TaskId id) const {
    const auto it = tasks_.find(id);
    return it == tasks_.end() ? nullptr : &it->second;
  }

 private:
  void keep(const JobRecord& r) { jobs_[r.job] = r; }
  void keep(const TaskRecord& r) { tasks_[r.task] = r; }
  void keep(const NodeRecord& r) { nodes_[r.node] = r; }
  void keep(const EndRecord& r) {
    jobs_.erase(r.job);
    tasks_.erase(tasks_.lower_bound({r.job, 0}), tasks_.lower_bound({JobId{r.job.value + 1}, 0}));
    if (!ended_ || ended_->job < r.job) ended_ = r;
  }

  void keep(const KeyRecord& r) {
    if (r.job == JobId{})
      keys_.erase(r.key);
    else
      keys_[r.key] = r;
  }

  std::map<JobId, JobRecord> jobs_;
  std::map<std::string, KeyRecord> keys_;
  std::map<TaskId, TaskRecord> tasks_;
  std::map<NodeId, NodeRecord> nodes_;
  std::optional<EndRecord> ended_;  ///< Of the highest job that ended: ids must not be given again.
};

}  // namespace duet::test
