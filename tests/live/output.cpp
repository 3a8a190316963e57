// What programs write: nothing is lost, nothing grows without bound, and nobody reads what is not theirs.
#include "live/process/output.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live/process/log_files.h"
#include "tests/live/folder.h"
#include "tests/live/processes.h"

namespace duet::test {
namespace {

using live::LogLimits;
using live::LogSlice;
using live::LogStream;
using live::LogWriter;
using live::OutputPipe;
using live::read_log;

constexpr AttemptId kAttempt{{JobId{7}, 2}, 1};

/// A pipe that is read into a log, and both of its ends.
class Logged {
 public:
  Logged(const std::string& folder, LogLimits limits, AttemptId attempt = kAttempt)
      : writer_(folder, limits) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("no pipe");
    write_ = live::Fd(ends[1]);
    pipe_ = std::make_unique<OutputPipe>(io_, writer_, writer_.open(attempt, LogStream::kStdout),
                                         live::Fd(ends[0]), [this] { ended_ = true; });
  }
  /// Writes all of it, as fast as it is read.
  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::write(write_.get(), text.data(), text.size());
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
      if (n < 0 && errno == EAGAIN) io_.run_one_for(std::chrono::seconds(1));
    }
  }
  void end() {
    write_.reset();
    ASSERT_TRUE(until([&] { return io_.run_one_for(std::chrono::milliseconds(1)), ended_; }));
  }
  live::asio::io_context io_{1};
  live::asio::executor_work_guard<live::asio::io_context::executor_type> busy_{io_.get_executor()};
  LogWriter writer_;
  live::Fd write_;
  std::unique_ptr<OutputPipe> pipe_;
  bool ended_ = false;
};

std::string numbered(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += std::to_string(1'000'000'000 + i).substr(1) + "\n";  // 10 bytes
  return text;
}
LogSlice log_of(const Folder& folder, std::uint64_t offset, std::size_t max) {
  const auto slice = read_log(folder.text(), kAttempt, LogStream::kStdout, offset, max);
  return slice ? *slice : LogSlice{0, 0, 0, "?" + slice.problems().front().what};
}

TEST(Output, OffsetsCountFromTheFirstByteAcrossParts) {
  const Folder folder;
  Logged logged(folder.text(), {.part_bytes = 100, .old_parts = 2});
  logged.write(numbered(0, 12));
  logged.end();
  EXPECT_EQ(log_of(folder, 0, 1000).text, numbered(0, 12));
  EXPECT_EQ(log_of(folder, 95, 10).text, numbered(9, 11).substr(5, 10));
  EXPECT_EQ(log_of(folder, 5000, 10).text, "");
  EXPECT_EQ(log_of(folder, 5000, 10).end, 120);
  EXPECT_TRUE(std::filesystem::exists(folder / "logs/7.2-1/stdout.100"));
}

TEST(Output, OldPartsGoAndTheRestKeepsItsOffsets) {
  const Folder folder;
  Logged logged(folder.text(), {.part_bytes = 100, .old_parts = 2});
  logged.write(numbered(0, 45));
  logged.end();
  const LogSlice slice = log_of(folder, 30, 1000);
  EXPECT_EQ(slice.begin, 200);
  EXPECT_EQ(slice.offset, 200);
  EXPECT_EQ(slice.end, 450);
  EXPECT_EQ(slice.text, numbered(20, 45));
}

TEST(Output, AFloodIsHeldBackAndNothingOfItIsLost) {
  const Folder folder;
  Logged logged(folder.text(), {.part_bytes = 1 << 20, .old_parts = 9});
  // While the writer is busy, no more than the first piece and what the pipe holds is taken of the flood.
  std::mutex gate;
  gate.lock();
  logged.writer_.post([&] { const std::lock_guard held(gate); });
  std::size_t taken = 0;
  const std::string chunk(4096, 'x');
  for (int quiet = 0; quiet < 100;) {
    const ssize_t n = ::write(logged.write_.get(), chunk.data(), chunk.size());
    if (n > 0) taken += static_cast<std::size_t>(n);
    if (n < 0) ++quiet;
    logged.io_.poll();
  }
  EXPECT_EQ(taken, 4096 + 64 * 1024);
  gate.unlock();
  logged.write(numbered(0, 500'000));
  logged.end();
  EXPECT_EQ(log_of(folder, 0, 0).end, taken + 5'000'000);
  EXPECT_EQ(log_of(folder, taken, 10'000'000).text, numbered(0, 500'000));
}

TEST(Output, LogsOfEndedAttemptsAreBounded) {
  const Folder folder;
  for (std::uint32_t number = 1; number <= 4; ++number) {
    const AttemptId attempt{{JobId{7}, 2}, number};
    Logged logged(folder.text(), {.part_bytes = 100, .old_parts = 2, .attempts = 2, .bytes = 1000}, attempt);
    logged.write(numbered(0, 1));
    logged.end();
    logged.writer_.ended(attempt);
    logged.writer_.finish();
  }
  std::vector<std::string> names;
  for (const auto& log : live::kept_logs(folder.text())) names.push_back(log.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("7.2-3", "7.2-4"));
}

TEST(Output, ReadersAreNotLedAstray) {
  const Folder folder;
  const Folder elsewhere;
  std::ofstream(elsewhere / "stdout") << "secret";
  std::filesystem::create_directories(folder / "logs");
  std::filesystem::create_directory_symlink(elsewhere.text(), folder / "logs/7.2-1");
  EXPECT_EQ(log_of(folder, 0, 100).text, "?cannot be read: Too many levels of symbolic links");
  std::filesystem::remove(folder / "logs/7.2-1");
  std::filesystem::create_directory(folder / "logs/7.2-1");
  std::filesystem::create_symlink(elsewhere / "stdout", folder / "logs/7.2-1/stdout");
  EXPECT_EQ(log_of(folder, 0, 100).text, "?cannot be read: Too many levels of symbolic links");
  EXPECT_EQ(read_log(folder.text(), {{JobId{9}, 0}, 1}, LogStream::kStderr, 0, 10)->text, "");
}

}  // namespace
}  // namespace duet::test
