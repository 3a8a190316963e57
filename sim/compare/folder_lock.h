// One comparison at a time in a folder: whoever makes its runs also writes its files.
#pragma once

#include <string>
#include <utility>

#include "core/result.h"

namespace duet::sim {

/// Keeps every other FolderLock, of this and of other processes, out of a folder while it lives. The lock is
/// the file FOLDER/.lock, which stays; it goes with the process, however that ends.
class FolderLock {
 public:
  /// Makes the folder if need be. Problems: it cannot be made or written to, or another one is at work in it.
  static Result<FolderLock> take(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace duet::sim
