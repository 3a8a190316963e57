// A live cluster whose programs are killed at random points while people submit jobs, and what must hold
// then.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "live/http/client.h"
#include "tests/golden/program.h"

namespace duet::kill_tests {

namespace fs = std::filesystem;
using program_tests::eventually;

/// One of Duet's programs, started by us, and again when it was killed.
class Program {
 public:
  Program(std::string name, std::vector<std::string> argv, fs::path log);
  ~Program() { kill(SIGKILL); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void start();
  /// Returns when it is gone, unless `signal` only stops it.
  void kill(int signal);
  bool runs();
  pid_t pid() const { return pid_; }
  const std::string& name() const { return name_; }

 private:
  const std::string name_;
  const std::vector<std::string> argv_;
  const fs::path log_;
  pid_t pid_ = 0;
};

/// Network namespaces in which programs run; empty: that of the test.
struct Places {
  std::string controller{};
  std::string host = "127.0.0.1";     ///< Of the controller, as agents reach it.
  std::vector<std::string> agents{};  ///< Of the first ones.
};

/// A controller and some agents, not watched by anybody but us.
class Cluster {
 public:
  Cluster(fs::path folder, int nodes, const std::string& profile, const Places& places = {});
  /// Ends all politely, so that nothing is left.
  ~Cluster();

  bool begun() const { return controller_ != nullptr; }
  Program& controller() { return *controller_; }
  const std::vector<std::unique_ptr<Program>>& agents() const { return agents_; }

  const fs::path& folder() const { return folder_; }
  std::string url() const { return url_; }
  std::string token() const;
  /// Everything that its tasks are, as the system shows it: pid and "17.0#1".
  std::vector<std::pair<pid_t, std::string>> tasks() const;

 private:
  const fs::path folder_;
  std::string url_;
  std::unique_ptr<Program> controller_;
  std::vector<std::unique_ptr<Program>> agents_;
};

/// A client of its controller.
live::http::Client connect(const Cluster& cluster);

/// What people did, and what they were told.
class Users {
 public:
  /// `at_once`: jobs that have not ended, at most.
  Users(Cluster& cluster, std::uint64_t seed, std::size_t at_once);
  ~Users();

  /// No more new jobs; returns when all that was answered has ended, false after a deadline.
  bool finish(std::chrono::seconds within);
  /// Jobs that were answered: key to id.
  std::map<std::string, std::uint64_t> accepted() const;
  std::uint64_t ended() const { return ended_; }

 private:
  void submit(std::uint64_t seed);
  void collect();

  Cluster& cluster_;
  const std::size_t at_once_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::uint64_t> named_ = 0;
  std::atomic<std::uint64_t> ended_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> accepted_;
  std::set<std::uint64_t> open_;
  std::vector<std::thread> threads_;
};

}  // namespace duet::kill_tests
