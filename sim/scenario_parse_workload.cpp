// /workload of a scenario: jobs one by one, and models that draw them.
#include <algorithm>
#include <set>

#include "sim/payload.h"
#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

constexpr std::size_t kMaxJobs = 1'000'000;
constexpr std::uint32_t kMaxTasksPerJob = 1'000'000;
constexpr std::string_view kTaskFields[] = {
    "tasks",      "cores",      "cpu_m",     "memory_mib", "count",      "exclusive",     "duration_s",
    "operations", "estimate_s", "timeout_s", "operation",  "iterations", "fail_attempts", "exit_code"};

void read_work(Context& context, const Reader& reader, TaskSpec& spec) {
  if (reader.given("duration_s") && reader.given("operations"))
    reader.at_most_one({"duration_s", "operations"});
  else if (!reader.given("duration_s") && !reader.given("operations"))
    context.mistakes.add(reader.place(), "nothing says how long a task takes",
                         "right: `duration_s` or `operations`");
  spec.work.duration = reader.seconds("duration_s");
  spec.work.operations = reader.integer("operations");
  spec.estimate = reader.seconds("estimate_s");
  spec.timeout = reader.seconds("timeout_s");
  spec.operation = reader.text("operation");
  spec.iterations = reader.integer("iterations");

  SimulatedFailures failures;
  failures.fail_attempts = static_cast<std::uint32_t>(reader.integer("fail_attempts"));
  failures.exit_code = static_cast<std::int32_t>(reader.integer("exit_code"));
  if (failures.exit_code == 0)
    context.mistakes.add(reader.place("exit_code"), "an attempt that fails does not exit with 0");
  if (reader.given("exit_code") && !reader.given("fail_attempts"))
    context.mistakes.add(reader.key_place("exit_code"), "no attempt fails, so this says nothing",
                         "right: `fail_attempts`, too");
  spec.work.payload = encode_failures(failures);
}

TaskGroup read_group(Context& context, const Reader& reader, bool together) {
  TaskGroup group;
  const std::size_t before = context.mistakes.count();
  group.count = static_cast<std::uint32_t>(reader.integer("tasks"));
  read_need(context, reader, group.spec);
  read_work(context, reader, group.spec);
  if (context.mistakes.count() == before)
    check_fits(context, group.spec, group.count, together, need_places(reader));
  return group;
}

void read_groups(Context& context, const Reader& reader, JobSpec& spec) {
  for (const std::string_view name : kTaskFields)
    if (reader.given(name))
      context.mistakes.add(reader.key_place(name), backquoted(name) + " and `groups` exclude each other",
                           "right: " + backquoted(name) + " in each group");
  if (spec.kind == JobKind::kRigid)
    context.mistakes.add(reader.key_place("groups"), "a rigid job has no groups: its tasks are equal",
                         R"(right: "kind": "bag")");
  std::uint64_t tasks = 0;
  for (JsonValue v = reader.value("groups").first_child(); v; v = v.next_sibling()) {
    spec.groups.push_back(read_group(context, Reader(context, v, Section::kGroup), false));
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
    const Duration left(std::int64_t{9'000'000'000'000'000'000} - to_ns(at));
    if (count > 1 && every > left / static_cast<std::int64_t>(count - 1)) {
      context.mistakes.add(repeat.place("every_s"), "the last of them would come after 9e9 s");
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
  const std::string base = spec.key;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (reader.valid("repeat")) spec.key = base + std::to_string(i);
    ids.add(context, spec.key, place);
    arrivals.push_back({at + every * static_cast<std::int64_t>(i), std::make_shared<const JobSpec>(spec)});
  }
  return true;
}

JobSpec read_job(Context& context, const Reader& reader, std::size_t place) {
  JobSpec spec;
  spec.key = reader.valid("id") ? reader.text("id") : "job" + std::to_string(place);
  spec.user = reader.text("user");
  spec.kind = reader.text("kind") == "bag" ? JobKind::kBag : JobKind::kRigid;
  spec.retries = static_cast<std::uint32_t>(reader.integer("retries"));
  spec.priority = static_cast<std::int32_t>(reader.integer("priority"));
  if (reader.given("groups"))
    read_groups(context, reader, spec);
  else
    spec.groups.push_back(read_group(context, reader, spec.kind == JobKind::kRigid));
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
  context.jobs_known = place > 0 && arrivals.size() >= place;
  if (!jobs.first_child()) context.mistakes.add(jobs.place(), "there are no jobs", "right: at least one");
  std::stable_sort(arrivals.begin(), arrivals.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  context.out.workload = std::move(arrivals);
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
