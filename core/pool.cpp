#include "core/pool.h"

#include <algorithm>
#include <limits>

#include "core/check.h"
#include "core/mutation.h"

namespace duet {
namespace {

constexpr std::int64_t kWhole = 1000;  // A worker, in thousandths.

template <class P>
std::unique_ptr<P> plain(std::span<const PolicyEntry<P>> table, const char* name) {
  auto made = make_policy(table, {name, {}});
  DUET_CHECK(made);
  return std::move(*made);
}

}  // namespace

Pool::Pool(std::string pool_name)
    : name(std::move(pool_name)),
      queue(plain(queue_policies(), "fcfs")),
      scheduler(plain(scheduler_policies(), "lowest_cpu")) {}

void Pool::set_rules(std::int64_t full, bool pull) {
  full_ = full;
  pull_ = pull;
  for (std::uint32_t i = 0; i < workers_.size(); ++i) refresh(i);
  dirty = true;
}

const Pool::Worker* Pool::find(std::uint32_t index) const {
  return index < workers_.size() && workers_[index].attempt.number > 0 ? &workers_[index] : nullptr;
}

bool Pool::open(const Worker& worker) const {
  const bool asks = worker.asked > worker.granted && worker.operations == 0;
  return worker.ready && worker.node_usable && (!pull_ || asks);
}

std::uint64_t Pool::room_for(std::uint32_t index, const Request& request) const {
  const std::int64_t need = std::max<std::int64_t>(request.need.cpu_m, 1);
  const std::int64_t more = pull_ ? 1 : (full_ - workers_[index].load) / need;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(more, 1));
}

void Pool::refresh(std::uint32_t index) {
  const Worker& worker = workers_[index];
  Room room;
  // An idle worker takes whatever comes.
  const bool idle = worker.operations == 0 || mutated(Mutant::kOverloadsWorkers);
  room.free.cpu_m = idle ? kWhole : std::max<std::int64_t>(full_ - worker.load, 0);
  index_.set(NodeId{index}, room, open(worker), worker.operations);
}

void Pool::show(NodeId id, bool shown) {
  if (shown) return refresh(static_cast<std::uint32_t>(id.value));
  index_.set(id, {}, false);
}

void Pool::count_load(const Worker& worker, int sign) {
  up_ += worker.ready ? sign : 0;
  if (!worker.ready || !worker.node_usable) return;
  ready_ += sign;
  if (sign > 0) {
    ++loads_[worker.load];
  } else if (--loads_[worker.load] == 0) {
    loads_.erase(worker.load);
  }
}

void Pool::place(AttemptId attempt, NodeId node, const ThreadSet& threads, std::int64_t cpu_m) {
  const std::uint32_t index = attempt.task.index;
  while (workers_.size() <= index) {
    workers_.emplace_back();
    index_.add({.cpu_m = kWhole}, kWhole);
  }
  remove(index);
  Worker& worker = workers_[index];
  worker.attempt = attempt;
  worker.node = node;
  worker.threads = threads;
  worker.share_m = cpu_m > 0 && cpu_m < kThread ? cpu_m : kThread;
  worker.on_thread.assign(threads.size(), 0);
}

void Pool::set_ready(std::uint32_t index, bool ready, bool node_usable) {
  Worker& worker = workers_[index];
  DUET_CHECK(worker.attempt.number > 0);
  count_load(worker, -1);
  worker.ready = ready;
  worker.node_usable = node_usable;
  count_load(worker, +1);
  refresh(index);
  dirty = true;
}

void Pool::remove(std::uint32_t index) {
  Worker& worker = workers_[index];
  count_load(worker, -1);
  worker = {};
  refresh(index);
}

bool Pool::ask(AttemptId attempt, std::uint32_t number) {
  const std::uint32_t index = attempt.task.index;
  const Worker* known = find(index);
  if (known == nullptr || known->attempt != attempt || number <= known->asked) return false;
  workers_[index].asked = number;
  refresh(index);
  dirty = true;
  return true;
}

void Pool::forget_asks(std::uint32_t index) {
  workers_[index].asked = workers_[index].granted = 0;
  refresh(index);
}

std::uint32_t Pool::busy_end() const {
  auto end = static_cast<std::uint32_t>(workers_.size());
  while (end > 0 && workers_[end - 1].operations == 0) --end;
  return end;
}

void Pool::add_load(std::uint32_t index, const Request& request, const ThreadSet& threads, int sign) {
  Worker& worker = workers_[index];
  count_load(worker, -1);
  DUET_CHECK(sign > 0 || (worker.operations > 0 && worker.load >= request.need.cpu_m));
  worker.load += sign * request.need.cpu_m;
  worker.operations += static_cast<std::uint32_t>(sign);
  count_load(worker, +1);
  std::size_t position = 0;
  worker.threads.for_each([&](std::uint32_t thread) {
    if (threads.contains(thread)) worker.on_thread[position] += static_cast<std::uint32_t>(sign);
    ++position;
  });
  refresh(index);
}

/// An operation runs on the thread of its worker that has the fewest, of those the first.
ThreadSet Pool::take(NodeId id, const Request& request) {
  const auto index = static_cast<std::uint32_t>(id.value);
  const Worker& worker = workers_[index];
  ThreadSet chosen;
  if (!worker.threads.empty()) {
    const auto& counts = worker.on_thread;
    auto skip = std::min_element(counts.begin(), counts.end()) - counts.begin();
    worker.threads.for_each([&](std::uint32_t thread) {
      if (skip-- == 0) chosen.insert(thread);
    });
  }
  add_load(index, request, chosen, +1);
  return chosen;
}

void Pool::give_back(NodeId id, const Request& request, const ThreadSet& threads) {
  add_load(static_cast<std::uint32_t>(id.value), request, threads, -1);
}

void Pool::begin(TaskId operation, NodeId target) {
  Worker& worker = workers_[target.value];
  worker.granted = worker.asked;
  workers_of_[operation] = worker.attempt;
  refresh(static_cast<std::uint32_t>(target.value));
}

void Pool::resume(TaskId operation, AttemptId attempt, const Request& request, const ThreadSet& threads) {
  workers_of_[operation] = attempt;
  const Worker* worker = find(attempt.task.index);
  if (worker != nullptr && worker->attempt == attempt) add_load(attempt.task.index, request, threads, +1);
}

void Pool::end(TaskId operation, const Request& request, const ThreadSet& threads) {
  const auto at = workers_of_.find(operation);
  DUET_CHECK(at != workers_of_.end());
  const AttemptId attempt = at->second;
  workers_of_.erase(at);
  const Worker* worker = find(attempt.task.index);
  if (worker != nullptr && worker->attempt == attempt)
    add_load(attempt.task.index, request, threads, -1);  // Else its load ended with it.
  dirty = look = true;
}

std::optional<AttemptId> Pool::worker_of(TaskId operation) const {
  const auto at = workers_of_.find(operation);
  if (at == workers_of_.end()) return std::nullopt;
  return at->second;
}

}  // namespace duet
