#include "live/store/sqlite_store.h"

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/check.h"
#include "live/store/sqlite_file.h"

namespace duet::live {
namespace {

/// A file that only one process has at a time; it says which.
class LockFile {
 public:
  static Result<LockFile> take(const std::string& store) {
    const std::string path = store + ".lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
      return Problem{path, "cannot be made: " + std::generic_category().message(errno),
                     "a folder that exists and that Duet may write to"};
    LockFile lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      char text[32] = {};
      if (::pread(fd, text, sizeof text - 1, 0) <= 0) std::strcpy(text, "unknown");
      return Problem{store, "is in use by another controller, process " + std::string(text),
                     "one controller for a store: end that one first, or give this one another folder"};
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0)
      return Problem{path, "cannot be written: " + std::generic_category().message(errno), {}};
    return lock;
  }
  LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  LockFile& operator=(LockFile&&) = delete;
  /// The file stays: whoever removes it may remove that of the next one.
  ~LockFile() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(asio::io_context& io, LockFile lock, const std::string& path, SqliteOptions options)
      : io_(io), lock_(std::move(lock)), file_(path, std::move(options)), writer_([this] { write(); }) {}

  ~SqliteStore() override {
    *alive_ = false;
    {
      const std::lock_guard hold(mutex_);
      stop_ = true;
    }
    changed_.notify_one();
    writer_.join();
  }

  std::string_view name() const override { return "sqlite"; }

  Result<Loaded> load() override {
    DUET_CHECK(done_ == nullptr);
    const std::lock_guard hold(file_mutex_);
    return file_.load();
  }

  void commit(Batch batch, std::function<void(Problems)> done) override {
    DUET_CHECK(done_ == nullptr);
    done_ = std::move(done);
    under_way_.emplace(io_.get_executor());
    {
      const std::lock_guard hold(mutex_);
      batch_ = std::move(batch);
    }
    changed_.notify_one();
  }

  Result<std::vector<HistoryRow>> history(JobId before, std::size_t count) override {
    const std::lock_guard hold(file_mutex_);
    return file_.history(before, count);
  }

 private:
  /// The writer's life.
  void write() {
    for (;;) {
      std::unique_lock hold(mutex_);
      changed_.wait(hold, [this] { return batch_ || stop_; });
      if (!batch_) return;
      const Batch batch = std::move(*batch_);
      batch_.reset();
      hold.unlock();
      const std::lock_guard file(file_mutex_);
      answer(file_.commit(batch));
      if (file_.checkpoint_due() && (file_.checkpoint_urgent() || idle())) file_.checkpoint();
    }
  }
  bool idle() {
    const std::lock_guard hold(mutex_);
    return !batch_;
  }
  void answer(Problems problems) {
    boost::asio::post(io_, [this, alive = alive_, problems = std::move(problems)]() mutable {
      if (!*alive) return;
      under_way_.reset();
      std::exchange(done_, nullptr)(std::move(problems));
    });
  }

  asio::io_context& io_;
  LockFile lock_;
  /// Held by whoever uses the file.
  std::mutex file_mutex_;
  SqliteFile file_;
  std::function<void(Problems)> done_;
  /// Keeps the io_context running while it waits for an answer.
  std::optional<boost::asio::executor_work_guard<asio::io_context::executor_type>> under_way_;
  /// Tells an answer that is still queued that the store is gone.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  std::mutex mutex_;  ///< Guards the next two.
  std::optional<Batch> batch_;
  bool stop_ = false;
  std::condition_variable changed_;
  std::thread writer_;  ///< Last: it uses all of the above.
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(asio::io_context& io, const std::string& path,
                                                 SqliteOptions options) {
  DUET_CHECK(options.limits.kept > 0);
  auto lock = LockFile::take(path);
  if (!lock) return lock.problems();
  return std::unique_ptr<Store>(
      std::make_unique<SqliteStore>(io, std::move(*lock), path, std::move(options)));
}

}  // namespace duet::live
