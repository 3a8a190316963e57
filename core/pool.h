// A pool: the workers of a service as targets, and the operations that wait for one of them.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/places.h"
#include "core/plan.h"
#include "core/policy.h"

namespace duet {

/// The share of a worker, in thousandths, that an operation of this length is expected to take:
/// d / (d + 1 s), but at least 1 % and all of it at most. Short ones hardly show, long ones fill the worker.
/// One of which nobody knows how long it takes is taken to fill it.
constexpr std::int64_t expected_load(std::optional<Duration> d) {
  if (!d) return 1000;
  // Beyond a hundred days it stays at 999 in whole numbers, and the product would not fit.
  const std::int64_t ns = std::clamp<std::int64_t>(to_ns(*d), 0, 9'000'000'000'000'000);
  return std::clamp<std::int64_t>(1000 * ns / (ns + 1'000'000'000), 10, 1000);
}

/// Targets are the indices of the replicas. CPU is counted in thousandths of a worker: a request for
/// expected_load() fits where it does not load the worker beyond what counts as full, and always on an idle
/// worker.
class Pool final : public Places {
 public:
  explicit Pool(std::string name);

  /// From now on workers are full at this load, in thousandths, and get operations only when they ask.
  void set_rules(std::int64_t full, bool pull);

  // ---- Workers. Those of one index follow each other; the load of one ends with it.

  struct Worker {
    AttemptId attempt;  ///< Number 0: none.
    NodeId node;
    ThreadSet threads;
    std::int64_t share_m = kThread;  ///< Of a thread, in millicores, that each of its operations may use.
    bool ready = false;              ///< Its agent said that it runs.
    bool node_usable = false;        ///< Its node takes tasks.
    std::uint32_t asked = 0;         ///< The last ask that was heard of; 0 = none.
    std::uint32_t granted = 0;       ///< The last ask that was granted.
    std::uint32_t operations = 0;
    std::int64_t load = 0;                 ///< Expected loads of its operations, in thousandths.
    std::vector<std::uint32_t> on_thread;  ///< Operations, by position in `threads`.
  };

  /// This replica is a worker now, or about to be one.
  /// `cpu_m` is what it takes there.
  void place(AttemptId attempt, NodeId node, const ThreadSet& threads, std::int64_t cpu_m);
  /// It runs, and takes operations while its node does.
  void set_ready(std::uint32_t index, bool ready, bool node_usable);
  /// Its end is certain; so is that of its operations, though they may not have been heard of.
  void remove(std::uint32_t index);
  /// It asks for an operation. False if that is not news.
  bool ask(AttemptId worker, std::uint32_t number);
  /// Its agent registered anew, and will say again whether it asks.
  void forget_asks(std::uint32_t index);

  const Worker* find(std::uint32_t index) const;
  /// True if it may be given operations.
  bool open(const Worker& worker) const;
  /// How many operations of this request an open worker takes that has room for one.
  std::uint64_t room_for(std::uint32_t index, const Request& request) const;
  /// Workers that take operations; and those that run, wherever they are.
  std::int64_t ready() const { return ready_; }
  std::int64_t up() const { return up_; }
  std::uint64_t running() const { return workers_of_.size(); }
  /// Of the worker that takes operations and has least, in thousandths; 0 if there is none.
  std::int64_t least_load() const { return loads_.empty() ? 0 : loads_.begin()->first; }
  /// One past the last index whose worker has operations.
  std::uint32_t busy_end() const;

  // ---- Operations

  /// The operation has taken `target` by a plan.
  void begin(TaskId operation, NodeId target);
  /// Takes up an operation that this worker executes: for restoring.
  void resume(TaskId operation, AttemptId worker, const Request& request, const ThreadSet& threads);
  /// Its attempt is over.
  void end(TaskId operation, const Request& request, const ThreadSet& threads);
  /// Which worker executes it; nothing if it waits.
  std::optional<AttemptId> worker_of(TaskId operation) const;

  // ---- Places
  const TargetIndex& index() const override { return index_; }
  ThreadSet take(NodeId id, const Request& request) override;
  void give_back(NodeId id, const Request& request, const ThreadSet& threads) override;
  void show(NodeId id, bool shown) override;

  const std::string name;
  JobId job;                             ///< Whose replicas are the workers; 0 while there is no such job.
  std::uint32_t groups = 0;              ///< Of live jobs, whose tasks are operations here.
  std::uint32_t configured = 0;          ///< Workers that the user asked for.
  std::unique_ptr<Queue> queue;          ///< First come, first served.
  std::unique_ptr<Scheduler> scheduler;  ///< The worker with the least load, of those the first.
  std::map<std::string, std::unique_ptr<Scheduler>> own_schedulers;  ///< Of jobs that named one.
  Pending pending;
  bool dirty = false;                    ///< A pass may find a worker for something.
  bool waited = false;                   ///< Something has waited since the queue was last seen to be empty.
  bool look = false;                     ///< The autoscaler is to be asked.
  Instant look_at = kNever;              ///< And then, even if nothing happens.
  Instant empty_since;                   ///< Nothing has waited since.
  std::optional<Instant> scaled_at;      ///< When the number of workers last changed.
  std::optional<std::int64_t> proposed;  ///< In a dry run: what was last said.

 private:
  void refresh(std::uint32_t index);
  void add_load(std::uint32_t index, const Request& request, const ThreadSet& threads, int sign);
  void count_load(const Worker& worker, int sign);

  std::int64_t full_ = 1000;
  bool pull_ = false;
  std::vector<Worker> workers_;  ///< By index.
  TargetIndex index_;
  std::int64_t ready_ = 0;
  std::int64_t up_ = 0;
  std::map<std::int64_t, std::uint32_t> loads_;  ///< Of ready workers: how many have each.
  std::map<TaskId, AttemptId> workers_of_;       ///< Of operations that are with one.
};

}  // namespace duet
