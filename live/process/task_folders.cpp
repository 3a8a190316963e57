#include "live/process/task_folders.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "live/process/fd.h"

namespace duet::live {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSpareFolders = 64;
/// A folder does not shrink again: one that held many files is slow for ever.
constexpr off_t kPlainBytes = 4096;
/// No attempt has such a name.
constexpr std::string_view kSpareName = "spare-";

bool holds_nothing(int folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(fdopendir(dup(folder)), closedir);
  if (!open) return false;
  while (const dirent* entry = readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return true;
}

void remove_tree(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

TaskFolders::TaskFolders(const std::string& folder, std::optional<TaskUser> user)
    : root_(folder + "/tasks"), user_(std::move(user)) {
  mkdir(root_.c_str(), 0711);
  std::error_code gone;
  for (fs::directory_iterator it(root_, gone), end; !gone && it != end; it.increment(gone))
    if (it->path().filename().string().starts_with(kSpareName)) remove_tree(it->path().string());
}

TaskFolders::~TaskFolders() {
  for (const std::string& path : spare_) rmdir(path.c_str());
}

std::optional<Problem> TaskFolders::make(const std::string& name) {
  const std::string made = path(name);
  std::string spare;
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      spare = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  // A folder takes the place of an empty one, if there is one.
  if (!spare.empty()) {
    if (rename(spare.c_str(), made.c_str()) == 0) return std::nullopt;
    remove_tree(spare);
  }
  if (mkdir(made.c_str(), 0700) != 0 && errno == EEXIST) {
    remove_tree(made);
    mkdir(made.c_str(), 0700);
  }
  if (user_ && chown(made.c_str(), user_->uid, user_->gid) != 0)
    return Problem{made, std::string("cannot be given to its user: ") + std::strerror(errno), ""};
  return std::nullopt;
}

/// Whether nobody can tell it from a folder that was just made.
bool TaskFolders::as_new(const std::string& path) const {
  const Fd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!folder || fstat(folder.get(), &status) != 0) return false;
  const bool ours = status.st_uid == (user_ ? user_->uid : geteuid());
  return ours && (status.st_mode & 07777) == 0700 && status.st_size <= kPlainBytes &&
         flistxattr(folder.get(), nullptr, 0) <= 0 && holds_nothing(folder.get());
}

void TaskFolders::remove(const std::string& name) {
  const std::string gone = path(name);
  if (!as_new(gone)) return remove_tree(gone);
  std::string spare;
  {
    const std::lock_guard lock(mutex_);
    if (spare_.size() < kSpareFolders)
      spare = root_ + "/" + std::string(kSpareName) + std::to_string(++named_);
  }
  if (spare.empty() || rename(gone.c_str(), spare.c_str()) != 0) return remove_tree(gone);
  const std::lock_guard lock(mutex_);
  spare_.push_back(std::move(spare));
}

}  // namespace duet::live
