#include "sim/compare/folder_lock.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace duet::sim {

Result<FolderLock> FolderLock::take(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Problem{folder, "the folder cannot be made: " + error.message(), ""};
  FolderLock lock(::open((folder + "/.lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666));
  if (lock.descriptor_ >= 0 && ::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK)
    return Problem{folder, "another duet compare is at work in this folder", "wait for it, or another --out"};
  return Problem{folder, "nothing can be written into the folder: " + std::generic_category().message(errno),
                 ""};
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace duet::sim
