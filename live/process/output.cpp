#include "live/process/output.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace duet::live {

namespace fs = std::filesystem;

namespace {
/// As much as a pipe holds.
constexpr std::size_t kPipeBytes = 64 * 1024;
}  // namespace

/// The files of one stream. Nothing is made before the first byte: most programs write nothing.
class LogWriter::File {
 public:
  File(std::string logs, std::string attempt, LogStream stream, const LogLimits& limits)
      : logs_(std::move(logs)), attempt_(std::move(attempt)), stream_(stream), limits_(limits) {}

  void append(std::string_view text) {
    if (lost_ > 0) {
      const std::string note =
          "[" + std::to_string(std::exchange(lost_, 0)) + " bytes could not be written]\n";
      put(note);
    }
    put(text);
  }

 private:
  void put(std::string_view text) {
    while (!text.empty()) {
      const std::uint64_t room = limits_.part_bytes - (written_ - begin_);
      if (room == 0) {
        next_part();
        continue;
      }
      if (!fd_ && !open_part()) break;
      const ssize_t n = ::write(fd_.get(), text.data(), std::min<std::uint64_t>(text.size(), room));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      written_ += static_cast<std::uint64_t>(n);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    lost_ += text.size();  // Of a full disk, say. What comes later is tried again.
  }
  std::string path(std::uint64_t begin) const {
    return logs_ + "/" + attempt_ + "/" + log_part_name(stream_, begin);
  }
  bool open_part() {
    if (begin_ == 0) {
      mkdir(logs_.c_str(), 0700);
      mkdir((logs_ + "/" + attempt_).c_str(), 0700);
    }
    fd_ = Fd(::open(path(begin_).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    return static_cast<bool>(fd_);
  }
  void next_part() {
    fd_.reset();
    old_.push_back(begin_);
    begin_ = written_;
    while (old_.size() > limits_.old_parts) {
      unlink(path(old_.front()).c_str());
      old_.pop_front();
    }
  }

  const std::string logs_;
  const std::string attempt_;
  const LogStream stream_;
  const LogLimits& limits_;
  Fd fd_;
  std::uint64_t begin_ = 0;    ///< Of the part that is written.
  std::uint64_t written_ = 0;  ///< Since the attempt's first byte.
  std::uint64_t lost_ = 0;     ///< Since the last byte that was written.
  std::deque<std::uint64_t> old_;
};

LogWriter::LogWriter(std::string folder, LogLimits limits)
    : folder_(std::move(folder)), limits_(limits), thread_([this] {
        for (KeptLog& log : kept_logs(folder_)) {
          kept_bytes_ += log.bytes;
          kept_.push_back(std::move(log));
        }
        prune();
      }) {}

LogWriter::~LogWriter() { thread_.finish(); }

std::shared_ptr<LogWriter::File> LogWriter::open(AttemptId attempt, LogStream stream) {
  // An attempt of that name may have been here in an earlier life of the cluster.
  const std::string name = attempt_folder_name(attempt);
  thread_.post([this, name] { drop(std::ranges::find(kept_, name, &KeptLog::name)); });
  return std::make_shared<File>(folder_ + "/logs", name, stream, limits_);
}

void LogWriter::write(std::shared_ptr<File> file, std::shared_ptr<const std::string> text,
                      std::function<void()> done) {
  thread_.post([file = std::move(file), text = std::move(text), done = std::move(done)] {
    file->append(*text);
    done();
  });
}

void LogWriter::ended(AttemptId attempt) {
  thread_.post([this, name = attempt_folder_name(attempt)] {
    KeptLog log{name, 0};
    std::error_code gone;
    for (fs::directory_iterator it(folder_ + "/logs/" + name, gone), end; !gone && it != end;
         it.increment(gone)) {
      std::error_code unknown;
      const auto size = it->file_size(unknown);
      if (!unknown) log.bytes += size;
    }
    if (gone) return;  // It wrote nothing.
    kept_bytes_ += log.bytes;
    kept_.push_back(std::move(log));
    prune();
  });
}

void LogWriter::prune() {
  while (!kept_.empty() && (kept_.size() > limits_.attempts || kept_bytes_ > limits_.bytes))
    drop(kept_.begin());
}

void LogWriter::drop(std::deque<KeptLog>::iterator log) {
  if (log == kept_.end()) return;
  std::error_code ignored;
  fs::remove_all(folder_ + "/logs/" + log->name, ignored);
  kept_bytes_ -= log->bytes;
  kept_.erase(log);
}

OutputPipe::OutputPipe(asio::io_context& io, LogWriter& writer, std::shared_ptr<LogWriter::File> file, Fd fd,
                       std::function<void()> done)
    : io_(io), writer_(writer), file_(std::move(file)), pipe_(io, fd.release()), done_(std::move(done)) {
  wait();
}

OutputPipe::~OutputPipe() {
  *alive_ = false;
  // release() takes it out of epoll: a child that is just starting may still hold a copy.
  if (pipe_.is_open()) ::close(pipe_.release());
}

void OutputPipe::wait() {
  pipe_.async_wait(asio::posix::stream_descriptor::wait_read,
                   [this, alive = alive_](const boost::system::error_code& error) {
                     if (*alive && !error) read();
                   });
}

void OutputPipe::read() {
  if (writing_ || !pipe_.is_open()) return;
  std::string text(kPipeBytes, '\0');
  const ssize_t n = ::read(pipe_.native_handle(), text.data(), text.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return given_up_ ? end() : wait();
  if (n <= 0) return end();
  text.resize(static_cast<std::size_t>(n));
  writing_ = true;
  writer_.write(file_, std::make_shared<const std::string>(std::move(text)),
                [this, alive = alive_, &io = io_] {
                  boost::asio::post(io, [this, alive] {
                    if (!*alive) return;
                    writing_ = false;
                    read();
                  });
                });
}

void OutputPipe::give_up() {
  given_up_ = true;
  read();
}

void OutputPipe::end() {
  ::close(pipe_.release());
  const auto done = std::move(done_);  // Which may destroy this.
  done();
}

}  // namespace duet::live
