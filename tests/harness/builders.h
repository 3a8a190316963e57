// Clusters and jobs in prose: cluster().nodes(3, cores(4)), job("a").tasks(2).cores(2).runs(10s).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"
#include "core/model.h"

namespace duet::test {

/// The shape of a node.
class Shape {
 public:
  explicit Shape(std::uint32_t cores) {
    offer_.cores = cores;
    offer_.capacity.cpu_m = kThread * cores;
  }
  Shape threads_per_core(std::uint32_t n) && {
    offer_.threads_per_core = n;
    offer_.capacity.cpu_m = kThread * offer_.cores * n;
    return *this;
  }
  Shape memory(std::int64_t bytes) && {
    offer_.capacity.memory_bytes = bytes;
    return *this;
  }
  Shape count(std::size_t kind, std::int32_t n) && {
    offer_.capacity.count[kind] = n;
    return *this;
  }
  const NodeOffer& offer() const { return offer_; }

 private:
  NodeOffer offer_;
};
inline Shape cores(std::uint32_t n) { return Shape(n); }

/// What the harness's runtime does with an attempt; it travels as the opaque payload of its work.
struct Behaviour {
  std::uint32_t fails = 0;    ///< Attempts up to this number end with exit code 1.
  Duration fails_after{0};    ///< So long after their start; 0 = at their usual end.
  bool culprit_only = false;  ///< Only task `culprit` fails.
  std::uint32_t culprit = 0;
  bool unstartable = false;  ///< Cannot be launched.
  bool stubborn = false;     ///< Does not end when told politely.
  bool obliging = false;     ///< Ends with success when told politely.
  bool pulls = false;        ///< A worker that asks for operations.

  std::string encoded() const;
  static Behaviour decoded(const std::string& text);
};

class JobBuilder {
 public:
  explicit JobBuilder(std::string key) {
    spec_.key = std::move(key);
    spec_.groups.emplace_back();
  }

  JobBuilder tasks(std::uint32_t n) { return group().count = n, *this; }
  JobBuilder cores(std::int64_t n) { return millicores(n * kThread); }
  JobBuilder millicores(std::int64_t n) { return task().need.cpu_m = n, *this; }
  JobBuilder memory(std::int64_t bytes) { return task().need.memory_bytes = bytes, *this; }
  JobBuilder count(std::size_t kind, std::int32_t n) { return task().need.count[kind] = n, *this; }
  JobBuilder exclusive() { return task().exclusive = true, *this; }
  JobBuilder runs(Duration d) { return task().work.duration = d, *this; }
  JobBuilder estimate(Duration d) { return task().estimate = d, *this; }
  JobBuilder timeout(Duration d) { return task().timeout = d, *this; }
  JobBuilder retries(std::uint32_t n) { return spec_.retries = n, *this; }
  JobBuilder dag() { return spec_.kind = JobKind::kDag, *this; }
  /// In a DAG: the group described last comes after these.
  JobBuilder comes_after(std::vector<std::uint32_t> groups) {
    return group().after = std::move(groups), *this;
  }
  /// Replicas of the task described, until the job is cancelled.
  JobBuilder service(std::uint32_t replicas) {
    group().count = replicas;
    return spec_.kind = JobKind::kService, *this;
  }
  JobBuilder priority(std::int32_t n) { return spec_.priority = n, *this; }
  JobBuilder scheduler(std::string name) { return spec_.scheduler = std::move(name), *this; }
  JobBuilder backoff(Duration d) { return spec_.backoff = d, *this; }
  /// Attempts are asked so often whether they work; so many failures in a row end them.
  JobBuilder health(Duration interval, std::uint32_t failures, Duration start_period = Duration{0}) {
    task().work.health = {interval, std::chrono::milliseconds(100), start_period, failures};
    return *this;
  }
  JobBuilder restart(RestartPolicy policy) { return spec_.restart = policy, *this; }
  JobBuilder bag() { return spec_.kind = JobKind::kBag, *this; }
  /// A further group of a bag; what follows describes its tasks.
  JobBuilder and_group(std::uint32_t n) { return spec_.groups.emplace_back().count = n, *this; }

  /// The replicas are the workers of a pool of up to so many.
  JobBuilder workers_of(std::string pool, std::uint32_t maximum, std::uint32_t minimum = 0) {
    spec_.pool.emplace();
    spec_.pool->name = std::move(pool);
    spec_.pool->minimum = minimum;
    return spec_.pool->maximum = maximum, *this;
  }
  /// Of those workers: they ask for operations.
  JobBuilder pulls() { return spec_.pool->pull = behaviour_.pulls = true, *this; }
  JobBuilder queue_limit(std::uint32_t n) { return spec_.pool->queue_limit = n, *this; }
  JobBuilder cooldowns(Duration up, Duration down) {
    spec_.pool->cooldown_up = up;
    return spec_.pool->cooldown_down = down, *this;
  }
  JobBuilder dry_run() { return spec_.pool->dry_run = true, *this; }
  /// The tasks described are operations of this pool; the estimate says how much of a worker each takes.
  JobBuilder in_pool(std::string pool) {
    task().need = {};
    return task().pool = std::move(pool), *this;
  }

  JobBuilder fails(std::uint32_t attempts) { return behaviour_.fails = attempts, *this; }
  JobBuilder only_task(std::uint32_t index) {
    return behaviour_.culprit = index, behaviour_.culprit_only = true, *this;
  }
  JobBuilder after(Duration d) { return behaviour_.fails_after = d, *this; }
  JobBuilder unstartable() { return behaviour_.unstartable = true, *this; }
  JobBuilder stubborn() { return behaviour_.stubborn = true, *this; }
  JobBuilder obliging() { return behaviour_.obliging = true, *this; }

  JobSpecPtr spec() const;

 private:
  TaskGroup& group() { return spec_.groups.back(); }
  TaskSpec& task() { return group().spec; }

  JobSpec spec_;
  Behaviour behaviour_;
};
/// A rigid job of one task of one core that runs for a second, unless told otherwise.
inline JobBuilder job(std::string key) {
  return JobBuilder(std::move(key)).cores(1).runs(std::chrono::seconds(1));
}

class ClusterBuilder {
 public:
  ClusterBuilder nodes(std::uint32_t n, const Shape& shape);
  ClusterBuilder queue(std::string name) { return controller.queue.name = std::move(name), *this; }
  ClusterBuilder scheduler(std::string name) { return controller.scheduler.name = std::move(name), *this; }
  ClusterBuilder autoscaler(std::string name, Params params = {}) {
    controller.autoscaler = {std::move(name), std::move(params)};
    return *this;
  }
  ClusterBuilder estimator(std::string name) { return controller.estimator.name = std::move(name), *this; }
  ClusterBuilder mass_loss(std::uint32_t percent, Duration window, Duration interval) {
    controller.mass_loss = {percent, window, interval};
    return *this;
  }
  ClusterBuilder max_losses(std::uint32_t n) { return controller.max_losses = n, *this; }
  ClusterBuilder dead_after(std::int64_t suspect_s, std::int64_t dead_s);
  ClusterBuilder heartbeat(Duration d);
  ClusterBuilder kill_grace(Duration d);
  /// The controller has no durable store.
  ClusterBuilder adopts(Duration d) { return controller.adopt_for = d, *this; }
  ClusterBuilder latency(Duration d) { return one_way = d, *this; }
  /// The controller learns of its nodes only when they register.
  ClusterBuilder without_inventory() { return controller.inventory.clear(), *this; }

  ControllerConfig controller;
  std::vector<AgentConfig> agents;
  Duration one_way{0};  ///< Of every message.
};
inline ClusterBuilder cluster() { return {}; }

}  // namespace duet::test
