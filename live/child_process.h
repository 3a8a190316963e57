// A program of our own as a child: started without fork and without a shell, watched through its pidfd.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "live/asio.h"

namespace duet::live {

class ChildProcess {
 public:
  /// How it ended: its exit code (0..255), or minus the signal that killed it.
  using OnExit = std::function<void(std::int32_t)>;

  /// Starts `argv` (argv[0] is looked up in PATH) in a session of its own. What it prints goes to the
  /// descriptor `output` (-1: to ours); it reads nothing. `on_exit` is called once, from the io_context,
  /// unless this is destroyed before.
  static Result<std::unique_ptr<ChildProcess>> start(asio::io_context& io,
                                                     const std::vector<std::string>& argv, OnExit on_exit,
                                                     int output = -1);
  /// Kills and reaps the process if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Sends SIGTERM, or SIGKILL if `force`.
  void terminate(bool force);
  /// It is to outlive this: nothing is called, and nothing is killed.
  void let_go() { running_ = false; }
  std::int64_t pid() const { return pid_; }

 private:
  ChildProcess(asio::io_context& io, std::int64_t pid, int pidfd, OnExit on_exit);
  void watch();
  void reap();

  std::int64_t pid_;
  asio::posix::stream_descriptor pidfd_;
  OnExit on_exit_;
  bool running_ = true;
  /// Told to a handler still queued in the io_context that its process object is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
