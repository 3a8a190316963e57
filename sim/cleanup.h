// Files that must not survive an interruption: half-written ones are removed when a signal ends the program.
#pragma once

#include <string>
#include <vector>

namespace duet::sim {

/// While it lives, SIGINT, SIGTERM and SIGHUP remove the `.part` files of these paths and then end the
/// program as they always do. One at a time.
class PartFilesGuard {
 public:
  explicit PartFilesGuard(const std::vector<std::string>& paths);
  PartFilesGuard(const PartFilesGuard&) = delete;
  PartFilesGuard& operator=(const PartFilesGuard&) = delete;
  ~PartFilesGuard();

  /// To be called again after a library has installed handlers of its own.
  static void install();
};

}  // namespace duet::sim
