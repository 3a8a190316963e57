#include "live/worker/executor.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace duet::live::worker {

Executor::Executor(unsigned threads) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) threads_.emplace_back([this] { work(); });
}

Executor::~Executor() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Executor::Ticket Executor::begin(std::unique_ptr<operations::Operation> operation,
                                 std::function<void(Ended)> done) {
  auto one = std::make_shared<Running>();
  one->chunks = std::max<std::uint64_t>(operation->chunks(), 1);
  one->operation = std::move(operation);
  one->done = std::move(done);
  const std::lock_guard lock(mutex_);
  one->ticket = ++last_;
  all_[one->ticket] = one;
  turns_.push_back(one);
  wake_.notify_all();
  return one->ticket;
}

void Executor::cancel(Ticket ticket) {
  std::unique_lock lock(mutex_);
  const auto at = all_.find(ticket);
  if (at == all_.end()) return;
  const std::shared_ptr<Running> one = at->second;
  one->cancelled = true;
  // If chunks of it are being executed, whoever executes the last one finishes it.
  std::erase(turns_, one);
  if (one->over()) finish(lock, one);
}

/// Forgets it and tells. Gives the lock back for that.
void Executor::finish(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Running>& one) {
  all_.erase(one->ticket);
  lock.unlock();
  Ended ended;
  ended.cancelled = one->cancelled;
  ended.failure = one->failure;
  if (!ended.cancelled && ended.failure.empty()) ended.result = one->operation->result();
  one->operation.reset();
  const auto done = std::move(one->done);
  done(std::move(ended));
}

void Executor::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !turns_.empty(); });
    if (ending_) return;
    const std::shared_ptr<Running> one = std::move(turns_.front());
    turns_.pop_front();
    const std::uint64_t chunk = one->next++;
    ++one->taken;
    const bool in_order = one->operation->in_order();
    if (!in_order && one->next < one->chunks) turns_.push_back(one);
    lock.unlock();
    std::string failure;
    try {
      one->operation->run(chunk);
    } catch (const std::exception& error) {
      failure = *error.what() == '\0' ? "it failed" : error.what();
    }
    lock.lock();
    if (ending_) return;
    --one->taken;
    if (!failure.empty() && one->failure.empty()) {
      one->failure = std::move(failure);
      std::erase(turns_, one);
    }
    if (one->over()) {
      finish(lock, one);
      lock.lock();
    } else if (in_order && !one->cancelled) {
      turns_.push_back(one);
    }
  }
}

}  // namespace duet::live::worker
