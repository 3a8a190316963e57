#include "live/driver/job_json.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "core/codec/json_text.h"
#include "core/codec/render.h"
#include "core/lifecycle.h"

namespace duet::live {
namespace {

/// An object that is written member by member.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  std::string& key(std::string_view name) {
    codec::append_key(out_, first_, name);
    return out_;
  }
  void text(std::string_view name, std::string_view value) { codec::append_string(key(name), value); }
  template <class N>
  void number(std::string_view name, N value) {
    codec::append_number(key(name), value);
  }
  void boolean(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  /// Nothing if it is the epoch: it has not happened.
  void instant(std::string_view name, Instant at) {
    if (at != Instant{}) text(name, rfc3339(at));
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

template <class Range, class Write>
void append_array(std::string& out, const Range& range, Write write) {
  out += '[';
  bool first = true;
  for (const auto& element : range) {
    if (!std::exchange(first, false)) out += ',';
    write(element);
  }
  out += ']';
}

std::string_view node_name(NodeId id, const Controller& machine) {
  return id.value < machine.cluster().size() ? std::string_view(machine.cluster().node(id).name) : "?";
}

/// How the last attempt that is over ended: of a replica that runs again, an earlier one.
void append_last_end(Object& object, TaskId id, const TaskView& task, const ClusterView& view) {
  std::string& out = object.key("last_end");
  Object end(out);
  end.number("attempt", task.ended_attempt);
  end.text("outcome", name(task.outcome));
  end.number("exit_code", task.exit_code);
  const AttemptFacts* facts = view.facts({id, task.ended_attempt});
  if (facts != nullptr && !facts->reason.empty()) end.text("reason", facts->reason);
  end.instant("at", task.ended);
  end.end();
}

/// Until when a task that failed waits before it runs again, and what it was expected to take.
void append_wait(Object& object, TaskId id, const Controller& machine) {
  const LiveJob* job = machine.jobs().find(id.job);
  if (job == nullptr || id.index >= job->tasks.size()) return;
  const LiveTask& task = job->tasks[id.index];
  if (task.state == TaskState::kPending) object.instant("retry_at", task.retry_at);
  if (task.failures > 0) object.number("failures", task.failures);
  if (active(task.state) && task.estimated_end != kNever)
    object.number("estimate_s", static_cast<double>(to_ns(task.estimated_end - task.placed)) / 1e9);
}

void append_health(Object& object, const HealthCheck& check) {
  const auto in_s = [](Duration duration) { return static_cast<double>(to_ns(duration)) / 1e9; };
  std::string& out = object.key("health");
  Object health(out);
  health.number("interval_s", in_s(check.interval));
  health.number("timeout_s", in_s(check.timeout));
  health.number("start_period_s", in_s(check.start_period));
  health.number("failures", check.failures);
  health.end();
}

void append_task(std::string& out, const JobView& job, std::uint32_t index, const ClusterView& view,
                 const Controller& machine) {
  const TaskView& task = job.tasks[index];
  const TaskId id{job.id, index};
  Object object(out);
  object.text("id", id_text(id));
  object.number("job", job.id.value);
  object.text("name", job.spec->key);
  object.text("state", name(task.state));
  object.number("attempt", task.attempt);
  if (task.attempt > 0) {
    object.text("node", node_name(task.node, machine));
    object.instant("placed_at", task.placed);
    object.instant("started_at", task.started);
  }
  if (const OperationView* operation = view.operation(id)) object.text("worker", id_text(operation->worker));
  if (task.state == TaskState::kRunning) object.boolean("ready", task.ready);
  if (task.has_ended) {
    object.text("outcome", name(task.outcome));
    object.number("exit_code", task.exit_code);
    object.instant("ended_at", task.ended);
    append_last_end(object, id, task, view);
  }
  append_wait(object, id, machine);
  if (const AttemptFacts* facts = view.facts({id, task.attempt})) {
    if (facts->pid != 0 && active(task.state)) object.number("pid", facts->pid);
    if (!facts->reason.empty()) object.text("reason", facts->reason);
    if (!facts->result.empty()) object.key("result") += facts->result;  // It is JSON.
    append_array(object.key("cpus"), facts->cpus, [&](auto cpu) { codec::append_number(out, cpu); });
    if (!facts->ports.empty())
      append_array(object.key("ports"), facts->ports, [&](auto port) { codec::append_number(out, port); });
    object.number("cpu_s", static_cast<double>(facts->cpu_ns) / 1e9);
    if (const auto cores = view.cpu_in_use({id, task.attempt}); cores && active(task.state))
      object.number("cpu_in_use_m", std::llround(*cores * 1000));
    object.number("memory_bytes", facts->memory);
    if (active(task.state) && !facts->cpus.empty()) object.number("strayed", facts->strayed);
  }
  object.end();
}

void append_group(std::string& out, const TaskGroup& group) {
  Object object(out);
  object.number("count", group.count);
  const TaskSpec& spec = group.spec;
  if (!spec.pool.empty()) object.text("pool", spec.pool);
  if (spec.work.payload != nullptr)  // It is JSON.
    object.key(spec.pool.empty() ? "command" : "call") += *spec.work.payload;
  if (spec.iterations > 0) object.number("iterations", spec.iterations);
  if (spec.work.duration > Duration{0})
    object.number("duration_s", static_cast<double>(to_ns(spec.work.duration)) / 1e9);
  if (spec.work.operations > 0) object.number("operations", spec.work.operations);
  object.number("cpu_m", spec.need.cpu_m);
  object.number("memory_bytes", spec.need.memory_bytes);
  if (spec.exclusive) object.boolean("exclusive", true);
  if (spec.work.health) append_health(object, *spec.work.health);
  if (spec.timeout > Duration{0}) object.number("timeout_s", static_cast<double>(to_ns(spec.timeout)) / 1e9);
  object.end();
}

void append_counts(Object& object, const JobView& job) {
  std::array<std::uint32_t, 8> counts{};
  for (const TaskView& task : job.tasks) ++counts[static_cast<std::size_t>(task.state)];
  for (const TaskState state : task_states()) {
    const std::uint32_t count = counts[static_cast<std::size_t>(state)];
    if (state != TaskState::kIdle) object.number("tasks_" + std::string(name(state)), count);
  }
}

}  // namespace

std::string rfc3339(Instant at) {
  const std::int64_t ns = to_ns(at);
  const std::time_t seconds = ns / 1'000'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(ns % 1'000'000'000 / 1'000'000));
  return text;
}

std::string id_text(TaskId id) { return std::to_string(id.job.value) + '.' + std::to_string(id.index); }
std::string id_text(AttemptId id) { return id_text(id.task) + '#' + std::to_string(id.number); }

std::string to_json(const JobView& job, const ClusterView& view, const Controller& machine, bool with_tasks) {
  std::string out;
  Object object(out);
  object.number("id", job.id.value);
  object.text("name", job.spec->key);
  if (!job.spec->user.empty()) object.text("user", job.spec->user);
  object.text("kind", name(job.spec->kind));
  object.text("state", name(job.state));
  object.number("priority", job.spec->priority);
  if (job.spec->retries != kUnlimited) object.number("retries", job.spec->retries);
  if (job.spec->restart) object.text("restart", name(*job.spec->restart));
  if (job.spec->backoff > Duration{0})
    object.number("backoff_s", static_cast<double>(to_ns(job.spec->backoff)) / 1e9);
  if (!job.spec->scheduler.empty()) object.text("scheduler", job.spec->scheduler);
  object.instant("submitted_at", job.submitted);
  object.instant("started_at", job.started);
  object.instant("ended_at", job.ended);
  if (job.service()) {
    const LiveJob* live = machine.jobs().find(job.id);
    object.number("desired_replicas", live != nullptr ? live->desired() : 0);
  }
  if (const auto& pool = job.spec->pool) {
    Object workers(object.key("workers"));
    workers.text("pool", pool->name);
    workers.number("min", pool->minimum);
    workers.number("max", pool->maximum);
    workers.number("full_percent", static_cast<double>(pool->full_permille) / 10);
    workers.number("queue_limit", pool->queue_limit);
    workers.boolean("pull", pool->pull);
    workers.end();
  }
  object.number("tasks_total", job.tasks.size());
  append_counts(object, job);
  append_array(object.key("groups"), job.spec->groups, [&](const auto& g) { append_group(out, g); });
  if (with_tasks) {
    object.key("tasks") += '[';
    for (std::uint32_t i = 0; i < job.tasks.size() && i < kTasksShown; ++i) {
      if (i > 0) out += ',';
      append_task(out, job, i, view, machine);
    }
    out += ']';
  }
  object.end();
  return out;
}

std::string to_json(const JobView& job, std::uint32_t task, const ClusterView& view,
                    const Controller& machine) {
  std::string out;
  append_task(out, job, task, view, machine);
  return out;
}

namespace {

void append(Object& object, const controller::JobChanged& change, const Controller&) {
  object.number("job", change.job.value);
  object.text("state", name(change.state));
}

void append(Object& object, const controller::TaskChanged& change, const Controller& machine) {
  object.text("task", id_text(change.attempt.task));
  object.text("state", name(change.state));
  object.number("attempt", change.attempt.number);
  if (change.attempt.number == 0) return;
  object.text("node", node_name(change.node, machine));
  if (change.state == TaskState::kRunning) object.boolean("ready", change.ready);
  if (!active(change.state)) object.text("outcome", name(change.outcome));
}

void append(Object& object, const controller::NodeChanged& change, const Controller& machine) {
  object.text("node", node_name(change.node, machine));
  object.text("state", name(change.state));
  object.boolean("draining", change.draining);
}

void append(Object& object, const controller::PoolScaled& change, const Controller&) {
  object.number("job", change.job.value);
  object.number("from", change.from);
  object.number("to", change.to);
  object.boolean("applied", change.applied);
  object.text("why", change.why);
}

}  // namespace

std::string to_json(const controller::Notice& notice, const Controller& machine) {
  std::string out;
  Object object(out);
  std::visit([&](const auto& change) { append(object, change, machine); }, notice);
  object.end();
  return out;
}

std::string_view type_of(const controller::Notice& notice) {
  constexpr std::array<std::string_view, 4> kTypes = {"job", "task", "node", "pool"};
  static_assert(std::variant_size_v<controller::Notice> == kTypes.size());
  return kTypes[notice.index()];
}

}  // namespace duet::live
