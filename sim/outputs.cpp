#include "sim/outputs.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include <sys/utsname.h>
#include <unistd.h>

#include "core/codec/render.h"
#include "core/lifecycle.h"
#include "sim/decimal.h"
#include "sim/json_write.h"
#include "sim/metrics.h"
#include "sim/slot_text.h"
#include "sim/table.h"
#include "sim/terminal.h"

namespace duet::sim {
namespace {

constexpr std::string_view kJobColumns =
    "job_id,workload_name,submission_time,requested_number_of_resources,requested_time,success,final_state,"
    "starting_time,execution_time,finish_time,waiting_time,turnaround_time,stretch,allocated_resources,"
    "user,reason\n";
constexpr std::string_view kTaskColumns =
    "task_id,job_id,node,slot,attempts,state,outcome,start,end,threads,kind\n";

/// Six decimals as Batsim prints them, nine where six would round.
void append_seconds_fixed(std::string& out, std::int64_t ns) {
  const int decimals = ns % 1000 == 0 ? 6 : 9;
  const std::int64_t unit = decimals == 6 ? 1'000'000 : 1'000'000'000;
  const std::int64_t units = decimals == 6 ? ns / 1000 : ns;
  codec::append_number(out, units / unit);
  const std::string fraction = std::to_string(units % unit);
  out += '.';
  out.append(static_cast<std::size_t>(decimals) - fraction.size(), '0');
  out += fraction;
}

void append_gap(std::string& out, Instant from, Instant to) {
  if (from != kNever && to != kNever) append_seconds_fixed(out, to_ns(to - from));
}

bool timed_out(const JobRow& job, const Results& results) {
  for (std::uint32_t i = 0; i < job.tasks; ++i) {
    const TaskRow& task = results.tasks[job.first_task + i];
    if (task.state == TaskState::kFailed && task.outcome == Outcome::kTimedOut) return true;
  }
  return false;
}

/// Batsim's words for how a job ended.
std::string_view final_state(const JobRow& job, const Results& results) {
  if (job.id.value == 0) return job.state == JobState::kFailed ? "REJECTED" : "SUBMITTED";
  switch (job.state) {
    case JobState::kPending:
      return "SUBMITTED";
    case JobState::kRunning:
      return "RUNNING";
    case JobState::kSucceeded:
      return "COMPLETED_SUCCESSFULLY";
    case JobState::kCancelled:
      return "COMPLETED_KILLED";
    case JobState::kFailed:
      break;
  }
  return timed_out(job, results) ? "COMPLETED_WALLTIME_REACHED" : "COMPLETED_FAILED";
}

/// What a job's tasks are, in one word.
std::string_view kind_of(const JobRow& job) {
  if (job.workers) return "worker";
  if (job.operation) return "operation";
  return job.kind == JobKind::kRigid && job.tasks > 1 ? "gang" : name(job.kind);
}

/// "0 4-6": the nodes its tasks ran on.
void append_nodes(std::string& out, const JobRow& job, const Results& results) {
  if (job.id.value == 0) return;
  std::vector<std::uint32_t> nodes;
  for (std::uint32_t i = 0; i < job.tasks; ++i) {
    const TaskRow& task = results.tasks[job.first_task + i];
    if (task.attempts > 0) nodes.push_back(task.node);
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  for (std::size_t i = 0; i < nodes.size();) {
    std::size_t last = i;
    while (last + 1 < nodes.size() && nodes[last + 1] == nodes[last] + 1) ++last;
    if (i > 0) out += ' ';
    codec::append_number(out, nodes[i]);
    if (last > i) {
      out += '-';
      codec::append_number(out, nodes[last]);
    }
    i = last + 1;
  }
}

void append_stretch(std::string& out, const JobRow& job, Instant ended) {
  if (job.started == kNever || ended == kNever || ended == job.started) return;
  const auto turnaround = static_cast<double>(to_ns(ended - job.submitted));
  char digits[64];
  const double stretch = turnaround / static_cast<double>(to_ns(ended - job.started));
  out.append(digits, std::to_chars(digits, digits + sizeof digits, stretch, std::chars_format::fixed, 6).ptr);
}

void append_job(std::string& out, const JobRow& job, const RunReport& report) {
  const Instant ended = has_ended(job) ? job.ended : kNever;
  append_csv(out, job.key);
  out += ',';
  append_csv(out, report.scenario->name);
  out += ',';
  append_csv_instant(out, job.submitted);
  out += ',';
  append_decimal(out, job.cpu_m, 3);
  out += ',';
  if (job.estimate_ns > 0)
    append_seconds_fixed(out, job.estimate_ns);
  else
    out += "-1";
  out += job.state == JobState::kSucceeded ? ",1," : ",0,";
  out += final_state(job, *report.results);
  out += ',';
  append_csv_instant(out, job.started);
  out += ',';
  append_gap(out, job.started, ended);
  out += ',';
  append_csv_instant(out, ended);
  out += ',';
  append_gap(out, job.submitted, job.started);
  out += ',';
  append_gap(out, job.submitted, ended);
  out += ',';
  append_stretch(out, job, ended);
  out += ',';
  append_nodes(out, job, *report.results);
  out += ',';
  append_csv(out, report.results->users[job.user]);
  out += ',';
  const auto row = static_cast<std::uint32_t>(&job - report.results->jobs.data());
  if (const auto refusal = report.results->refusals.find(row); refusal != report.results->refusals.end())
    append_csv(out, refusal->second);
  out += '\n';
}

void append_task(std::string& out, const JobRow& job, std::uint32_t index, const RunReport& report) {
  const TaskRow& task = report.results->tasks[job.first_task + index];
  codec::append_text(out, TaskId{job.id, index});
  out += ',';
  append_csv(out, job.key);
  out += ',';
  const Scenario& scenario = *report.scenario;
  if (task.attempts > 0) append_csv(out, scenario.nodes[task.node].name);
  out += ',';
  std::string slot;
  append_slot(slot, scenario.node_types[scenario.nodes[task.node].type],
              report.results->thread_sets[task.threads]);
  append_csv(out, slot);
  out += ',';
  codec::append_number(out, task.attempts);
  out += ',';
  out += name(task.state);
  out += ',';
  if (task.attempts > 0 && terminal(task.state)) out += name(task.outcome);
  out += ',';
  append_csv_instant(out, task.started);
  out += ',';
  append_csv_instant(out, task.ended);
  out += ',';
  if (task.attempts > 0 && task.started != kNever) codec::append_number(out, task.width);
  out += ',';
  out += kind_of(job);
  out += '\n';
}

void write_policy(JsonWriter& json, std::string_view kind, const PolicyChoice& choice) {
  json.key(kind);
  json.object(true);
  json.key("name");
  json.string(choice.name);
  for (const auto& [name, value] : choice.params.items) {
    json.key(name);
    if (const auto* flag = std::get_if<bool>(&value)) json.raw(*flag ? "true" : "false");
    if (const auto* integer = std::get_if<std::int64_t>(&value)) json.integer(*integer);
    if (const auto* number = std::get_if<double>(&value)) json.number(*number);
    if (const auto* text = std::get_if<std::string>(&value)) json.string(*text);
  }
  json.close();
}

/// Of every node that has a power model.
void write_energy(JsonWriter& json, const RunReport& report) {
  if (report.results->energy_j.empty()) return;
  json.key("node_energy_j");
  json.object();
  for (std::size_t i = 0; i < report.scenario->nodes.size(); ++i) {
    const Node& node = report.scenario->nodes[i];
    if (!report.scenario->node_types[node.type].power) continue;
    json.key(node.name);
    json.number(report.results->energy_j[i]);
  }
  json.close();
}

void write_verdicts(JsonWriter& json, const std::vector<Verdict>& verdicts) {
  json.key("assertions");
  json.array();
  for (const Verdict& verdict : verdicts) {
    json.object(true);
    json.key("assertion");
    json.string(verdict.assertion->text);
    json.key("holds");
    json.raw(verdict.holds ? "true" : "false");
    json.key("actual");
    if (verdict.actual)
      json.number(*verdict.actual);
    else
      json.raw("null");
    json.close();
  }
  json.close();
}

}  // namespace

void append_csv_instant(std::string& out, Instant at) {
  if (at != kNever) append_seconds_fixed(out, to_ns(at));
}

std::string_view ending(const Results& results) {
  if (results.stalled) return "stalled";
  return results.horizon_reached ? "horizon" : "done";
}

void write_jobs(const RunReport& report, codec::TextSink& to) {
  to.write(kJobColumns);
  std::string line;
  for (const JobRow& job : report.results->jobs) {
    line.clear();
    append_job(line, job, report);
    to.write(line);
  }
}

void write_tasks(const RunReport& report, codec::TextSink& to) {
  to.write(kTaskColumns);
  std::string line;
  for (const JobRow& job : report.results->jobs) {
    if (job.id.value == 0) continue;
    for (std::uint32_t i = 0; i < job.tasks; ++i) {
      line.clear();
      append_task(line, job, i, report);
      to.write(line);
    }
  }
}

void write_summary(const RunReport& report, codec::TextSink& to) {
  const Scenario& scenario = *report.scenario;
  JsonWriter json([&](std::string_view text) { to.write(text); });
  json.object();
  json.key("scenario");
  json.string(scenario.name);
  json.key("scenario_sha256");
  json.string(report.scenario_hash);
  json.key("engine");
  json.string(report.engine);
  json.key("seed");
  json.raw(std::to_string(scenario.seed));
  json.key("policies");
  json.object();
  const ControllerConfig& policies = scenario.controller;
  write_policy(json, "queue", policies.queue);
  write_policy(json, "scheduler", policies.scheduler);
  write_policy(json, "autoscaler", policies.autoscaler);
  write_policy(json, "detector", policies.detector);
  write_policy(json, "estimator", policies.estimator);
  json.close();
  json.key("ended");
  json.string(ending(*report.results));
  if (report.results->stalled) {
    json.key("stall_cause");
    json.string(report.results->stall_cause);
  }
  std::string end_s;
  append_seconds(end_s, to_ns(report.results->end));
  json.key("end_s");
  json.raw(end_s);
  json.key("metrics");
  json.object();
  for (const Metric& metric : known_metrics()) {
    const auto found = report.metrics.find(metric.name);
    if (found == report.metrics.end()) continue;
    json.key(metric.name);
    json.number(found->second);
  }
  json.close();
  write_energy(json, report);
  write_verdicts(json, report.verdicts);
  if (report.trace) {
    json.key("steps");
    json.raw(std::to_string(report.trace->steps));
    json.key("digest");
    json.string("sha256:" + report.trace->digest);
  }
  json.close();
  json.finish();
}

void write_executions(const Results& results, codec::TextSink& to) {
  static_assert(std::endian::native == std::endian::little);
  for (const Execution& execution : results.executions) {
    char record[32];
    std::memcpy(record, &execution.start_s, 8);
    std::memcpy(record + 8, &execution.operations, 8);
    std::memcpy(record + 16, &execution.end_s, 8);
    std::memcpy(record + 24, &execution.task, 4);
    std::memcpy(record + 28, &execution.thread, 4);
    to.write(std::string_view(record, sizeof record));
  }
}

void write_run_info(const RunInfo& info, const RunReport& report, codec::TextSink& to) {
  utsname host{};
  uname(&host);
  const auto per_s = [&](std::uint64_t n) {
    return info.wall_s > 0 ? static_cast<double>(n) / info.wall_s : 0.0;
  };
  JsonWriter json([&](std::string_view text) { to.write(text); });
  const auto text = [&](std::string_view key, std::string_view value) {
    json.key(key);
    json.string(value);
  };
  const auto number = [&](std::string_view key, double value) {
    json.key(key);
    json.number(value);
  };
  json.object();
  text("duet_version", DUET_VERSION);
  text("compiler", __VERSION__);
  text("command_line", shell_words(info.command_line));
  text("started_at", info.started_at);
  text("host", host.nodename);
  text("system", std::string(host.sysname) + " " + host.release + " " + host.machine);
  json.key("cpus");
  json.integer(sysconf(_SC_NPROCESSORS_ONLN));
  text("executor", info.executor);
  number("wall_s", info.wall_s);
  number("cpu_s", info.cpu_s);
  number("run_cpu_s", info.run_cpu_s);
  json.key("peak_rss_bytes");
  json.raw(std::to_string(info.peak_rss_bytes));
  json.key("instants");
  json.raw(std::to_string(report.results->instants));
  json.key("messages");
  json.raw(std::to_string(report.results->messages));
  json.key("steps");
  json.raw(std::to_string(report.results->steps));
  number("jobs_per_s", per_s(report.results->jobs.size()));
  number("steps_per_s", per_s(report.results->steps));
  json.close();
  json.finish();
}

}  // namespace duet::sim
