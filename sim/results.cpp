#include "sim/results.h"

#include <algorithm>

namespace duet::sim {

void add_busy(Results& results, Duration ran, std::uint32_t width) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  results.busy_cpu_s += to_ns(ran) / kSecond * std::int64_t{width};
  results.busy_cpu_ns += to_ns(ran) % kSecond * std::int64_t{width};
  results.busy_cpu_s += results.busy_cpu_ns / kSecond;
  results.busy_cpu_ns %= kSecond;
}

void date_jobs(Results& results) {
  for (JobRow& job : results.jobs) {
    if (job.id.value == 0) continue;
    Instant last{};
    bool complete = job.tasks > 0;
    for (std::uint32_t i = 0; i < job.tasks; ++i) {
      const TaskRow& task = results.tasks[job.first_task + i];
      job.started = std::min(job.started, task.started);
      complete &= task.ended != kNever || task.started == kNever;
      if (task.ended != kNever) last = std::max(last, task.ended);
    }
    if (complete && job.started != kNever) job.ended = last;
  }
}

}  // namespace duet::sim
