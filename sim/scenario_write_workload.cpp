// /workload of the canonical JSON: jobs one by one, tables, generators.
#include <algorithm>

#include "core/check.h"
#include "core/lifecycle.h"
#include "sim/payload.h"
#include "sim/scenario_writer.h"

namespace duet::sim {

void ScenarioWriter::workload() {
  object("workload");
  if (const auto* arrivals = std::get_if<std::vector<Arrival>>(&scenario_.workload)) jobs(*arrivals);
  if (const auto* log = std::get_if<JobTable>(&scenario_.workload)) table(*log);
  if (const auto* poisson = std::get_if<PoissonWorkload>(&scenario_.workload)) generate(*poisson);
  if (const auto* lublin = std::get_if<LublinWorkload>(&scenario_.workload)) generate(*lublin);
  out_.close();
}

void ScenarioWriter::need(const TaskSpec& spec) {
  if (!spec.pool.empty()) return text("pool", spec.pool);
  if (!spec.exclusive && spec.need.cpu_m > 0 && spec.need.cpu_m % kThread == 0)
    integer("cores", spec.need.cpu_m / kThread);
  else if (!spec.exclusive)
    integer("cpu_m", spec.need.cpu_m);
  memory(spec.need.memory_bytes);
  counts(spec.need);
  flag("exclusive", spec.exclusive);
}

void ScenarioWriter::group(const TaskGroup& group, std::string_view count) {
  const TaskSpec& spec = group.spec;
  integer(count, group.count);
  need(spec);
  if (spec.work.duration == kForever) {
  } else if (spec.work.duration > Duration{0}) {
    seconds("duration_s", spec.work.duration);
  } else {
    integer("operations", spec.work.operations);
  }
  if (spec.work.weight != 1) integer("cpu_weight", spec.work.weight);
  seconds("estimate_s", spec.estimate);
  seconds("timeout_s", spec.timeout);
  // Left out where there is nothing to say, as in cluster().
  if (!spec.operation.empty()) text("operation", spec.operation);
  if (spec.iterations > 0) integer("iterations", spec.iterations);
  if (const auto& check = spec.work.health) {
    object("health", true);
    seconds("interval_s", check->interval);
    seconds("timeout_s", check->timeout);
    seconds("start_period_s", check->start_period);
    integer("failures", check->failures);
    out_.close();
  }
  const auto behaviour = decode_behaviour(spec.work.payload);
  DUET_CHECK(behaviour.has_value());
  if (behaviour->fail_attempts == 0) return;
  integer("fail_attempts", behaviour->fail_attempts);
  integer("exit_code", behaviour->exit_code);
}

void ScenarioWriter::workers(const PoolSpec& pool) {
  object("workers", true);
  text("pool", pool.name);
  integer("min", pool.minimum);
  integer("max", pool.maximum);
  integer("full_percent", pool.full_permille / 10);
  integer("queue_limit", pool.queue_limit);
  flag("pull", pool.pull);
  flag("dry_run", pool.dry_run);
  seconds("cooldown_up_s", pool.cooldown_up);
  seconds("cooldown_down_s", pool.cooldown_down);
  out_.close();
}

void ScenarioWriter::jobs(const std::vector<Arrival>& arrivals) {
  array("jobs");
  for (const Arrival& arrival : arrivals) {
    const JobSpec& spec = *arrival.spec;
    const bool grouped = spec.kind == JobKind::kDag || spec.groups.size() > 1;
    DUET_CHECK(!spec.groups.empty() &&
               (!grouped || spec.kind == JobKind::kBag || spec.kind == JobKind::kDag));
    out_.object(true);
    text("id", spec.key);
    text("user", spec.user);
    instant("at_s", arrival.at);
    text("kind", name(spec.kind));
    if (!grouped) {
      group(spec.groups.front(), spec.kind == JobKind::kService ? "replicas" : "tasks");
    } else {
      array("groups");
      for (std::size_t g = 0; g < spec.groups.size(); ++g) {
        out_.object();
        if (spec.kind == JobKind::kDag) {
          // Names mean nothing but who comes after whom.
          text("name", std::to_string(g));
          array("after");
          for (const std::uint32_t earlier : spec.groups[g].after) out_.string(std::to_string(earlier));
          out_.close();
        }
        group(spec.groups[g], "tasks");
        out_.close();
      }
      out_.close();
    }
    if (spec.retries != kUnlimited) integer("retries", spec.retries);
    // Left out where there is nothing to say, so that older scenarios keep their hashes.
    if (spec.pool) workers(*spec.pool);
    if (spec.backoff > Duration{0}) seconds("backoff_s", spec.backoff);
    if (!spec.scheduler.empty()) text("scheduler", spec.scheduler);
    if (spec.restart) text("restart", name(*spec.restart));
    if (spec.priority != 0) integer("priority", spec.priority);
    out_.close();
  }
  out_.close();
}

void ScenarioWriter::table(const JobTable& table) {
  object("table");
  array("columns", true);
  for (const char* column :
       {"id", "submit_s", "duration_s", "operations", "estimate_s", "timeout_s", "tasks", "cores"})
    out_.string(column);
  // Most tables know no users; those that do not are as they were before there was the column.
  const bool users =
      std::any_of(table.jobs.begin(), table.jobs.end(), [](const TableJob& job) { return job.user > 0; });
  if (users) out_.string("user");
  out_.close();
  array("rows");
  for (const TableJob& job : table.jobs) {
    out_.array(true);
    out_.string(job.id);
    out_.raw(decimal(job.submit_ns, 9));
    out_.raw(decimal(job.duration_ns, 9));
    out_.integer(job.operations);
    out_.raw(decimal(job.estimate_ns, 9));
    out_.raw(decimal(job.timeout_ns, 9));
    out_.integer(job.tasks);
    out_.integer(job.cores);
    if (users) out_.integer(job.user);
    out_.close();
  }
  out_.close();
  out_.close();
}

void ScenarioWriter::generate(const PoissonWorkload& workload) {
  object("generate");
  text("model", "poisson");
  integer("jobs", static_cast<std::int64_t>(workload.jobs));
  number("mean_gap_s", workload.mean_gap_s);
  if (workload.mean_operations > 0)
    number("mean_operations", workload.mean_operations);
  else
    number("mean_duration_s", workload.mean_duration_s);
  flag("fixed_size", workload.fixed_size);
  number("estimate_factor", workload.estimate_factor);
  integer("tasks", workload.tasks);
  need(workload.task);
  seconds("timeout_s", workload.task.timeout);
  integer("retries", workload.retries);
  out_.close();
}

void ScenarioWriter::generate(const LublinWorkload& workload) {
  object("generate");
  text("model", "lublin");
  integer("jobs", static_cast<std::int64_t>(workload.jobs));
  integer("max_cores", workload.max_cores);
  flag("gangs", workload.gangs);
  number("load_factor", workload.load_factor);
  number("estimate_factor", workload.estimate_factor);
  out_.close();
}

}  // namespace duet::sim
