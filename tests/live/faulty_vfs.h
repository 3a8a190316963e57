// A file system for SQLite that fails when it is told to, and knows what a power cut would leave of its
// files.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "core/rng.h"
#include "tests/live/store_support.h"

namespace duet::test {

/// Wraps the system's. Syncs are remembered, not done: the tests' power never really goes. Thread-safe.
class FaultyVfs {
 public:
  enum class Fault : std::uint8_t { kNone, kError, kFull, kShort, kSync };

  explicit FaultyVfs(std::string name) : name_(std::move(name)), base_(sqlite3_vfs_find(nullptr)) {
    vfs_ = *base_;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + base_->szOsFile;
    vfs_.xOpen = &FaultyVfs::open;
    vfs_.xDelete = &FaultyVfs::remove;
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~FaultyVfs() { sqlite3_vfs_unregister(&vfs_); }
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  const std::string& name() const { return name_; }

  /// The `at`-th write (of kSync: sync) from now on, and all after it, fail; 0: none does.
  void arm(Fault fault, std::uint64_t at) {
    const std::lock_guard hold(mutex_);
    fault_ = at == 0 ? Fault::kNone : fault;
    left_ = at;
    fired_ = false;
  }
  bool fired() const {
    const std::lock_guard hold(mutex_);
    return fired_;
  }
  /// Before the `at`-th change of a file from now on, what a power cut would leave goes to `folder`.
  void cut(std::uint64_t at, std::string folder, std::uint64_t seed) {
    const std::lock_guard hold(mutex_);
    cut_left_ = at;
    cut_folder_ = std::move(folder);
    rng_ = Rng(seed);
  }
  /// Nothing left of cut().
  bool was_cut() const {
    const std::lock_guard hold(mutex_);
    return cut_left_ == 0;
  }

 private:
  struct Change {
    std::size_t at = 0;
    std::string bytes;
    bool truncation = false;  ///< To `at`.
  };
  struct Image {
    std::string synced;
    std::vector<Change> since;
  };
  struct File {
    sqlite3_file base{};
    FaultyVfs* owner = nullptr;
    std::string* path = nullptr;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static void apply(std::string& to, const Change& change, std::size_t from, std::size_t count) {
    if (change.truncation) {
      to.resize(std::min(to.size(), change.at));
      return;
    }
    if (to.size() < change.at + from + count) to.resize(change.at + from + count);
    to.replace(change.at + from, count, change.bytes, from, count);
  }

  /// Of what was not synced each sector may have been written or not.
  void make_cut() {
    for (const auto& [path, image] : images_) {
      std::string left = image.synced;
      for (const Change& change : image.since) {
        if (change.truncation) {
          if (rng_.chance(1, 2)) apply(left, change, 0, 0);
          continue;
        }
        constexpr std::size_t kSector = 512;
        for (std::size_t from = 0; from < change.bytes.size();) {
          const std::size_t to = std::min(change.bytes.size(), from + kSector - (change.at + from) % kSector);
          if (rng_.chance(1, 2)) apply(left, change, from, to - from);
          from = to;
        }
      }
      const auto name = std::filesystem::path(path).filename().string();
      write_text((std::filesystem::path(cut_folder_) / name).string(), left);
    }
  }
  void before_change() {
    if (cut_left_ > 0 && --cut_left_ == 0) make_cut();
  }
  bool fails(bool sync) {
    const bool concerned = fault_ != Fault::kNone && (fault_ == Fault::kSync) == sync;
    if (!concerned) return false;
    if (left_ > 1) return --left_, false;
    fired_ = true;
    return true;
  }

  static FaultyVfs& of(sqlite3_vfs* vfs) { return *static_cast<FaultyVfs*>(vfs->pAppData); }
  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* raw, int flags, int* out) {
    FaultyVfs& self = of(vfs);
    File& file = *new (raw) File;
    const int code = self.base_->xOpen(self.base_, path, file.real(), flags, out);
    if (code != SQLITE_OK) return code;
    file.owner = &self;
    file.path = new std::string(path == nullptr ? "" : path);
    file.base.pMethods = &methods();
    const std::lock_guard hold(self.mutex_);
    if (path != nullptr && !self.images_.contains(path)) self.images_[path].synced = file_text(path);
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int) {
    FaultyVfs& self = of(vfs);
    {
      const std::lock_guard hold(self.mutex_);
      self.images_.erase(path);
    }
    return self.base_->xDelete(self.base_, path, 0);
  }
  static int close(sqlite3_file* raw) {
    File& file = of(raw);
    delete file.path;
    return file.real()->pMethods->xClose(file.real());
  }
  static int read(sqlite3_file* raw, void* to, int n, sqlite3_int64 at) {
    File& file = of(raw);
    return file.real()->pMethods->xRead(file.real(), to, n, at);
  }
  static int write(sqlite3_file* raw, const void* from, int n, sqlite3_int64 at) {
    File& file = of(raw);
    FaultyVfs& self = *file.owner;
    const std::lock_guard hold(self.mutex_);
    self.before_change();
    const bool fails = self.fails(false);
    const int whole = n;
    if (fails) n = self.fault_ == Fault::kShort ? n / 2 : 0;
    int code = SQLITE_OK;
    if (n > 0) {
      self.images_[*file.path].since.push_back(
          {static_cast<std::size_t>(at),
           std::string(static_cast<const char*>(from), static_cast<std::size_t>(n))});
      code = file.real()->pMethods->xWrite(file.real(), from, n, at);
    }
    if (fails) return n < whole && self.fault_ == Fault::kError ? SQLITE_IOERR_WRITE : SQLITE_FULL;
    return code;
  }
  static int truncate(sqlite3_file* raw, sqlite3_int64 size) {
    File& file = of(raw);
    FaultyVfs& self = *file.owner;
    const std::lock_guard hold(self.mutex_);
    self.before_change();
    self.images_[*file.path].since.push_back({static_cast<std::size_t>(size), {}, true});
    return file.real()->pMethods->xTruncate(file.real(), size);
  }
  static int sync(sqlite3_file* raw, int) {
    File& file = of(raw);
    FaultyVfs& self = *file.owner;
    const std::lock_guard hold(self.mutex_);
    self.before_change();
    if (self.fails(true)) return SQLITE_IOERR_FSYNC;
    Image& image = self.images_[*file.path];
    for (const Change& change : image.since) apply(image.synced, change, 0, change.bytes.size());
    image.since.clear();
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* raw, sqlite3_int64* size) {
    return of(raw).real()->pMethods->xFileSize(of(raw).real(), size);
  }
  static int lock(sqlite3_file* raw, int level) {
    return of(raw).real()->pMethods->xLock(of(raw).real(), level);
  }
  static int unlock(sqlite3_file* raw, int level) {
    return of(raw).real()->pMethods->xUnlock(of(raw).real(), level);
  }
  static int reserved(sqlite3_file* raw, int* out) {
    return of(raw).real()->pMethods->xCheckReservedLock(of(raw).real(), out);
  }
  static int control(sqlite3_file* raw, int what, void* argument) {
    return of(raw).real()->pMethods->xFileControl(of(raw).real(), what, argument);
  }
  static int sector(sqlite3_file* raw) { return of(raw).real()->pMethods->xSectorSize(of(raw).real()); }
  static int device(sqlite3_file* raw) {
    return of(raw).real()->pMethods->xDeviceCharacteristics(of(raw).real());
  }
  static const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods table = [] {
      sqlite3_io_methods m{};
      m.iVersion = 1;
      m.xClose = &FaultyVfs::close;
      m.xRead = &FaultyVfs::read;
      m.xWrite = &FaultyVfs::write;
      m.xTruncate = &FaultyVfs::truncate;
      m.xSync = &FaultyVfs::sync;
      m.xFileSize = &FaultyVfs::file_size;
      m.xLock = &FaultyVfs::lock;
      m.xUnlock = &FaultyVfs::unlock;
      m.xCheckReservedLock = &FaultyVfs::reserved;
      m.xFileControl = &FaultyVfs::control;
      m.xSectorSize = &FaultyVfs::sector;
      m.xDeviceCharacteristics = &FaultyVfs::device;
      return m;
    }();
    return table;
  }

  std::string name_;
  sqlite3_vfs* base_;
  sqlite3_vfs vfs_{};
  mutable std::mutex mutex_;  ///< Guards all below.
  Fault fault_ = Fault::kNone;
  std::uint64_t left_ = 0;
  bool fired_ = false;
  std::uint64_t cut_left_ = 0;
  std::string cut_folder_;
  Rng rng_{0};
  std::map<std::string, Image> images_;  ///< By path.
};

}  // namespace duet::test
