// Starts processes on the processors that they are to stay on, one permanently pinned thread for each set of
// processors: a child inherits where its parent may run, and never waits for a busy one elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "live/asio.h"
#include "live/process/fd.h"
#include "live/serial_thread.h"

namespace duet::live {

struct SpawnOrder {
  std::vector<std::string> argv;    ///< argv[0] is looked up in PATH of `env` if it has no slash.
  std::vector<std::string> env;     ///< NAME=VALUE; nothing else is in the program's environment.
  std::string directory;            ///< Absolute; where it runs.
  bool own_directory = false;       ///< Then it may lie where its user could not go.
  std::vector<std::uint32_t> cpus;  ///< Where it may run; empty: wherever this process may.
  /// Called right before the start, on the spawning thread: makes what the child needs, and returns the open
  /// cgroup.procs files that it is to join, which stay open. May be empty.
  std::function<Result<std::vector<int>>()> prepare;
};

/// Of a process that has become its program.
struct Spawned {
  std::int64_t pid = 0;
  Fd pidfd;
  Fd out;  ///< What it writes to its standard output; does not block. The next one: standard error.
  Fd err;
};

struct SpawnerOptions {
  std::optional<std::uint32_t> uid{};  ///< User and group that it changes to.
  std::optional<std::uint32_t> gid{};
  bool confine = true;  ///< Filters what it may ask of the system, and keeps tasks from each other.
  /// Called on each spawning thread when it begins, with its processors: to join what they are limited by.
  std::function<void(const std::vector<std::uint32_t>&)> enter{};
};

class Spawner {
 public:
  /// A Problem's `where` is what could not be had ("no-such-program", "/no/such/folder", "seccomp").
  using Done = std::function<void(Result<std::shared_ptr<Spawned>>)>;

  Spawner(asio::io_context& io, SpawnerOptions options);
  /// What was started is killed: its parent ends. No callback comes after this.
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  /// Calls `done` from the io_context when the program runs, or cannot.
  void spawn(SpawnOrder order, Done done);

 private:
  class Thread;
  asio::io_context& io_;
  SpawnerOptions options_;
  std::map<std::vector<std::uint32_t>, std::unique_ptr<Thread>> threads_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
