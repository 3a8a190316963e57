#include "sim/swarm_draw.h"

#include <algorithm>
#include <string>

#include "core/check.h"
#include "core/math.h"
#include "core/policy.h"
#include "core/rng.h"
#include "sim/check_bounds.h"
#include "sim/payload.h"
#include "sim/quota.h"

namespace duet::sim {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMs;

/// A duration between `low` and `high` nanoseconds whose logarithm is uniform, in whole microseconds.
Duration log_uniform(Rng& rng, std::int64_t low, std::int64_t high) {
  const double span = math::log(static_cast<double>(high) / static_cast<double>(low));
  const double ns = static_cast<double>(low) * math::exp(span * rng.unit());
  return Duration(static_cast<std::int64_t>(ns) / 1000 * 1000);
}

/// What may happen under this seed.
struct Mix {
  bool crashes, loops, dead_nodes, cancels, drains, loss, duplicates, delays;
  bool gangs, bags, shares, exclusive, memory, operations, failures, timeouts, estimates, latency, commit;
  bool partitions, storms, skews, deaths, store_delays, store_failures, slow_nodes;
  bool dags, services, backoffs, own_schedulers;
  bool crowded;  ///< Few cores of two threads, and small tasks of all kinds side by side on them.
};

Mix draw_mix(Rng rng) {
  const bool all = rng.chance(1, 2);
  const auto coin = [&] {
    const bool heads = rng.chance(1, 2);
    return all || heads;
  };
  Mix mix{};
  for (bool* flag :
       {&mix.crashes, &mix.loops, &mix.dead_nodes, &mix.cancels, &mix.drains, &mix.loss, &mix.duplicates,
        &mix.delays, &mix.gangs, &mix.bags, &mix.shares, &mix.exclusive, &mix.memory, &mix.operations,
        &mix.failures, &mix.timeouts, &mix.estimates, &mix.latency, &mix.commit})
    *flag = coin();
  mix.crowded = rng.chance(1, 5);
  for (bool* flag : {&mix.dags, &mix.services, &mix.backoffs, &mix.own_schedulers}) *flag = coin();
  for (bool* flag : {&mix.partitions, &mix.storms, &mix.skews, &mix.deaths, &mix.store_delays,
                     &mix.store_failures, &mix.slow_nodes})
    *flag = coin();
  if (rng.chance(1, 16))
    for (bool* trouble : {&mix.crashes, &mix.loops, &mix.dead_nodes, &mix.cancels, &mix.drains, &mix.loss,
                          &mix.duplicates, &mix.delays, &mix.partitions, &mix.storms, &mix.skews, &mix.deaths,
                          &mix.store_delays, &mix.store_failures, &mix.slow_nodes})
      *trouble = false;
  return mix;
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : root_(Rng(seed).fork("swarm")), mix_(draw_mix(root_.fork("mix"))) {
    out_.seed = seed;
    out_.controller.seed = seed;
    out_.name = "swarm-" + std::to_string(seed);
  }

  Scenario make() {
    policies();
    cluster();
    knobs();
    Rng rng = root_.fork("chaos");
    chaos_ = log_uniform(rng, 2 * kSecond, 100 * kSecond);
    faults();
    lasting_faults();
    drains();
    network();
    jobs();
    cancels();
    const auto by_time = [](const auto& a, const auto& b) { return a.at < b.at; };
    std::stable_sort(out_.faults.begin(), out_.faults.end(), by_time);
    std::stable_sort(out_.events.begin(), out_.events.end(), by_time);
    set_horizon(out_);
    return std::move(out_);
  }

 private:
  Instant within_chaos(Rng& rng) { return instant_ns(rng.between(0, to_ns(chaos_) / 1000) * 1000); }

  void policies();
  void cluster();
  void knobs();
  void faults();
  void lasting_faults();
  void last(Rng& rng, Fault fault, std::int64_t most_ns);
  MessageFaults messages(Rng& rng) const;
  void drains();
  void network();
  void jobs();
  void cancels();
  TaskSpec task(Rng& rng, std::int64_t shortest_ns = 10 * kMs);
  void make_dag(JobSpec& job, Rng& rng);
  void make_service(JobSpec& job, Instant submitted, Rng& rng, const std::vector<bool>& survives);
  void fit(JobSpec& job, const std::vector<bool>& survives) const;

  Rng root_;
  Mix mix_;
  Scenario out_;
  Duration chaos_{0};  ///< All trouble ends by then.
};

void Draw::policies() {
  Rng rng = root_.fork("policies");
  const auto queues = queue_policies();
  const auto schedulers = scheduler_policies();
  out_.controller.queue.name = queues[rng.below(queues.size())].name;
  out_.controller.scheduler.name = schedulers[rng.below(schedulers.size())].name;
  // These two refuse what they cannot count.
  if (out_.controller.queue.name == "easy") mix_.exclusive = mix_.memory = false;
  if (out_.controller.queue.name == "easy_machines")
    mix_.bags = mix_.dags = mix_.services = mix_.own_schedulers = false;
  // Ranks that follow what was learned would be anybody's guess.
  const auto estimators = estimator_policies();
  const std::string drawn(estimators[rng.below(estimators.size())].name);
  if (out_.controller.queue.name != "sjf") out_.controller.estimator.name = drawn;
}

void Draw::cluster() {
  Rng rng = root_.fork("cluster");
  // Small clusters more often than large ones: nearly all faults need few nodes.
  const auto most = static_cast<std::uint64_t>(rng.between(1, mix_.crowded ? 2 : 7));
  const auto nodes = static_cast<std::uint32_t>(1 + rng.below(most));
  const bool alike = rng.chance(1, 2) || out_.controller.queue.name == "easy";
  const std::uint32_t types = alike ? 1 : 2;
  for (std::uint32_t i = 0; i < types; ++i) {
    NodeType type;
    type.name = "type" + std::to_string(i);
    type.offer.cores = static_cast<std::uint32_t>(rng.between(1, rng.chance(1, 2) ? 2 : 8));
    type.offer.threads_per_core = rng.chance(1, 3) ? 2 : 1;
    if (mix_.crowded) {
      type.offer.cores = static_cast<std::uint32_t>(rng.between(2, 3));
      type.offer.threads_per_core = 2;
    }
    type.offer.capacity.cpu_m = kThread * type.offer.threads();
    type.offer.capacity.memory_bytes = kMiB * rng.between(64, 256) * (mix_.crowded ? 8 : 1);
    type.smt_yield = type.offer.threads_per_core;
    out_.node_types.push_back(std::move(type));
  }
  for (std::uint32_t i = 0; i < nodes; ++i) {
    const auto type = static_cast<std::uint32_t>(rng.below(types));
    out_.nodes.push_back({"node" + std::to_string(i), type});
    out_.controller.inventory.push_back(out_.nodes.back().name);
  }
}

void Draw::knobs() {
  Rng rng = root_.fork("knobs");
  if (mix_.latency) out_.latency = log_uniform(rng, kMs / 10, 50 * kMs);
  if (mix_.commit) out_.commit_delay = log_uniform(rng, kMs / 10, 20 * kMs);
  out_.agent.heartbeat = log_uniform(rng, kSecond / 2, 10 * kSecond);
  out_.agent.resend_after = log_uniform(rng, kSecond / 5, 10 * kSecond);
  out_.agent.kill_grace = log_uniform(rng, kSecond / 10, 10 * kSecond);
  out_.controller.resend_after = out_.agent.resend_after;
  if (rng.chance(1, 4)) out_.controller.max_losses = static_cast<std::uint32_t>(rng.between(0, 3));
  // In whole milliseconds, and never so tight that a healthy node is suspect between two heartbeats.
  const std::int64_t beat = to_ns(out_.agent.heartbeat) / kMs + 1;
  const std::int64_t suspect = beat + beat * rng.between(1, 3) / 2 + 110;
  const std::int64_t dead = suspect + beat * rng.between(0, 4) / 2;
  out_.controller.detector.params.items = {{"dead_after_s", static_cast<double>(dead) / 1e3},
                                           {"suspect_after_s", static_cast<double>(suspect) / 1e3}};
}

void Draw::faults() {
  if (!mix_.crashes && !mix_.loops && !mix_.dead_nodes) return;
  Rng rng = root_.fork("faults");
  // Whoever stays: at least this one is there in the end.
  const std::uint64_t anchor = rng.below(out_.nodes.size());
  for (std::uint32_t node = 0; node < out_.nodes.size(); ++node) {
    Rng own = root_.fork("faults of " + out_.nodes[node].name);
    const bool looping = mix_.loops && own.chance(1, 6);
    const bool dies = mix_.dead_nodes && own.chance(1, 5) && node != anchor;
    const std::int64_t crashes = looping ? own.between(3, 8) : mix_.crashes ? own.between(0, 2) : 0;
    Instant at = within_chaos(own);
    for (std::int64_t i = 0; i < crashes; ++i) {
      const Duration down = looping ? log_uniform(own, kMs, 500 * kMs) : log_uniform(own, kMs, 60 * kSecond);
      const Instant back = std::min(at + down, instant_ns(to_ns(chaos_)));
      if (back <= at) break;
      out_.faults.push_back({.at = at, .kind = Fault::Kind::kCrash, .node = node});
      out_.faults.push_back({.at = back, .kind = Fault::Kind::kRestart, .node = node});
      at = back + log_uniform(own, kMs, looping ? 2 * kSecond : 30 * kSecond);
    }
    if (dies && at < instant_ns(to_ns(chaos_)))
      out_.faults.push_back({.at = at, .kind = Fault::Kind::kCrash, .node = node});
  }
}

/// The fault, at some time and for some time, at most `most_ns`; it is over when the chaos is.
void Draw::last(Rng& rng, Fault fault, std::int64_t most_ns) {
  fault.at = within_chaos(rng);
  fault.until = std::min(fault.at + log_uniform(rng, kMs, most_ns), instant_ns(to_ns(chaos_)));
  if (fault.at < fault.until) out_.faults.push_back(std::move(fault));
}

void Draw::lasting_faults() {
  using Kind = Fault::Kind;
  const auto some = [&](bool on, const char* name, auto&& draw) {
    if (!on) return;
    Rng rng = root_.fork(name);
    const std::int64_t times = rng.between(1, 3);
    for (std::int64_t i = 0; i < times; ++i) draw(rng);
  };
  const auto some_nodes = [&](Rng& rng) {
    std::vector<std::uint32_t> nodes;
    const std::uint64_t surely = rng.below(out_.nodes.size());
    for (std::uint32_t node = 0; node < out_.nodes.size(); ++node) {
      const bool chosen = rng.chance(1, 3);
      if (chosen || node == surely) nodes.push_back(node);
    }
    return nodes;
  };
  const auto any_node = [&](Rng& rng) { return static_cast<std::uint32_t>(rng.below(out_.nodes.size())); };
  some(mix_.partitions, "partitions", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kPartition, .nodes = some_nodes(rng)};
    fault.direction = static_cast<Fault::Direction>(rng.below(3));
    last(rng, std::move(fault), 60 * kSecond);
  });
  some(mix_.storms, "storms", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kNetwork, .nodes = some_nodes(rng)};
    fault.messages = messages(rng);
    last(rng, std::move(fault), 60 * kSecond);
  });
  some(mix_.skews, "skews", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kClockSkew, .node = any_node(rng)};
    const std::int64_t off = rng.chance(1, 2) ? 500'000 : 10'000;
    fault.rate_ppm = static_cast<std::uint32_t>(1'000'000 + rng.between(-off, 2 * off));
    if (rng.chance(1, 3)) fault.delay = log_uniform(rng, kMs, 20 * kSecond);
    last(rng, std::move(fault), 100 * kSecond);
  });
  // The loop engine does not know of shares that crowd a slow thread.
  some(mix_.slow_nodes && !(mix_.shares && mix_.operations), "slow nodes", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kSlowNode, .node = any_node(rng)};
    fault.factor = static_cast<double>(rng.between(8, 160)) / 8;
    last(rng, std::move(fault), 60 * kSecond);
  });
  some(mix_.deaths, "deaths",
       [&](Rng& rng) { last(rng, {.at = {}, .kind = Kind::kControllerRestart}, 20 * kSecond); });
  some(mix_.store_delays, "store delays", [&](Rng& rng) {
    Fault fault{.at = {}, .kind = Kind::kStoreDelay};
    fault.delay = log_uniform(rng, kMs, 5 * kSecond);
    last(rng, std::move(fault), 30 * kSecond);
  });
  some(mix_.store_failures, "store failures",
       [&](Rng& rng) { last(rng, {.at = {}, .kind = Kind::kStoreFailure}, 20 * kSecond); });
}

void Draw::drains() {
  if (!mix_.drains) return;
  Rng rng = root_.fork("drains");
  using Kind = OperatorEvent::Kind;
  for (std::uint32_t node = 0; node < out_.nodes.size(); ++node) {
    if (!rng.chance(1, 3)) continue;
    const Instant at = within_chaos(rng);
    out_.events.push_back({at, rng.chance(1, 2) ? Kind::kEvict : Kind::kDrain, "", node});
    const Duration gap = log_uniform(rng, kMs, 30 * kSecond);
    out_.events.push_back({std::min(at + gap, instant_ns(to_ns(chaos_))), Kind::kUndrain, "", node});
  }
}

MessageFaults Draw::messages(Rng& rng) const {
  MessageFaults messages;
  const auto probability = [&](bool on, std::int64_t most_ppm) {
    const std::int64_t drawn = rng.between(1'000, most_ppm);
    return static_cast<std::uint32_t>(on ? drawn : 0);
  };
  messages.loss_ppm = probability(mix_.loss, 300'000);
  messages.duplicate_ppm = probability(mix_.duplicates, 500'000);
  messages.delay_ppm = probability(mix_.delays, 500'000);
  if (mix_.delays) messages.max_delay = log_uniform(rng, kMs, 32 * kSecond);
  return messages;
}

void Draw::network() {
  Rng rng = root_.fork("network");
  static_cast<MessageFaults&>(out_.network) = messages(rng);
  if (out_.network.any()) out_.network.until = instant_ns(to_ns(chaos_));
}

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
    if (rng.chance(1, 2)) spec.work = {Duration(1'000'000 * kSecond), 0, {}};  // Never, that is.
    spec.work.payload = job.groups.front().spec.work.payload;
    return spec;
  };
  job.kind = JobKind::kService;
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

void Draw::jobs() {
  Rng rng = root_.fork("jobs");
  const std::vector<bool> survives = survivors(out_);
  std::vector<Arrival> arrivals;
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
    fit(job, survives);
    Instant at = within_chaos(own);
    if (own.chance(mix_.crowded ? 3 : 1, 4)) at = Instant{};  // Several at once.
    if (service) make_service(job, at, shape, survives);
    arrivals.push_back({at, std::make_shared<const JobSpec>(std::move(job))});
  }
  // The last one keeps the run going until every node must be back.
  JobSpec last;
  last.key = "last";
  last.groups.push_back({1, {}});
  last.groups.front().spec.need.cpu_m = kThread;
  last.groups.front().spec.work.duration = Duration(kSecond);
  const Promise promise = promise_of(out_, arrivals);
  const Instant quiet = saturating_add(promise.calm, promise.detect + promise.rejoin + Duration(kSecond));
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

}  // namespace

void set_horizon(Scenario& scenario) {
  const Promise promise = promise_of(scenario, list_arrivals(scenario));
  if (promise.done_by == kNever)
    scenario.horizon.reset();
  else
    scenario.horizon = promise.done_by;
}

Scenario draw_scenario(std::uint64_t seed) { return Draw(seed).make(); }

}  // namespace duet::sim
