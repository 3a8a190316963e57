// Programs of our own as children: ends, kills, programs that do not exist.
#include <cerrno>
#include <csignal>
#include <functional>
#include <optional>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "live/child_process.h"

namespace duet::test {
namespace {

using live::ChildProcess;

/// Runs one program to its end and returns how it ended.
std::optional<std::int32_t> ends_with(const std::vector<std::string>& argv,
                                      const std::function<void(ChildProcess&)>& meanwhile) {
  live::asio::io_context io(1);
  std::optional<std::int32_t> code;
  auto child = ChildProcess::start(io, argv, [&](std::int32_t c) { code = c; });
  if (!child) return std::nullopt;
  if (meanwhile) meanwhile(**child);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!code && std::chrono::steady_clock::now() < deadline) io.run_one_for(std::chrono::milliseconds(100));
  return code;
}

TEST(ChildProcess, TellsHowItEnded) {
  EXPECT_EQ(ends_with({"true"}, {}), 0);
  EXPECT_EQ(ends_with({"false"}, {}), 1);
  EXPECT_EQ(ends_with({"sleep", "60"}, [](ChildProcess& child) { child.terminate(false); }), -SIGTERM);
  EXPECT_EQ(ends_with({"sleep", "60"}, [](ChildProcess& child) { child.terminate(true); }), -SIGKILL);
}

TEST(ChildProcess, SaysWhyItCannotStart) {
  live::asio::io_context io(1);
  const auto child = ChildProcess::start(io, {"duet-no-such-program"}, [](std::int32_t) {});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.problems().front().what, "cannot be started: No such file or directory");
  EXPECT_FALSE(ChildProcess::start(io, {}, [](std::int32_t) {}));
}

TEST(ChildProcess, LeavesNoProcessBehind) {
  live::asio::io_context io(1);
  bool called = false;
  {
    const auto child = ChildProcess::start(io, {"sleep", "60"}, [&](std::int32_t) { called = true; });
    ASSERT_TRUE(child);
  }
  io.poll();
  EXPECT_FALSE(called);
  siginfo_t info{};
  EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), -1);  // No child is left to wait for.
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace duet::test
