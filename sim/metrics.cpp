#include "sim/metrics.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "core/lifecycle.h"
#include "sim/compare/statistics.h"
#include "sim/engine.h"
#include "sim/run.h"

namespace duet::sim {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

/// A sum of durations that neither overflows nor rounds: a million waits of a year each do not fit into
/// nanoseconds.
class Total {
 public:
  void add(std::int64_t ns) {
    seconds_ += ns / kSecond;
    rest_ns_ += ns % kSecond;
    seconds_ += rest_ns_ / kSecond;
    rest_ns_ %= kSecond;
    ++count_;
  }
  std::uint64_t count() const { return count_; }
  double mean_s() const {
    return (static_cast<double>(seconds_) + seconds(rest_ns_)) / static_cast<double>(count_);
  }

 private:
  std::int64_t seconds_ = 0;
  std::int64_t rest_ns_ = 0;
  std::uint64_t count_ = 0;
};

constexpr std::array<std::size_t, 4> kPercents = {50, 90, 95, 99};

/// p50_NAME ... p99_NAME by nearest rank, and max_NAME. Reorders the values, of which there is at least one.
template <class T, class Show>
void measure_percentiles(Metrics& metrics, std::string_view name, std::vector<T>& values, const Show& show) {
  auto from = values.begin();
  for (const std::size_t percent : kPercents) {
    const std::size_t rank = (values.size() * percent + 99) / 100;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    // What stands before `from` is smaller already.
    std::nth_element(from, at, values.end());
    metrics["p" + std::to_string(percent) + '_' + std::string(name)] = show(*at);
    from = at;
  }
  metrics["max_" + std::string(name)] = show(*std::max_element(from, values.end()));
}

void measure_waits(Metrics& metrics, const Results& results) {
  std::vector<std::int64_t> waits;
  Total total;
  for (const JobRow& job : results.jobs) {
    if (job.started == kNever) continue;
    waits.push_back(to_ns(job.started - job.submitted));
    total.add(waits.back());
  }
  if (waits.empty()) return;
  metrics["mean_wait_s"] = total.mean_s();
  measure_percentiles(metrics, "wait_s", waits, seconds);
}

/// Jobs that have a turnaround.
bool came_through(const JobRow& job) {
  return job.state == JobState::kSucceeded && job.started != kNever && job.ended != kNever;
}

double bounded_slowdown(const JobRow& job) {
  const std::int64_t turnaround = to_ns(job.ended - job.submitted);
  const std::int64_t bounded = std::max(to_ns(job.ended - job.started), 10 * kSecond);
  return std::max(1.0, static_cast<double>(turnaround) / static_cast<double>(bounded));
}

void measure_turnarounds(Metrics& metrics, const Results& results) {
  std::vector<std::int64_t> turnarounds;
  Total total;
  for (const JobRow& job : results.jobs) {
    if (!came_through(job)) continue;
    turnarounds.push_back(to_ns(job.ended - job.submitted));
    total.add(turnarounds.back());
  }
  if (turnarounds.empty()) return;
  metrics["mean_turnaround_s"] = total.mean_s();
  measure_percentiles(metrics, "turnaround_s", turnarounds, seconds);
}

void measure_slowdowns(Metrics& metrics, const Results& results) {
  std::vector<double> slowdowns;
  double sum = 0;
  for (const JobRow& job : results.jobs) {
    if (!came_through(job)) continue;
    slowdowns.push_back(bounded_slowdown(job));
    sum += slowdowns.back();
  }
  if (slowdowns.empty()) return;
  metrics["mean_bounded_slowdown"] = sum / static_cast<double>(slowdowns.size());
  measure_percentiles(metrics, "bounded_slowdown", slowdowns, [](double value) { return value; });
}

/// How equally the users who are named were served.
void measure_fairness(Metrics& metrics, const Results& results) {
  std::vector<double> sums(results.users.size());
  std::vector<double> counts(results.users.size());
  for (const JobRow& job : results.jobs) {
    if (job.user == 0 || !came_through(job)) continue;
    sums[job.user] += bounded_slowdown(job);
    ++counts[job.user];
  }
  std::vector<double> means;
  for (std::size_t user = 0; user < sums.size(); ++user)
    if (counts[user] > 0) means.push_back(sums[user] / counts[user]);
  if (means.size() < 2) return;
  metrics["users"] = static_cast<double>(means.size());
  metrics["user_fairness"] = jain_index(means);
}

/// True if what a task takes depends neither on where it runs nor beside what.
bool fixed_run_times(const Scenario& scenario) {
  if (!needs_cpu_model(scenario)) return true;
  const auto slows = [](const Fault& fault) { return fault.kind == Fault::Kind::kSlowNode; };
  const double speed = scenario.node_types.front().speed.front();
  const auto same = [&](const NodeType& type) { return type.plain() && type.speed.front() == speed; };
  return undisturbed(scenario) && std::none_of(scenario.faults.begin(), scenario.faults.end(), slows) &&
         std::all_of(scenario.node_types.begin(), scenario.node_types.end(), same);
}

/// No schedule of the jobs that succeeded ends earlier after the first submission: each task runs after its
/// submission, and what is submitted from some instant on fills the cluster from then on.
void measure_makespan_bound(Metrics& metrics, const Scenario& scenario, const Results& results) {
  if (results.jobs.empty() || !fixed_run_times(scenario)) return;
  const Instant first = results.jobs.front().submitted;  // in the order of their submission
  const auto threads = static_cast<double>(hardware_threads(scenario));
  double bound_s = 0;
  double work_s = 0;
  bool any = false;
  for (auto job = results.jobs.rbegin(); job != results.jobs.rend(); ++job) {
    if (job->service() || !came_through(*job)) continue;
    any = true;
    const double since_s = seconds(to_ns(job->submitted - first));
    for (std::uint32_t i = 0; i < job->tasks; ++i) {
      const TaskRow& task = results.tasks[job->first_task + i];
      if (task.state != TaskState::kSucceeded || task.started == kNever || task.ended == kNever) continue;
      const double ran_s = seconds(to_ns(task.ended - task.started));
      bound_s = std::max(bound_s, since_s + ran_s);
      if ((task.need_m & TaskRow::kOperation) == 0) work_s += ran_s * task.need_m / kThread;
    }
    bound_s = std::max(bound_s, since_s + work_s / threads);
  }
  if (any) metrics["makespan_bound_s"] = bound_s;
}

/// Attempts that failed by themselves and were the last of their task: they were not retried.
std::uint64_t failed_last(const Results& results) {
  return static_cast<std::uint64_t>(
      std::count_if(results.tasks.begin(), results.tasks.end(), [](const TaskRow& task) {
        const bool failed = task.outcome == Outcome::kFailed || task.outcome == Outcome::kTimedOut;
        const bool over = task.state == TaskState::kFailed || task.state == TaskState::kPending;
        return task.attempts > 0 && failed && over;
      }));
}

void measure_load(Metrics& metrics, const Scenario& scenario, const Results& results) {
  const double busy_s = static_cast<double>(results.busy_cpu_s) + seconds(results.busy_cpu_ns);
  metrics["busy_core_s"] = busy_s;
  metrics["used_core_s"] = results.used_cpu_s;
  metrics["lost_core_s"] = results.lost_cpu_s;
  Instant first = kNever;
  Instant last{};
  bool any = false;
  for (const JobRow& job : results.jobs) {
    first = std::min(first, job.submitted);
    if (!has_ended(job) || job.ended == kNever) continue;
    any = true;
    last = std::max(last, job.ended);
  }
  if (!any) return;
  const double makespan_s = seconds(to_ns(last - first));
  metrics["makespan_s"] = makespan_s;
  // Services may go on, and replicas of theirs may have ended, after the last end of a job.
  const double span_s = seconds(to_ns(std::max(last, results.last_attempt_end) - first));
  if (span_s <= 0) return;
  const double all_s = static_cast<double>(hardware_threads(scenario)) * span_s;
  metrics["utilization"] = busy_s / all_s;
  metrics["utilization_used"] = results.used_cpu_s / all_s;
}

}  // namespace

bool has_ended(const JobRow& job) { return terminal(job.state); }

std::uint64_t hardware_threads(const Scenario& scenario) {
  std::uint64_t threads = 0;
  for (const Node& node : scenario.nodes) threads += scenario.node_types[node.type].offer.threads();
  return threads;
}

Metrics measure(const Scenario& scenario, const Results& results) {
  Metrics metrics;
  const auto count = [&](std::string_view name, std::uint64_t value) {
    metrics[std::string(name)] = static_cast<double>(value);
  };
  const auto jobs_in = [&](JobState state) {
    return static_cast<std::uint64_t>(std::count_if(results.jobs.begin(), results.jobs.end(),
                                                    [&](const JobRow& job) { return job.state == state; }));
  };
  count("jobs", results.jobs.size());
  count("jobs_succeeded", jobs_in(JobState::kSucceeded));
  count("jobs_failed", jobs_in(JobState::kFailed));
  count("jobs_cancelled", jobs_in(JobState::kCancelled));
  count("jobs_unfinished", jobs_in(JobState::kPending) + jobs_in(JobState::kRunning));
  count("attempts", results.attempts);
  count("tasks_lost", results.attempts_lost);
  count("tasks_retried", results.attempts_failed - std::min(results.attempts_failed, failed_last(results)));
  count("jobs_refused", results.refusals.size());
  count("scaled_up", results.scaled_up);
  count("scaled_down", results.scaled_down);
  count("scaling_actions", results.scaled_up + results.scaled_down);
  count("flaps", results.flaps);
  count("nodes_down", results.nodes_down);
  count("nodes_lost", results.nodes_lost);
  count("false_alarms", results.false_alarms);
  measure_waits(metrics, results);
  measure_turnarounds(metrics, results);
  measure_slowdowns(metrics, results);
  measure_fairness(metrics, results);
  measure_makespan_bound(metrics, scenario, results);
  measure_load(metrics, scenario, results);
  if (results.waited_s > 0) metrics["fragmentation"] = results.fragmentation;
  const auto if_any = [&](std::string_view name, const std::optional<double>& value) {
    if (value) metrics[std::string(name)] = *value;
  };
  if_any("over_provisioned", results.over_provisioned);
  if_any("under_provisioned", results.under_provisioned);
  if_any("mean_detection_s", results.mean_detection_s);
  if_any("max_detection_s", results.max_detection_s);
  if (results.estimate_error_ppm)
    metrics["estimate_error"] = static_cast<double>(*results.estimate_error_ppm) / 1e6;
  if (!results.energy_j.empty()) {
    metrics["energy_j"] = std::accumulate(results.energy_j.begin(), results.energy_j.end(), 0.0);
    metrics["energy_idle_j"] = results.energy_idle_j;
  }
  return metrics;
}

}  // namespace duet::sim
