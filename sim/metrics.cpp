#include "sim/metrics.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "core/lifecycle.h"

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

void measure_waits(Metrics& metrics, const Results& results) {
  std::vector<std::int64_t> waits;
  Total total;
  for (const JobRow& job : results.jobs) {
    if (job.started == kNever) continue;
    waits.push_back(to_ns(job.started - job.submitted));
    total.add(waits.back());
  }
  if (waits.empty()) return;
  const auto nearest_rank = [&](std::size_t percent) {
    const std::size_t rank = (waits.size() * percent + 99) / 100;
    const auto at = waits.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(waits.begin(), at, waits.end());
    return seconds(*at);
  };
  metrics["mean_wait_s"] = total.mean_s();
  metrics["max_wait_s"] = seconds(*std::max_element(waits.begin(), waits.end()));
  metrics["p50_wait_s"] = nearest_rank(50);
  metrics["p95_wait_s"] = nearest_rank(95);
}

void measure_turnarounds(Metrics& metrics, const Results& results) {
  Total total;
  double slowdowns = 0;
  double largest = 0;
  for (const JobRow& job : results.jobs) {
    if (job.state != JobState::kSucceeded || job.started == kNever || job.ended == kNever) continue;
    const std::int64_t turnaround = to_ns(job.ended - job.submitted);
    const std::int64_t ran = to_ns(job.ended - job.started);
    total.add(turnaround);
    const std::int64_t bounded = std::max(ran, 10 * kSecond);
    const double slowdown = std::max(1.0, static_cast<double>(turnaround) / static_cast<double>(bounded));
    slowdowns += slowdown;
    largest = std::max(largest, slowdown);
  }
  if (total.count() == 0) return;
  metrics["mean_turnaround_s"] = total.mean_s();
  metrics["mean_bounded_slowdown"] = slowdowns / static_cast<double>(total.count());
  metrics["max_bounded_slowdown"] = largest;
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
  if (span_s > 0)
    metrics["utilization"] = busy_s / (static_cast<double>(hardware_threads(scenario)) * span_s);
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
  count("nodes_down", results.nodes_down);
  measure_waits(metrics, results);
  measure_turnarounds(metrics, results);
  measure_load(metrics, scenario, results);
  if (results.estimate_error_ppm)
    metrics["estimate_error"] = static_cast<double>(*results.estimate_error_ppm) / 1e6;
  if (!results.energy_j.empty())
    metrics["energy_j"] = std::accumulate(results.energy_j.begin(), results.energy_j.end(), 0.0);
  return metrics;
}

}  // namespace duet::sim
