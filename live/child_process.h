// A child process, watched through its pidfd. Started without fork and without a shell.
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

  /// Starts `argv` (argv[0] is looked up in PATH) in a session of its own. `on_exit` is called once, from the
  /// io_context, unless this is destroyed before.
  static Result<std::unique_ptr<ChildProcess>> start(asio::io_context& io,
                                                     const std::vector<std::string>& argv, OnExit on_exit);
  /// Kills and reaps the process if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Sends SIGTERM, or SIGKILL if `force`.
  void terminate(bool force);

 private:
  ChildProcess(asio::io_context& io, int pidfd, OnExit on_exit);
  void watch();
  void reap();

  asio::posix::stream_descriptor pidfd_;
  OnExit on_exit_;
  bool running_ = true;
  /// Told to a handler still queued in the io_context that its process object is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
