// What is allowed, and hardly meant: work that is refused for certain, replicas that never get a node, faults
// that do nothing, times that take ages to pass.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "core/pool.h"
#include "sim/decimal.h"
#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

/// An assertion that speaks of it says that it is expected.
bool expects(const Scenario& scenario, std::string_view metric) {
  return std::any_of(scenario.assertions.begin(), scenario.assertions.end(),
                     [&](const Assertion& assertion) { return assertion.metric == metric; });
}

/// The submission whose workers a pool has at this instant; null before the first.
const Submission* workers_at(const Context& context, std::string_view pool, Instant at) {
  const Submission* latest = nullptr;
  for (const Submission& one : context.submissions)
    if (one.spec->pool && one.spec->pool->name == pool && one.at <= at)
      if (latest == nullptr || latest->at <= one.at) latest = &one;
  return latest;
}

/// Operations of a job that wait as soon as it is submitted.
std::uint64_t operations_at_once(const JobSpec& spec, std::string_view pool) {
  return std::accumulate(spec.groups.begin(), spec.groups.end(), std::uint64_t{0},
                         [&](std::uint64_t sum, const TaskGroup& group) {
                           return sum + (group.spec.pool == pool && group.after.empty() ? group.count : 0);
                         });
}

/// Submissions of one instant all count as waiting: beyond the limit they are refused for certain.
void warn_of_full_queues(Context& context) {
  struct Rush {
    std::uint64_t operations = 0;
    JsonPlace place;  ///< Of the last that adds to it.
  };
  std::map<std::pair<std::string, Instant>, Rush> rushes;
  for (const Submission& one : context.submissions) {
    std::vector<std::string> pools;
    for (const TaskGroup& group : one.spec->groups)
      if (!group.spec.pool.empty()) pools.push_back(group.spec.pool);
    std::sort(pools.begin(), pools.end());
    pools.erase(std::unique(pools.begin(), pools.end()), pools.end());
    for (const std::string& pool : pools)
      for (std::uint64_t i = 0; i < one.count; ++i) {
        Rush& rush = rushes[{pool, one.at + one.every * static_cast<std::int64_t>(i)}];
        rush.operations += operations_at_once(*one.spec, pool);
        rush.place = one.place;
      }
  }
  std::string said;  // Of each pool its first rush.
  for (const auto& [key, rush] : rushes) {
    const auto& [pool, at] = key;
    const Submission* workers = workers_at(context, pool, at);
    const std::uint64_t limit = workers == nullptr ? 0 : workers->spec->pool->queue_limit;
    if (limit == 0 || rush.operations <= limit || pool == said) continue;
    said = pool;
    context.warnings.add(
        rush.place,
        std::to_string(rush.operations) + " operations are submitted to pool " + backquoted(pool) + " at " +
            seconds_words(at) + ", and at most " + std::to_string(limit) +
            " may wait: jobs beyond that are refused",
        "right: a higher `queue_limit`, or an assertion about `jobs_refused` if it is meant");
  }
}

/// A gang of operations starts together, so the pool must have room for all of it.
void warn_of_large_gangs(Context& context) {
  const auto estimator = make_policy(estimator_policies(), context.out.controller.estimator);
  // What is learned during the run is not known here.
  if (!estimator || context.out.controller.estimator.name == "learned") return;
  for (const Submission& one : context.submissions) {
    if (one.spec->kind != JobKind::kRigid) continue;
    const TaskGroup& group = one.spec->groups.front();
    const Submission* workers = workers_at(context, group.spec.pool, one.at);
    if (workers == nullptr) continue;
    const PoolSpec& pool = *workers->spec->pool;
    const std::int64_t load = expected_load((*estimator)->predict(group.spec));
    const std::int64_t each = pool.pull ? 1 : std::max<std::int64_t>(pool.full_permille / load, 1);
    const std::int64_t room = each * pool.maximum;
    if (group.count <= room) continue;
    context.warnings.add(one.tasks,
                         "this job is refused: its " + std::to_string(group.count) +
                             " operations start together, and pool " + backquoted(pool.name) +
                             " executes at most " + std::to_string(room) + " at a time",
                         "right: \"kind\": \"bag\", or more workers (`max` is " +
                             std::to_string(pool.maximum) + ", each takes " + std::to_string(each) + ')');
  }
}

/// Replicas and workers beyond what the empty cluster holds wait as long as the run lasts.
void warn_of_large_services(Context& context) {
  for (const Submission& one : context.submissions) {
    if (one.spec->kind != JobKind::kService || !context.cluster_known) continue;
    const TaskGroup& group = one.spec->groups.front();
    const std::uint64_t room = room_for(context, group.spec);
    const std::string has = "the cluster has room for " + std::to_string(room);
    if (group.count > room)
      context.warnings.add(one.tasks, has + " of these " + std::to_string(group.count) +
                                          " replicas: the others wait as long as the run lasts");
    else if (one.spec->pool && one.spec->pool->maximum > room)
      context.warnings.add(one.most,
                           has + " of these workers: a pool that grows beyond that waits for nodes");
  }
}

void warn_of_idle_faults(Context& context) {
  auto& switches = context.switches;
  std::stable_sort(switches.begin(), switches.end(),
                   [](const PowerSwitch& a, const PowerSwitch& b) { return a.at < b.at; });
  std::vector<bool> off(context.out.nodes.size());
  for (const PowerSwitch& one : switches) {
    if (one.node >= off.size()) continue;
    const std::string node = backquoted(context.out.nodes[one.node].name);
    if (one.on && !off[one.node])
      context.warnings.add(
          one.place,
          node + " runs at " + seconds_words(one.at) + ": a restart does nothing to a node that is on",
          "right: a `crash` of it before this");
    if (!one.on && off[one.node])
      context.warnings.add(one.place,
                           node + " is off already at " + seconds_words(one.at) + ": this does nothing",
                           "right: a `restart` of it before this");
    off[one.node] = !one.on;
  }
}

/// Between two jobs nothing happens but heartbeats, and each of them is an event.
void warn_of_long_times(Context& context) {
  constexpr double kMany = 2e8;  // About a minute.
  const Scenario& scenario = context.out;
  if (scenario.agent.heartbeat == Duration{0}) return;
  const bool service = std::any_of(context.submissions.begin(), context.submissions.end(),
                                   [](const Submission& one) { return one.spec->kind == JobKind::kService; });
  LatestTime last = context.latest;
  // Replicas run until the end.
  if (scenario.horizon && (service || *scenario.horizon < last.at))
    last = {*scenario.horizon, context.horizon_place};
  const double beats = static_cast<double>(to_ns(last.at)) /
                       static_cast<double>(to_ns(scenario.agent.heartbeat)) *
                       static_cast<double>(scenario.nodes.size());
  if (beats < kMany) return;
  const auto millions = static_cast<std::int64_t>(beats / 1e6);
  context.warnings.add(last.place,
                       "until " + seconds_words(last.at) + " the nodes send " + std::to_string(millions) +
                           " million heartbeats, and a run passes a few million of them in a second",
                       "right: a longer `heartbeat_s` (0: none), or an earlier time");
}

/// How long the detector bears silence; kNever if it does so for ever.
Instant dead_after_silence(const PolicyChoice& choice) {
  auto detector = make_policy(detector_policies(), choice);
  if (!detector) return kNever;
  (*detector)->heartbeat(Instant{});
  Instant at{};
  while (at != kNever && (*detector)->assess(at) != Liveness::kDead) at = (*detector)->next_change(at);
  return at;
}

void warn_of_rare_heartbeats(Context& context) {
  const Duration between = context.out.agent.heartbeat;
  const Instant dead = dead_after_silence(context.out.controller.detector);
  if (dead == kNever || (between > Duration{0} && Instant(between) < dead)) return;
  const std::string patience =
      "the detector takes a node for dead after " + seconds_words(dead) + " of silence, ";
  context.warnings.add(
      context.heartbeat_place,
      patience + (between == Duration{0} ? "and there are no heartbeats: a quiet node is lost"
                                         : "before its next heartbeat"),
      "right: shorter `heartbeat_s`, or a detector that waits longer (`dead_after_s` 0: for ever)");
}

}  // namespace

std::string seconds_words(Instant at) {
  std::string text;
  append_seconds(text, to_ns(at));
  return text + " s";
}

void note_submission(Context& context, const Reader& reader, const JobSpec& spec, Instant at,
                     std::uint64_t count, Duration every) {
  const bool service = spec.kind == JobKind::kService;
  const auto longest = [](const TaskGroup& a, const TaskGroup& b) {
    return a.spec.work.duration < b.spec.work.duration;
  };
  const Instant last = saturating_add(at, every * static_cast<std::int64_t>(count - 1));
  context.note_time(last, reader.place("at_s"));
  if (!spec.groups.empty() && !service)
    context.note_time(
        saturating_add(last,
                       std::max_element(spec.groups.begin(), spec.groups.end(), longest)->spec.work.duration),
        reader.place(spec.groups.front().spec.work.duration > at.time_since_epoch() ? "duration_s" : "at_s"));
  const bool operations = std::any_of(spec.groups.begin(), spec.groups.end(),
                                      [](const TaskGroup& group) { return !group.spec.pool.empty(); });
  if (spec.groups.empty() || (!service && !operations)) return;
  const JsonValue most = reader.value("workers").member("max");
  context.submissions.push_back({std::make_shared<const JobSpec>(spec), at, count, every, reader.place(),
                                 reader.place(service ? "replicas" : "tasks"),
                                 most ? most.place() : reader.place()});
}

void warn(Context& context) {
  if (!expects(context.out, "jobs_refused")) {
    warn_of_full_queues(context);
    warn_of_large_gangs(context);
  }
  warn_of_large_services(context);
  warn_of_idle_faults(context);
  warn_of_long_times(context);
  warn_of_rare_heartbeats(context);
}

}  // namespace duet::sim::parsing
