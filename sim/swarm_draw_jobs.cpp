// What the swarm draws of work: jobs of all kinds, services and what is asked of them, pools, cancels.
#include <algorithm>
#include <string>
#include <utility>

#include "core/policy.h"
#include "sim/check_bounds.h"
#include "sim/payload.h"
#include "sim/quota.h"
#include "sim/swarm_draw_parts.h"

namespace duet::sim::drawing {
namespace {

Work never_ending() {
  Work work;
  work.duration = Duration(1'000'000 * kSecond);
  return work;
}

}  // namespace

/// Attempts of it run `shortest_ns` or longer.
TaskSpec Draw::task(Rng& rng, std::int64_t shortest_ns) {
  const NodeOffer& offer = out_.node_types.front().offer;
  TaskSpec spec;
  spec.exclusive = mix_.exclusive && rng.chance(1, 4);
  const bool share = mix_.shares && rng.chance(mix_.crowded ? 2 : 1, 3);
  const std::int64_t part = mix_.crowded ? 8 : rng.chance(1, 2) ? 4 : 1;
  const std::int64_t threads = rng.between(1, std::max<std::int64_t>(1, offer.threads() / part));
  if (!spec.exclusive) spec.need.cpu_m = share ? 250 * rng.between(1, 2) : kThread * threads;
  if (mix_.memory && rng.chance(1, 2)) spec.need.memory_bytes = kMiB * rng.between(1, 64);
  const Duration run = log_uniform(rng, shortest_ns, 40 * kSecond);
  if (mix_.operations && rng.chance(1, 3))
    // At the types' speed of one operation per nanosecond.
    spec.work.operations = std::max<std::int64_t>(1, to_ns(run) * quota_of(spec) / kThread);
  else
    spec.work.duration = run;
  if (mix_.estimates && rng.chance(3, 4)) spec.estimate = run * rng.between(1, 8) / 4;
  if (mix_.estimates && rng.chance(1, 4)) spec.operation = rng.chance(1, 2) ? "copy" : "sort";
  if (mix_.timeouts && rng.chance(1, 5))
    spec.timeout = std::max(run * rng.between(1, 8) / 4, Duration(shortest_ns));
  return spec;
}

/// Makes the job smaller until the nodes that are left in the end can hold it.
void Draw::fit(JobSpec& job, const std::vector<bool>& survives) const {
  while (!fits_survivors(out_, survives, job)) {
    TaskGroup& group =
        *std::max_element(job.groups.begin(), job.groups.end(),
                          [](const auto& a, const auto& b) { return a.spec.need.cpu_m < b.spec.need.cpu_m; });
    if (job.kind == JobKind::kRigid && group.count > 1)
      --group.count;
    else
      group.spec.need.cpu_m = kThread;
  }
}

/// Half of the jobs' tasks prove from time to time that they work; services run again as it is drawn.
void Draw::add_health(JobSpec& job, Rng rng) const {
  const bool checked = rng.chance(1, 2);
  HealthCheck check;
  check.interval = log_uniform(rng, 100 * kMs, 5 * kSecond);
  check.timeout = log_uniform(rng, kMs, kSecond);
  if (rng.chance(1, 2)) check.start_period = log_uniform(rng, 100 * kMs, 5 * kSecond);
  check.failures = static_cast<std::uint32_t>(rng.between(1, 4));
  if (checked)
    for (TaskGroup& group : job.groups) group.spec.work.health = check;
}

/// More groups, each after some of those before it.
void Draw::make_dag(JobSpec& job, Rng& rng) {
  job.kind = JobKind::kDag;
  const std::int64_t more = rng.between(1, 3);
  for (std::int64_t g = 0; g < more; ++g) {
    TaskGroup& group = job.groups.emplace_back();
    group.count = static_cast<std::uint32_t>(rng.between(1, 3));
    group.spec = task(rng);
  }
  for (std::uint32_t g = 1; g < job.groups.size(); ++g)
    for (std::uint32_t earlier = 0; earlier < g; ++earlier)
      if (rng.chance(1, 2)) job.groups[g].after.push_back(earlier);
}

/// Makes the job a service, scales and updates it a few times, then cancels it: before the end of all
/// trouble, or some time after it.
void Draw::make_service(JobSpec& job, Instant submitted, Rng& rng, const std::vector<bool>& survives) {
  using Kind = OperatorEvent::Kind;
  const auto replica = [&] {
    // Not too short, as they start again whenever they end.
    TaskSpec spec = task(rng, kSecond);
    if (rng.chance(1, 2)) spec.work = never_ending();
    spec.work.payload = job.groups.front().spec.work.payload;
    spec.work.health = job.groups.front().spec.work.health;
    return spec;
  };
  job.kind = JobKind::kService;
  if (rng.fork("restart").chance(1, 2)) {
    Rng restart = rng.fork("restart").fork("policy");
    job.restart = static_cast<RestartPolicy>(restart.below(3));
    if (job.restart == RestartPolicy::kOnFailure && restart.chance(1, 2)) job.retries = kUnlimited;
    if (job.restart == RestartPolicy::kNeverAgain) job.retries = 0;
  }
  job.groups.front().spec = replica();
  fit(job, survives);
  const auto some_time = [&] { return std::max(submitted, within_chaos(rng)); };
  const std::int64_t changes = rng.between(0, 4);
  for (std::int64_t i = 0; i < changes; ++i) {
    OperatorEvent event;
    event.at = some_time();
    event.job = job.key;
    event.kind = rng.chance(1, 2) ? Kind::kScale : Kind::kUpdate;
    event.replicas = static_cast<std::uint32_t>(rng.between(0, 6));
    if (event.kind == Kind::kUpdate) {
      JobSpec next = job;
      next.groups.front().spec = replica();
      next.groups.front().count = std::max(1U, std::exchange(event.replicas, 0));
      fit(next, survives);
      event.spec = std::make_shared<const JobSpec>(std::move(next));
    }
    out_.events.push_back(std::move(event));
  }
  OperatorEvent end;
  end.job = job.key;
  end.at = std::max(some_time(), submitted + Duration(kMs));
  if (rng.chance(2, 3)) end.at = instant_ns(to_ns(chaos_) + rng.between(0, 30) * kSecond);
  if (end.at <= submitted) end.at = submitted + Duration(kMs);
  out_.events.push_back(std::move(end));
}

/// Workers from the start until long after all trouble.
void Draw::make_pool(std::vector<Arrival>& arrivals, const std::vector<bool>& survives) {
  Rng rng = root_.fork("pool");
  const auto autoscalers = autoscaler_policies();
  out_.controller.autoscaler.name = autoscalers[rng.below(autoscalers.size())].name;
  if (out_.controller.autoscaler.name == "queue_depth")
    out_.controller.autoscaler.params.items = {{"idle_s", rng.between(1, 20)},
                                               {"per_member", rng.between(1, 4)}};
  JobSpec job;
  job.key = "pool";
  job.kind = JobKind::kService;
  job.groups.push_back({static_cast<std::uint32_t>(rng.between(0, 3)), task(rng, kSecond)});
  TaskSpec& worker = job.groups.front().spec;
  worker.work = never_ending();
  if (rng.chance(1, 3)) worker.work.duration = log_uniform(rng, kSecond, 200 * kSecond);
  worker.timeout = Duration{0};
  PoolSpec& pool = job.pool.emplace();
  pool.name = "pool";
  pool.minimum = static_cast<std::uint32_t>(rng.between(0, job.groups.front().count));
  pool.maximum = static_cast<std::uint32_t>(rng.between(std::max(1U, job.groups.front().count), 5));
  pool.full_permille = static_cast<std::uint32_t>(rng.between(3, 10) * 100);
  pool.pull = rng.chance(1, 2);
  pool.dry_run = rng.chance(1, 8);
  if (rng.chance(1, 2)) pool.cooldown_up = log_uniform(rng, kMs, 5 * kSecond);
  if (rng.chance(1, 2)) pool.cooldown_down = log_uniform(rng, kMs, 20 * kSecond);
  SimulatedBehaviour behaviour;
  behaviour.pulls = pool.pull;
  worker.work.payload = encode_behaviour(behaviour);
  if (mix_.health) add_health(job, rng.fork("health"));
  fit(job, survives);
  pool_ends_ = instant_ns(std::max(to_ns(chaos_), 120 * kSecond) + rng.between(0, 60) * kSecond);
  using Kind = OperatorEvent::Kind;
  const std::int64_t changes = rng.between(0, 2);
  for (std::int64_t i = 0; i < changes; ++i) {
    OperatorEvent event{within_chaos(rng), Kind::kScale, job.key};
    event.replicas = static_cast<std::uint32_t>(rng.between(pool.minimum, pool.maximum));
    out_.events.push_back(std::move(event));
  }
  arrivals.push_back({Instant{}, std::make_shared<const JobSpec>(job)});
  if (rng.chance(1, 4)) {
    // It is ended, and another one of the same name takes its place, and its operations.
    const Instant gone = within_chaos(rng) + Duration(kMs);
    out_.events.push_back({gone, Kind::kCancel, job.key});
    job.key = "pool again";
    arrivals.push_back({gone + log_uniform(rng, kMs, 60 * kSecond), std::make_shared<const JobSpec>(job)});
    pool_ends_ = std::max(pool_ends_, arrivals.back().at + Duration(kSecond));
  }
  out_.events.push_back({pool_ends_, Kind::kCancel, job.key});
}

/// The job's tasks are for the pool; before that ends, what is left of them is given up.
void Draw::make_operations(JobSpec& job, Instant submitted) {
  if (job.kind == JobKind::kRigid && job.groups.front().count > 1) job.kind = JobKind::kBag;
  for (TaskGroup& group : job.groups) {
    TaskSpec& spec = group.spec;
    if (spec.work.operations > 0) spec.work.duration = Duration(std::exchange(spec.work.operations, 0));
    spec.need = {};
    spec.exclusive = false;
    spec.pool = "pool";
  }
  const Instant end = std::max(pool_ends_ - Duration(kMs), submitted + Duration(kMs));
  out_.events.push_back({end, OperatorEvent::Kind::kCancel, job.key});
}

void Draw::jobs() {
  Rng rng = root_.fork("jobs");
  const std::vector<bool> survives = survivors(out_);
  std::vector<Arrival> arrivals;
  if (mix_.pools) make_pool(arrivals, survives);
  std::int64_t left = rng.between(1, rng.chance(1, 2) ? 60 : 12);
  for (std::int64_t number = 1; left > 0; ++number) {
    Rng own = root_.fork("job " + std::to_string(number));
    JobSpec job;
    job.key = "job" + std::to_string(number);
    const bool bag = mix_.bags && own.chance(1, 3);
    if (bag) job.kind = JobKind::kBag;
    const std::int64_t groups = bag && own.chance(1, 3) ? 2 : 1;
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t most = own.chance(1, 2) ? 3 : 8;
      const std::int64_t count = bag || (mix_.gangs && own.chance(1, 2)) ? own.between(1, most) : 1;
      job.groups.push_back({static_cast<std::uint32_t>(count), task(own)});
      left -= count;
    }
    job.retries = static_cast<std::uint32_t>(own.below(own.chance(1, 2) ? 1 : 5));
    if (mix_.failures && own.chance(1, 3)) {
      SimulatedBehaviour failures;
      failures.fail_attempts = static_cast<std::uint32_t>(own.between(1, job.retries + 1));
      failures.exit_code = own.chance(1, 2) ? 1 : -11;
      for (TaskGroup& group : job.groups) group.spec.work.payload = encode_behaviour(failures);
    }
    Rng shape = own.fork("shape");
    if (job.kind == JobKind::kBag && mix_.dags && shape.chance(1, 2)) make_dag(job, shape);
    if (mix_.backoffs && shape.chance(1, 2)) job.backoff = log_uniform(shape, kMs, 2 * kSecond);
    job.priority = static_cast<std::int32_t>(shape.between(-2, 2));
    const auto schedulers = scheduler_policies();
    const std::uint64_t scheduler = shape.below(schedulers.size());
    if (mix_.own_schedulers && shape.chance(1, 4)) job.scheduler = schedulers[scheduler].name;
    const bool service = mix_.services && job.groups.size() == 1 && shape.chance(1, 6);
    const bool operations = mix_.pools && !service && shape.chance(1, 2);
    fit(job, survives);
    Instant at = within_chaos(own);
    if (own.chance(mix_.crowded ? 3 : 1, 4)) at = Instant{};  // Several at once.
    if (mix_.health && !operations) add_health(job, own.fork("health"));
    if (service) make_service(job, at, shape, survives);
    if (operations) make_operations(job, at);
    arrivals.push_back({at, std::make_shared<const JobSpec>(std::move(job))});
  }
  // The last one keeps the run going until every node must be back.
  JobSpec last;
  last.key = "last";
  last.groups.push_back({1, {}});
  last.groups.front().spec.need.cpu_m = kThread;
  last.groups.front().spec.work.duration = Duration(kSecond);
  const Promise promise = promise_of(out_, arrivals);
  const Instant quiet =
      saturating_add(promise.calm, promise.detect + promise.brake + promise.rejoin + Duration(kSecond));
  arrivals.push_back(
      {std::max(quiet, instant_ns(120 * kSecond)), std::make_shared<const JobSpec>(std::move(last))});
  std::stable_sort(arrivals.begin(), arrivals.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  out_.workload = std::move(arrivals);
}

void Draw::cancels() {
  if (!mix_.cancels) return;
  Rng rng = root_.fork("cancels");
  for (const Arrival& arrival : std::get<std::vector<Arrival>>(out_.workload)) {
    Rng own = rng.fork(arrival.spec->key);
    if (!own.chance(1, 5) || arrival.spec->key == "last") continue;
    const Duration after = log_uniform(own, kMs, 60 * kSecond);
    const Instant at =
        own.chance(1, 10) ? arrival.at : std::min(arrival.at + after, instant_ns(to_ns(chaos_)));
    out_.events.push_back({at, OperatorEvent::Kind::kCancel, arrival.spec->key, 0});
  }
}

/// Some jobs are submitted again, some of them differently, at any time after the first.
void Draw::repetitions() {
  Rng rng = root_.fork("repetitions");
  if (rng.chance(1, 2)) return;
  if (rng.chance(1, 4)) out_.controller.keys_kept = log_uniform(rng, kSecond, 60 * kSecond);
  for (const Arrival& arrival : std::get<std::vector<Arrival>>(out_.workload)) {
    Rng own = rng.fork(arrival.spec->key);
    const auto of_pool = [](const TaskGroup& group) { return !group.spec.pool.empty(); };
    const bool of_some_pool = std::any_of(arrival.spec->groups.begin(), arrival.spec->groups.end(), of_pool);
    // Made anew, a service would have nobody to end it, and an operation no pool.
    if (arrival.spec->kind == JobKind::kService || of_some_pool || !own.chance(1, 4)) continue;
    for (std::int64_t times = own.between(1, 3); times > 0; --times) {
      OperatorEvent event{arrival.at, OperatorEvent::Kind::kSubmitAgain, arrival.spec->key};
      if (own.chance(4, 5))
        event.at = std::min(arrival.at + log_uniform(own, kMs, 60 * kSecond),
                            std::max(arrival.at, instant_ns(to_ns(chaos_))));
      event.changed = own.chance(1, 4);
      JobSpec spec = *arrival.spec;
      spec.retries += event.changed ? 1 : 0;
      event.spec = std::make_shared<const JobSpec>(std::move(spec));
      out_.events.push_back(std::move(event));
    }
  }
}

}  // namespace duet::sim::drawing
