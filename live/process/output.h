// What attempts write: from their pipes into files, in parts of bounded size, of bounded number. A pipe is
// not read while what came of it before is still being written, which holds its writer back.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "live/asio.h"
#include "live/process/fd.h"
#include "live/process/log_files.h"
#include "live/serial_thread.h"

namespace duet::live {

struct LogLimits {
  std::uint64_t part_bytes = 10 << 20;  ///< Of one file; at least 1.
  std::uint32_t old_parts = 2;          ///< Kept of each stream beside the one that is written.
  std::uint32_t attempts = 1000;        ///< Kept of those that have ended, as the next one.
  std::uint64_t bytes = std::uint64_t{1} << 30;
};

/// Writes the files, on a thread of its own.
class LogWriter {
 public:
  /// What was written in an earlier life counts as ended.
  LogWriter(std::string folder, LogLimits limits);
  /// Writes what it was given, and ends.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// A stream of an attempt, to be used on the writer's thread only.
  class File;
  std::shared_ptr<File> open(AttemptId attempt, LogStream stream);
  /// Appends `text` and calls `done` on the writer's thread. What cannot be written (a full disk) is lost,
  /// and said in the file as soon as that can be.
  void write(std::shared_ptr<File> file, std::shared_ptr<const std::string> text, std::function<void()> done);
  /// The attempt has ended: its logs may go when others need the room.
  void ended(AttemptId attempt);
  /// Other work with files that nobody waits for.
  void post(std::function<void()> job) { thread_.post(std::move(job)); }
  void finish() { thread_.finish(); }

 private:
  void prune();
  void drop(std::deque<KeptLog>::iterator log);

  const std::string folder_;
  const LogLimits limits_;
  // Of the thread:
  std::deque<KeptLog> kept_;  ///< Of attempts that have ended, the first to have is the first to go.
  std::uint64_t kept_bytes_ = 0;
  SerialThread thread_;  // Last: it uses the others.
};

/// Reads one pipe to its end.
class OutputPipe {
 public:
  /// `done` is called once, from the io_context, when all that came of the pipe is in its file and no more
  /// can come; not after destruction. `fd` does not block.
  OutputPipe(asio::io_context& io, LogWriter& writer, std::shared_ptr<LogWriter::File> file, Fd fd,
             std::function<void()> done);
  ~OutputPipe();
  OutputPipe(const OutputPipe&) = delete;
  OutputPipe& operator=(const OutputPipe&) = delete;

  /// Reads what is in the pipe and then gives up on it: somebody who is not ours may hold its other end.
  void give_up();

 private:
  void wait();
  void read();
  void end();

  asio::io_context& io_;
  LogWriter& writer_;
  std::shared_ptr<LogWriter::File> file_;
  asio::posix::stream_descriptor pipe_;
  std::function<void()> done_;
  bool writing_ = false;
  bool given_up_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
