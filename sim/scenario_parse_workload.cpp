// /workload of a scenario: jobs one by one, and models that draw them.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/controller.h"
#include "core/lifecycle.h"
#include "core/policy.h"
#include "sim/payload.h"
#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

constexpr std::size_t kMaxJobs = 1'000'000;
constexpr std::uint32_t kMaxTasksPerJob = 1'000'000;
constexpr std::string_view kTaskFields[] = {
    "tasks",      "cores",      "cpu_m",         "memory_mib", "count",     "exclusive",
    "duration_s", "operations", "cpu_weight",    "estimate_s", "timeout_s", "operation",
    "iterations", "pool",       "fail_attempts", "exit_code",  "health"};

std::optional<HealthCheck> read_health(Context& context, const Reader& reader) {
  if (!reader.valid("health")) return std::nullopt;
  const Reader health(context, reader.value("health"), Section::kHealth);
  if (reader.valid("pool"))
    context.mistakes.add(reader.key_place("health"),
                         "an operation has no health check: its worker may have one",
                         "right: `health` of the workers");
  return HealthCheck{health.seconds("interval_s"), health.seconds("timeout_s"),
                     health.seconds("start_period_s"),
                     static_cast<std::uint32_t>(health.integer("failures"))};
}

/// A replica of which nothing says how long it takes runs until it is ended.
void read_work(Context& context, const Reader& reader, bool replica, bool pulls, TaskSpec& spec) {
  if (reader.given("duration_s") && reader.given("operations"))
    reader.at_most_one({"duration_s", "operations"});
  const bool said = reader.given("duration_s") || reader.given("operations");
  if (!said && !replica)
    context.mistakes.add(reader.place(), "nothing says how long a task takes",
                         "right: `duration_s` or `operations`");
  spec.work.duration = said || !replica ? reader.seconds("duration_s") : kForever;
  spec.work.operations = reader.integer("operations");
  spec.work.weight = static_cast<std::uint32_t>(reader.integer("cpu_weight"));
  spec.estimate = reader.seconds("estimate_s");
  spec.timeout = reader.seconds("timeout_s");
  spec.operation = reader.text("operation");
  spec.iterations = reader.integer("iterations");
  spec.work.health = read_health(context, reader);

  SimulatedBehaviour behaviour;
  behaviour.fail_attempts = static_cast<std::uint32_t>(reader.integer("fail_attempts"));
  behaviour.exit_code = static_cast<std::int32_t>(reader.integer("exit_code"));
  behaviour.pulls = pulls;
  if (behaviour.exit_code == 0)
    context.mistakes.add(reader.place("exit_code"), "an attempt that fails does not exit with 0");
  if (reader.given("exit_code") && !reader.given("fail_attempts"))
    context.mistakes.add(reader.key_place("exit_code"), "no attempt fails, so this says nothing",
                         "right: `fail_attempts`, too");
  spec.work.payload = encode_behaviour(behaviour);
}

/// What an operation needs its worker has.
void read_pool(Context& context, const Reader& reader, JobKind kind, TaskSpec& spec) {
  spec.pool = reader.text("pool");
  context.pools_named.emplace_back(spec.pool, reader.place("pool"));
  if (kind == JobKind::kService)
    context.mistakes.add(reader.key_place("pool"), "a replica cannot be an operation of a pool",
                         "right: `workers`, if the replicas are to be the pool");
  for (const std::string_view name : {"cores", "cpu_m", "memory_mib", "count", "exclusive"})
    if (reader.given(name))
      context.mistakes.add(reader.key_place(name), "an operation needs nothing of its own: its worker has it",
                           "right: " + backquoted(name) + " of the workers");
}

TaskGroup read_group(Context& context, const Reader& reader, JobKind kind, std::string_view count = "tasks",
                     bool pulls = false) {
  TaskGroup group;
  const std::size_t before = context.mistakes.count();
  group.count = static_cast<std::uint32_t>(reader.integer(count));
  const bool operation = reader.valid("pool");
  if (operation)
    read_pool(context, reader, kind, group.spec);
  else
    read_need(context, reader, group.spec);
  read_work(context, reader, kind == JobKind::kService, pulls, group.spec);
  if (context.mistakes.count() == before && group.count > 0 && !operation)
    check_fits(context, group.spec, group.count, kind == JobKind::kRigid, need_places(reader));
  return group;
}

/// The groups of a DAG know each other by name.
class GroupNames {
 public:
  explicit GroupNames(Context& context) : context_(context) {}

  void add(const Reader& reader, std::uint32_t group) {
    readers_.push_back(reader);
    if (!reader.valid("name")) return;
    const std::string name = reader.text("name");
    if (!groups_.emplace(name, group).second)
      context_.mistakes.add(reader.place("name"), "there are two groups " + backquoted(name));
  }

  /// To be called when all are known.
  void connect(JobSpec& spec) {
    std::vector<std::string_view> names;
    for (const auto& [name, group] : groups_) names.push_back(name);
    for (std::size_t g = 0; g < readers_.size(); ++g) {
      if (!readers_[g].valid("after")) continue;
      auto& after = spec.groups[g].after;
      for (JsonValue v = readers_[g].value("after").first_child(); v; v = v.next_sibling()) {
        const auto found = groups_.find(v.string());
        if (found == groups_.end())
          context_.mistakes.add(v.place(), "there is no group " + backquoted(v.string()),
                                did_you_mean(v.string(), names, "right: the `name` of another group"));
        else
          after.push_back(found->second);
      }
      std::sort(after.begin(), after.end());
      after.erase(std::unique(after.begin(), after.end()), after.end());
    }
  }

 private:
  Context& context_;
  std::vector<Reader> readers_;
  std::map<std::string, std::uint32_t> groups_;
};

void read_groups(Context& context, const Reader& reader, JobSpec& spec) {
  for (const std::string_view name : kTaskFields)
    if (reader.given(name))
      context.mistakes.add(reader.key_place(name), backquoted(name) + " and `groups` exclude each other",
                           "right: " + backquoted(name) + " in each group");
  if (spec.kind == JobKind::kRigid)
    context.mistakes.add(reader.key_place("groups"), "a rigid job has no groups: its tasks are equal",
                         R"(right: "kind": "bag")");
  if (spec.kind == JobKind::kService)
    context.mistakes.add(reader.key_place("groups"), "a service has no groups: its replicas are equal");
  std::uint64_t tasks = 0;
  GroupNames names(context);
  for (JsonValue v = reader.value("groups").first_child(); v; v = v.next_sibling()) {
    const Reader group(context, v, Section::kGroup);
    names.add(group, static_cast<std::uint32_t>(spec.groups.size()));
    spec.groups.push_back(read_group(context, group, spec.kind));
    if (spec.kind != JobKind::kDag && group.given("after"))
      context.mistakes.add(group.key_place("after"), "only the groups of a DAG come after each other",
                           R"(right: "kind": "dag")");
    tasks += spec.groups.back().count;
    if (tasks > kMaxTasksPerJob) {
      context.mistakes.add(opening(v), "the job has more than " + std::to_string(kMaxTasksPerJob) + " tasks");
      break;
    }
  }
  if (spec.groups.empty()) {
    context.mistakes.add(reader.place("groups"), "`groups` is empty", "right: at least one group");
    spec.groups.emplace_back();
  }
  if (spec.kind != JobKind::kDag) return;
  const std::size_t before = context.mistakes.count();
  names.connect(spec);
  if (context.mistakes.count() > before) return;
  if (const std::string why = dag_refusal(spec); !why.empty())
    context.mistakes.add(reader.key_place("groups"), why);
}

/// Jobs are submitted under these ids; each may be there once.
class Ids {
 public:
  void add(Context& context, const std::string& id, const JsonPlace& place) {
    if (!taken_.insert(id).second) context.mistakes.add(place, "there are two jobs " + backquoted(id));
  }

 private:
  std::set<std::string> taken_;
};

/// Adds the job, or its repetitions, to the arrivals. False if there are too many of them.
bool submit(Context& context, const Reader& reader, JobSpec spec, Ids& ids, std::vector<Arrival>& arrivals) {
  const JsonPlace place = reader.place("id");
  const Instant at = reader.instant("at_s");
  std::uint64_t count = 1;
  Duration every{0};
  if (reader.valid("repeat")) {
    const Reader repeat(context, reader.value("repeat"), Section::kRepeat);
    if (!repeat.valid("count")) return true;
    count = static_cast<std::uint64_t>(repeat.integer("count"));
    every = repeat.seconds("every_s");
    const Duration left(std::int64_t{4'000'000'000'000'000'000} - to_ns(at));
    if (count > 1 && every > left / static_cast<std::int64_t>(count - 1)) {
      context.mistakes.add(repeat.place("every_s"), "the last of them would come after 4e9 s");
      return true;
    }
  }
  if (arrivals.size() + count > kMaxJobs) {
    context.mistakes.add(reader.place(),
                         "from here on there are more than " + std::to_string(kMaxJobs) + " jobs",
                         "right: `generate` or `table` for so many");
    return false;
  }
  std::uint64_t tasks = 0;
  for (const TaskGroup& group : spec.groups) tasks += group.count;
  count_tasks(context, tasks * count, reader.place());
  note_submission(context, reader, spec, at, count, every);
  const std::string base = spec.key;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (reader.valid("repeat")) spec.key = base + std::to_string(i);
    ids.add(context, spec.key, place);
    arrivals.push_back({at + every * static_cast<std::int64_t>(i), std::make_shared<const JobSpec>(spec)});
  }
  return true;
}

void read_scheduler(Context& context, const Reader& reader, JobSpec& spec) {
  if (!reader.valid("scheduler")) return;
  spec.scheduler = reader.text("scheduler");
  std::vector<std::string_view> names;
  for (const auto& entry : scheduler_policies()) names.push_back(entry.name);
  if (std::find(names.begin(), names.end(), spec.scheduler) == names.end())
    context.mistakes.add(reader.place("scheduler"), "there is no scheduler " + backquoted(spec.scheduler),
                         did_you_mean(spec.scheduler, names, "right: one that `duet policies` lists"));
}

void read_restart(Context& context, const Reader& reader, JobSpec& spec) {
  if (!reader.valid("restart")) return;
  const std::string word = reader.text("restart");
  const JsonPlace place = reader.place("restart");
  for (const auto policy : {RestartPolicy::kAlways, RestartPolicy::kOnFailure, RestartPolicy::kNeverAgain})
    if (word == name(policy)) spec.restart = policy;
  if (spec.restart == RestartPolicy::kOnFailure && !reader.given("retries")) spec.retries = kUnlimited;
  if (spec.restart == RestartPolicy::kNeverAgain && spec.retries > 0)
    context.mistakes.add(place, "what is never to run again has no `retries`");
  if (spec.restart == RestartPolicy::kAlways && spec.kind != JobKind::kService)
    context.mistakes.add(place, "only a service's replicas run again always", R"(right: "kind": "service")");
  if (spec.restart != RestartPolicy::kAlways && reader.given("workers"))
    context.mistakes.add(place, "the workers of a pool run again always");
}

/// The workers of a pool; `most` is how many the cluster has room for.
PoolSpec read_workers(Context& context, const Reader& reader, Instant at, std::int64_t replicas,
                      std::uint64_t most) {
  PoolSpec pool;
  if (!reader.valid("pool")) return pool;
  pool.name = reader.text("pool");
  pool.minimum = static_cast<std::uint32_t>(reader.integer("min"));
  pool.maximum = reader.valid("max")
                     ? static_cast<std::uint32_t>(reader.integer("max"))
                     : static_cast<std::uint32_t>(std::max<std::uint64_t>(most, pool.minimum));
  pool.full_permille = static_cast<std::uint32_t>(10 * reader.integer("full_percent"));
  pool.queue_limit = static_cast<std::uint32_t>(reader.integer("queue_limit"));
  pool.pull = reader.flag("pull");
  pool.dry_run = reader.flag("dry_run");
  pool.cooldown_up = reader.seconds("cooldown_up_s");
  pool.cooldown_down = reader.seconds("cooldown_down_s");
  if (pool.minimum > pool.maximum)
    context.mistakes.add(reader.place("min"), "`min` is above `max`");
  else if (replicas < pool.minimum || replicas > pool.maximum)
    context.mistakes.add(
        reader.place(), "the service starts with " + std::to_string(replicas) + " replicas",
        "right: `replicas` from " + std::to_string(pool.minimum) + " to " + std::to_string(pool.maximum));
  const auto [known, first] = context.pools.try_emplace(pool.name, at);
  if (!first && known->second == at)
    context.mistakes.add(reader.place("pool"), "there are two pools " + backquoted(pool.name) + " at a time");
  return pool;
}

/// Every pool that an operation names has workers.
void check_pools(Context& context) {
  std::vector<std::string_view> names;
  for (const auto& [name, at] : context.pools) names.push_back(name);
  for (const auto& [name, place] : context.pools_named)
    if (!context.pools.contains(name))
      context.mistakes.add(place, "there is no pool " + backquoted(name),
                           did_you_mean(name, names, R"(right: the `pool` of some service's `workers`)"));
}

JobSpec read_job(Context& context, const Reader& reader, std::size_t place) {
  JobSpec spec;
  spec.key = reader.valid("id") ? reader.text("id") : "job" + std::to_string(place);
  spec.user = reader.text("user");
  for (const JobKind kind : {JobKind::kBag, JobKind::kDag, JobKind::kService})
    if (reader.text("kind") == name(kind)) spec.kind = kind;
  spec.retries = static_cast<std::uint32_t>(reader.integer("retries"));
  spec.backoff = reader.seconds("backoff_s");
  read_scheduler(context, reader, spec);
  read_restart(context, reader, spec);
  const bool service = spec.kind == JobKind::kService;
  if (service && reader.given("tasks"))
    context.mistakes.add(reader.key_place("tasks"), "a service has replicas", "right: `replicas`");
  if (!service && reader.given("replicas"))
    context.mistakes.add(reader.key_place("replicas"), "only a service has replicas",
                         R"(right: `tasks`, or "kind": "service")");
  if (service && !context.out.horizon)
    context.mistakes.add(reader.key_place("kind"),
                         "a service runs until it is cancelled: when does the run end?",
                         "right: `horizon_s` in the scenario");
  spec.priority = static_cast<std::int32_t>(reader.integer("priority"));
  std::optional<Reader> workers;
  if (reader.valid("workers")) workers.emplace(context, reader.value("workers"), Section::kWorkers);
  const bool pulls = workers && workers->flag("pull");
  if (reader.given("groups"))
    read_groups(context, reader, spec);
  else
    spec.groups.push_back(read_group(context, reader, spec.kind, service ? "replicas" : "tasks", pulls));
  if (!workers) return spec;
  if (!service)
    context.mistakes.add(reader.key_place("workers"), "only a service has workers",
                         R"(right: "kind": "service")");
  else
    spec.pool = read_workers(context, *workers, reader.instant("at_s"), reader.integer("replicas"),
                             room_for(context, spec.groups.front().spec));
  return spec;
}

void read_jobs(Context& context, const JsonValue& jobs) {
  Ids ids;
  std::vector<Arrival> arrivals;
  std::size_t place = 0;
  for (JsonValue v = jobs.first_child(); v; v = v.next_sibling()) {
    const Reader reader(context, v, Section::kJob);
    if (v.is(JsonType::kObject) &&
        !submit(context, reader, read_job(context, reader, ++place), ids, arrivals))
      break;
  }
  check_pools(context);
  context.jobs_known = place > 0 && arrivals.size() >= place;
  if (!jobs.first_child()) context.mistakes.add(jobs.place(), "there are no jobs", "right: at least one");
  std::stable_sort(arrivals.begin(), arrivals.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  context.out.workload = std::move(arrivals);
}

/// At most the last second that a scenario may speak of.
Instant instant_within(double seconds) {
  return Instant(std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, 4e9))));
}

void read_poisson(Context& context, const JsonValue& value) {
  const std::size_t before = context.mistakes.count();
  const Reader reader(context, value, Section::kPoisson);
  PoissonWorkload workload;
  workload.jobs = static_cast<std::uint64_t>(reader.integer("jobs"));
  workload.mean_gap_s = reader.number("mean_gap_s");
  reader.at_most_one({"mean_duration_s", "mean_operations"});
  workload.mean_duration_s = reader.number("mean_duration_s");
  workload.mean_operations = reader.number("mean_operations");
  workload.fixed_size = reader.flag("fixed_size");
  workload.estimate_factor = reader.number("estimate_factor");
  workload.tasks = static_cast<std::uint32_t>(reader.integer("tasks"));
  workload.retries = static_cast<std::uint32_t>(reader.integer("retries"));
  read_need(context, reader, workload.task);
  workload.task.timeout = reader.seconds("timeout_s");
  count_tasks(context, workload.jobs * workload.tasks, reader.place());
  context.note_time(instant_within(static_cast<double>(workload.jobs) * workload.mean_gap_s),
                    reader.place("jobs"));
  if (context.mistakes.count() == before)
    check_fits(context, workload.task, workload.tasks, true, need_places(reader));
  context.out.workload = workload;
}

void read_lublin(Context& context, const JsonValue& value) {
  const std::size_t before = context.mistakes.count();
  const Reader reader(context, value, Section::kLublin);
  LublinWorkload workload;
  workload.jobs = static_cast<std::uint64_t>(reader.integer("jobs"));
  workload.max_cores = static_cast<std::uint32_t>(reader.integer("max_cores"));
  workload.gangs = reader.flag("gangs");
  workload.load_factor = reader.number("load_factor");
  workload.estimate_factor = reader.number("estimate_factor");
  TaskSpec largest;
  largest.need.cpu_m = kThread * (workload.gangs ? 1 : static_cast<std::int64_t>(workload.max_cores));
  const JsonPlace cores = reader.place("max_cores");
  count_tasks(context, workload.jobs, reader.place());
  if (context.mistakes.count() == before)
    check_fits(context, largest, workload.gangs ? workload.max_cores : 1, true,
               {cores, cores, cores, cores, cores});
  context.out.workload = workload;
}

}  // namespace

TaskGroup read_replicas(Context& context, const Reader& reader, bool pull) {
  for (const std::string_view name : {"name", "after"})
    if (reader.given(name))
      context.mistakes.add(reader.key_place(name), "only the groups of a DAG come after each other");
  return read_group(context, reader, JobKind::kService, "tasks", pull);
}

NeedPlaces need_places(const Reader& reader) {
  const auto place = [&](std::string_view name) { return reader.place(name); };
  return {reader.place(), place(reader.given("cpu_m") ? "cpu_m" : "cores"), place("memory_mib"),
          place("count"), place("tasks")};
}

void read_need(Context& context, const Reader& reader, TaskSpec& spec) {
  spec.exclusive = reader.flag("exclusive");
  reader.at_most_one({"cores", "cpu_m"});
  for (const std::string_view name : {"cores", "cpu_m"})
    if (spec.exclusive && reader.given(name))
      context.mistakes.add(reader.key_place(name), backquoted(name) + " and `exclusive` exclude each other",
                           "an exclusive task takes one whole core with all its hardware threads");
  spec.need.cpu_m = reader.valid("cpu_m") ? reader.integer("cpu_m") : kThread * reader.integer("cores");
  if (spec.exclusive) spec.need.cpu_m = 0;
  spec.need.memory_bytes = kMiB * reader.integer("memory_mib");
  if (reader.valid("count")) read_counts(context, reader.value("count"), spec.need);
}

void read_generator(Context& context, const JsonValue& generator) {
  const JsonValue model = generator.member("model");
  const std::string name = model.is(JsonType::kString) ? model.string() : "";
  if (name == "poisson") return read_poisson(context, generator);
  if (name == "lublin") return read_lublin(context, generator);
  const std::string what = !model         ? "`model` is missing"
                           : name.empty() ? "this is no model"
                                          : "there is no model " + backquoted(name);
  context.mistakes.add(opening(model ? model : generator), what,
                       did_you_mean(name, {"poisson", "lublin"}, "right: `poisson` or `lublin`"));
}

void read_workload(Context& context, const JsonValue& workload) {
  const Reader reader(context, workload, Section::kWorkload);
  if (!reader.at_most_one({"jobs", "generate", "table"})) return;
  if (reader.valid("jobs")) return read_jobs(context, reader.value("jobs"));
  if (reader.valid("generate")) return read_generator(context, reader.value("generate"));
  if (reader.valid("table")) return read_table(context, reader.value("table"));
  if (!reader.given("jobs") && !reader.given("generate") && !reader.given("table") &&
      workload.is(JsonType::kObject))
    context.mistakes.add(reader.place(), "there are no jobs", "right: `jobs`, `generate` or `table`");
}

}  // namespace duet::sim::parsing
