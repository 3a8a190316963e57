#include "sim/workload.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"
#include "sim/draws.h"
#include "sim/lublin.h"
#include "sim/quota.h"

namespace duet::sim {
namespace {

/// A rigid job of so many tasks, which are still to be described.
std::shared_ptr<JobSpec> rigid(std::string&& key, std::uint32_t tasks) {
  auto spec = std::make_shared<JobSpec>();
  spec->key = std::move(key);
  spec->groups.resize(1);
  spec->groups.front().count = tasks;
  return spec;
}

Instant later(Instant t, Duration gap) {
  return std::min(saturating_add(t, gap), instant_ns(kLongestDraw_ns));
}

/// What a user who knows the run time would estimate, times his factor.
Duration estimate(Duration run, double factor) {
  return factor == 1.0 ? run : drawn_time(static_cast<double>(to_ns(run)) * 1e-9 * factor);
}

/// Listed jobs. They stand in the scenario as the user wrote them, so in any order.
class ListSource final : public ArrivalSource {
 public:
  explicit ListSource(const std::vector<Arrival>& jobs) : jobs_(jobs) {
    if (std::ranges::is_sorted(jobs, {}, &Arrival::at)) return;
    order_.resize(jobs.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::stable_sort(order_, {}, [&](std::size_t i) { return jobs[i].at; });
  }
  std::optional<Arrival> next() override {
    if (next_ == jobs_.size()) return std::nullopt;
    const std::size_t i = next_++;
    return jobs_[order_.empty() ? i : order_[i]];
  }
  std::size_t expected() const override { return jobs_.size(); }

 private:
  const std::vector<Arrival>& jobs_;
  std::vector<std::size_t> order_;  ///< Empty if the jobs are in order.
  std::size_t next_ = 0;
};

class TableSource final : public ArrivalSource {
 public:
  explicit TableSource(const JobTable& table) : jobs_(table.jobs) {}
  std::optional<Arrival> next() override {
    if (next_ == jobs_.size()) return std::nullopt;
    const TableJob& job = jobs_[next_++];
    DUET_CHECK(next_ == 1 || job.submit_ns >= jobs_[next_ - 2].submit_ns);
    return Arrival{instant_ns(job.submit_ns), make_spec(job)};
  }
  std::size_t expected() const override { return jobs_.size(); }

 private:
  const std::vector<TableJob>& jobs_;
  std::size_t next_ = 0;
};

class PoissonSource final : public ArrivalSource {
 public:
  PoissonSource(const PoissonWorkload& workload, double speed, const Rng& rng)
      : workload_(workload), speed_(speed), gaps_(rng.fork("gaps")), runs_(rng.fork("runs")) {}

  std::optional<Arrival> next() override {
    if (made_ == workload_.jobs) return std::nullopt;
    ++made_;
    now_ = later(now_, drawn_time(workload_.mean_gap_s * exponential_draw(gaps_)));
    auto spec = rigid(std::to_string(made_), workload_.tasks);
    spec->retries = workload_.retries;
    TaskSpec& task = spec->groups.front().spec;
    task = workload_.task;
    const double size = workload_.fixed_size ? 1.0 : exponential_draw(runs_);
    Duration run{0};
    if (workload_.mean_operations > 0.0) {
      const double operations = std::clamp(workload_.mean_operations * size + 0.5, 1.0, 9e18);
      task.work.operations = static_cast<std::int64_t>(operations);
      run = drawn_time(static_cast<double>(task.work.operations) / speed_);
    } else {
      run = std::max(drawn_time(workload_.mean_duration_s * size), Duration(1));
      task.work.duration = run;
    }
    task.estimate = estimate(run, workload_.estimate_factor);
    return Arrival{now_, std::move(spec)};
  }
  std::size_t expected() const override { return workload_.jobs; }

 private:
  const PoissonWorkload& workload_;
  double speed_;
  Rng gaps_;
  Rng runs_;
  Instant now_;
  std::uint64_t made_ = 0;
};

class LublinSource final : public ArrivalSource {
 public:
  LublinSource(const LublinWorkload& workload, const Rng& rng)
      : workload_(workload), model_(workload.max_cores, workload.load_factor, rng) {}

  std::optional<Arrival> next() override {
    if (made_ == workload_.jobs) return std::nullopt;
    ++made_;
    const LublinModel::Job job = model_.next();
    auto spec = rigid(std::to_string(made_), workload_.gangs ? job.cores : 1);
    TaskSpec& task = spec->groups.front().spec;
    task.need.cpu_m = kThread * (workload_.gangs ? 1 : job.cores);
    task.work.duration = job.run;
    task.estimate = estimate(job.run, workload_.estimate_factor);
    return Arrival{job.at, std::move(spec)};
  }
  std::size_t expected() const override { return workload_.jobs; }

 private:
  const LublinWorkload& workload_;
  LublinModel model_;
  std::uint64_t made_ = 0;
};

/// Fetches jobs from another source some at a time. Drawing one is a long piece of code, which the cache of a
/// processor does not keep while the rest of a run is played.
class AheadSource final : public ArrivalSource {
 public:
  explicit AheadSource(std::unique_ptr<ArrivalSource> from) : from_(std::move(from)) {
    ahead_.reserve(kAhead);
  }

  std::optional<Arrival> next() override {
    if (given_ == ahead_.size()) fetch();
    if (ahead_.empty()) return std::nullopt;
    return std::move(ahead_[given_++]);
  }
  std::size_t expected() const override { return from_->expected(); }

 private:
  static constexpr std::size_t kAhead = 64;

  void fetch() {
    ahead_.clear();
    given_ = 0;
    while (ahead_.size() < kAhead) {
      auto arrival = from_->next();
      if (!arrival) return;
      ahead_.push_back(std::move(*arrival));
    }
  }

  std::unique_ptr<ArrivalSource> from_;
  std::vector<Arrival> ahead_;
  std::size_t given_ = 0;
};

/// Makes the source that fits the workload.
struct Open {
  const Scenario& scenario;

  std::unique_ptr<ArrivalSource> operator()(const std::vector<Arrival>& jobs) const {
    return std::make_unique<ListSource>(jobs);
  }
  std::unique_ptr<ArrivalSource> operator()(const JobTable& table) const {
    return std::make_unique<TableSource>(table);
  }
  std::unique_ptr<ArrivalSource> operator()(const PoissonWorkload& workload) const {
    DUET_CHECK(!scenario.node_types.empty() && !scenario.node_types.front().speed.empty());
    const double speed = quota_speed(quota_of(workload.task), scenario.node_types.front().speed.front());
    return std::make_unique<PoissonSource>(workload, speed, workload_stream(scenario));
  }
  std::unique_ptr<ArrivalSource> operator()(const LublinWorkload& workload) const {
    return std::make_unique<LublinSource>(workload, workload_stream(scenario));
  }
};

}  // namespace

JobSpecPtr make_spec(const TableJob& job) {
  auto spec = rigid(std::string(job.id), job.tasks);
  if (job.user > 0) spec->user = std::to_string(job.user);
  TaskSpec& task = spec->groups.front().spec;
  task.need.cpu_m = kThread * job.cores;
  task.work.duration = Duration(job.duration_ns);
  task.work.operations = job.operations;
  task.estimate = Duration(job.estimate_ns);
  task.timeout = Duration(job.timeout_ns);
  return spec;
}

std::unique_ptr<ArrivalSource> open_workload(const Scenario& scenario) {
  return std::make_unique<AheadSource>(std::visit(Open{scenario}, scenario.workload));
}

}  // namespace duet::sim
