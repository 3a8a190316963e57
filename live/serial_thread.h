// A thread that does one thing after the other, for what would hold up the io_context's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace duet::live {

class SerialThread {
 public:
  using Job = std::function<void()>;

  /// `first` is what it does before everything else.
  explicit SerialThread(Job first = {});
  /// Ends after the job in hand; jobs that wait are not done.
  ~SerialThread();
  SerialThread(const SerialThread&) = delete;
  SerialThread& operator=(const SerialThread&) = delete;

  void post(Job job);
  /// Returns when all that was posted before is done. Not to be called by a job.
  void finish();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<Job> jobs_;
  bool stopped_ = false;
  bool waits_ = false;  ///< For a job, and nobody has woken it yet.
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace duet::live
