#include "live/serial_thread.h"

#include <csignal>
#include <future>
#include <utility>

namespace duet::live {

SerialThread::SerialThread(Job first) {
  if (first) jobs_.push_back(std::move(first));
  // Signals are for the thread of the io_context; a new thread inherits the mask of the one that makes it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

SerialThread::~SerialThread() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  news_.notify_one();
  thread_.join();
}

void SerialThread::post(Job job) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    wake = std::exchange(waits_, false);
  }
  // Once for all that comes until it is awake: waking costs more than most jobs.
  if (wake) news_.notify_one();
}

void SerialThread::finish() {
  std::promise<void> done;
  post([&] { done.set_value(); });
  done.get_future().wait();
}

void SerialThread::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [&] {
      waits_ = !stopped_ && jobs_.empty();
      return !waits_;
    });
    if (stopped_) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
  }
}

}  // namespace duet::live
