// The folders that attempts run in, each in one of its own. Making and removing one costs a third of starting
// a process, so those that come back empty are renamed for the next.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "live/process/runner_options.h"

namespace duet::live {

/// Any thread.
class TaskFolders {
 public:
  /// Below `folder`/tasks, which is made. They belong to `user`, or to us.
  TaskFolders(const std::string& folder, std::optional<TaskUser> user);
  /// Removes the spare ones.
  ~TaskFolders();
  TaskFolders(const TaskFolders&) = delete;
  TaskFolders& operator=(const TaskFolders&) = delete;

  /// "FOLDER/tasks/NAME"
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  /// An empty folder of this name, for its user alone. What was there is removed.
  std::optional<Problem> make(const std::string& name);
  /// Removes it and all that is in it: nobody uses it any more.
  void remove(const std::string& name);

 private:
  bool as_new(const std::string& path) const;

  const std::string root_;
  const std::optional<TaskUser> user_;
  std::mutex mutex_;  ///< For what follows.
  std::uint64_t named_ = 0;
  std::vector<std::string> spare_;  ///< Paths.
};

}  // namespace duet::live
