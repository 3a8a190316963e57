// Executes operations on a few threads, chunk by chunk: each in its turn, so that a long one holds up nobody.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "live/operations/operation.h"

namespace duet::live::worker {

class Executor {
 public:
  struct Ended {
    bool cancelled = false;
    std::string failure;  ///< What it threw; empty: nothing.
    std::string result;   ///< JSON, if it was neither.
  };
  using Ticket = std::uint64_t;

  explicit Executor(unsigned threads);
  /// Cancels everything; nobody is told.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// `done` is called once, from one of the threads.
  Ticket begin(std::unique_ptr<operations::Operation> operation, std::function<void(Ended)> done);
  /// Its next chunks are not executed. It may have ended already.
  void cancel(Ticket ticket);
  unsigned threads() const { return static_cast<unsigned>(threads_.size()); }

 private:
  struct Running {
    Ticket ticket = 0;
    std::unique_ptr<operations::Operation> operation;
    std::function<void(Ended)> done;
    std::uint64_t next = 0;  ///< The first chunk that nobody has taken.
    std::uint64_t chunks = 0;
    std::uint32_t taken = 0;  ///< Chunks that are being executed.
    bool cancelled = false;
    std::string failure;

    bool over() const { return taken == 0 && (cancelled || !failure.empty() || next == chunks); }
  };

  void work();
  void finish(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Running>& one);

  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  Ticket last_ = 0;
  std::map<Ticket, std::shared_ptr<Running>> all_;
  std::deque<std::shared_ptr<Running>> turns_;  ///< That have chunks to take; the first is the next.
  std::vector<std::thread> threads_;
};

}  // namespace duet::live::worker
