// Starting a process and waiting for what it does: with a deadline, without sleeping.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/process/spawner.h"

namespace duet::test {

/// Asks `condition` until it holds; false if it does not within ten seconds.
template <class Condition>
bool until(Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// A process, with what it lives from: it ends with this at the latest.
class Started {
 public:
  Started(live::SpawnOrder order, live::SpawnerOptions options)
      : io_(std::make_unique<live::asio::io_context>(1)),
        spawner_(std::make_unique<live::Spawner>(*io_, std::move(options))) {
    if (order.directory.empty()) order.directory = "/";
    std::optional<Result<std::shared_ptr<live::Spawned>>> result;
    const live::asio::executor_work_guard<live::asio::io_context::executor_type> busy(io_->get_executor());
    spawner_->spawn(std::move(order), [&](auto r) { result.emplace(std::move(r)); });
    while (!result) io_->run_one_for(std::chrono::seconds(10));
    if (*result) {
      spawned_ = **result;
    } else {
      problem_ = result->problems().front().where + " " + result->problems().front().what;
    }
  }
  explicit operator bool() const { return spawned_ != nullptr; }
  /// "" if it was started.
  const std::string& problem() const { return problem_; }
  std::int64_t pid() const { return spawned_->pid; }

  /// Exit code, or minus the signal.
  int wait() const {
    siginfo_t info{};
    EXPECT_EQ(waitid(P_PIDFD, static_cast<id_t>(spawned_->pidfd.get()), &info, WEXITED), 0);
    return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
  }
  std::string read_line() const { return read_until(spawned_->out, '\n'); }
  std::string out() const { return read_until(spawned_->out, '\0'); }
  std::string err() const { return read_until(spawned_->err, '\0'); }

 private:
  static std::string read_until(const live::Fd& fd, char last) {
    std::string text;
    until([&] {
      char c = 0;
      const ssize_t n = read(fd.get(), &c, 1);
      if (n < 0) return false;
      if (n > 0) text += c;
      return n == 0 || c == last;
    });
    return text;
  }

  std::unique_ptr<live::asio::io_context> io_;
  std::unique_ptr<live::Spawner> spawner_;
  std::shared_ptr<live::Spawned> spawned_;
  std::string problem_;
};

inline Started start_process(live::SpawnOrder order, live::SpawnerOptions options = {}) {
  return Started(std::move(order), std::move(options));
}

}  // namespace duet::test
