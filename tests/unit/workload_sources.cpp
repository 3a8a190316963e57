// Listed, imported and Poisson jobs, one after the other.
#include <cmath>

#include <gtest/gtest.h>

#include "sim/draws.h"
#include "sim/workload.h"

namespace duet::sim {
namespace workload_sources_test {

std::vector<Arrival> all(const Scenario& scenario) {
  std::vector<Arrival> jobs;
  const auto source = open_workload(scenario);
  while (auto job = source->next()) jobs.push_back(*std::move(job));
  EXPECT_FALSE(source->next()) << "the end stays the end";
  return jobs;
}

Scenario with(Workload workload, std::uint64_t seed = 1) {
  Scenario scenario;
  scenario.seed = seed;
  scenario.node_types.emplace_back();
  scenario.workload = std::move(workload);
  return scenario;
}

JobSpecPtr named(std::string key) {
  auto spec = std::make_shared<JobSpec>();
  spec->key = std::move(key);
  return spec;
}

TEST(Workload, ListedJobsComeInOrderOfTime) {
  const Scenario scenario = with(std::vector<Arrival>{{instant_ns(5), named("c")},
                                                      {instant_ns(1), named("a")},
                                                      {instant_ns(5), named("d")},
                                                      {instant_ns(2), named("b")}});
  std::string order;
  for (const Arrival& job : all(scenario)) order += job.spec->key;
  EXPECT_EQ(order, "abcd");
  EXPECT_TRUE(all(with(std::vector<Arrival>{})).empty());
}

TEST(Workload, ListedJobsInOrderAreNotCopied) {
  const Scenario scenario =
      with(std::vector<Arrival>{{instant_ns(1), named("a")}, {instant_ns(1), named("b")}});
  const auto jobs = all(scenario);
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].spec, std::get<std::vector<Arrival>>(scenario.workload)[0].spec);
}

TEST(Workload, TableRowsBecomeRigidJobs) {
  TableJob row;
  row.submit_ns = 7;
  row.operations = 11;
  row.estimate_ns = 13;
  row.timeout_ns = 17;
  row.tasks = 3;
  row.cores = 2;
  row.id = "x";
  const auto jobs = all(with(JobTable{{row}}));
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(to_ns(jobs[0].at), 7);
  const JobSpec& spec = *jobs[0].spec;
  EXPECT_EQ(spec.key, "x");
  EXPECT_EQ(spec.kind, JobKind::kRigid);
  EXPECT_EQ(spec.retries, 0U);
  ASSERT_EQ(spec.groups.size(), 1U);
  EXPECT_EQ(spec.groups[0].count, 3U);
  const TaskSpec& task = spec.groups[0].spec;
  EXPECT_EQ(task.need.cpu_m, 2000);
  EXPECT_EQ(task.work.operations, 11);
  EXPECT_EQ(to_ns(task.work.duration), 0);
  EXPECT_EQ(to_ns(task.estimate), 13);
  EXPECT_EQ(to_ns(task.timeout), 17);
}

PoissonWorkload poisson(std::uint64_t jobs) {
  PoissonWorkload workload;
  workload.jobs = jobs;
  workload.mean_gap_s = 2.0;
  workload.mean_duration_s = 30.0;
  workload.task.need.cpu_m = 1000;
  return workload;
}

struct Moments {
  double mean = 0.0;
  double deviation = 0.0;
};
template <class F>
Moments moments(const std::vector<Arrival>& jobs, F&& value) {
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const double x = value(i);
    sum += x;
    squares += x * x;
  }
  const auto n = static_cast<double>(jobs.size());
  return {sum / n, std::sqrt(squares / n - (sum / n) * (sum / n))};
}
double run_s(const Arrival& job) {
  return 1e-9 * static_cast<double>(to_ns(job.spec->groups[0].spec.work.duration));
}

TEST(Workload, PoissonHasTheMomentsOfExponentials) {
  const auto jobs = all(with(poisson(100'000)));
  ASSERT_EQ(jobs.size(), 100'000U);
  const Moments gap = moments(jobs, [&](std::size_t i) {
    return 1e-9 * static_cast<double>(to_ns(jobs[i].at) - (i > 0 ? to_ns(jobs[i - 1].at) : 0));
  });
  const Moments run = moments(jobs, [&](std::size_t i) { return run_s(jobs[i]); });
  EXPECT_NEAR(gap.mean, 2.0, 0.03);  // five standard errors
  EXPECT_NEAR(gap.deviation, 2.0, 0.05);
  EXPECT_NEAR(run.mean, 30.0, 0.5);
  EXPECT_NEAR(run.deviation, 30.0, 0.75);
  EXPECT_EQ(jobs.front().spec->key, "1");
  EXPECT_EQ(jobs.back().spec->key, "100000");
}

TEST(Workload, PoissonKeepsWhatTheUserGave) {
  PoissonWorkload workload = poisson(10);
  workload.fixed_size = true;
  workload.tasks = 4;
  workload.retries = 2;
  workload.estimate_factor = 1.5;
  workload.task.exclusive = true;
  workload.task.timeout = std::chrono::seconds(50);
  for (const Arrival& job : all(with(workload))) {
    EXPECT_EQ(job.spec->retries, 2U);
    EXPECT_EQ(job.spec->groups[0].count, 4U);
    const TaskSpec& task = job.spec->groups[0].spec;
    EXPECT_TRUE(task.exclusive);
    EXPECT_EQ(task.work.duration, std::chrono::seconds(30));
    EXPECT_EQ(task.estimate, std::chrono::seconds(45));
    EXPECT_EQ(task.timeout, std::chrono::seconds(50));
  }
  workload.estimate_factor = 0.0;
  EXPECT_EQ(to_ns(all(with(workload))[0].spec->groups[0].spec.estimate), 0);
}

TEST(Workload, PoissonOperationsAreEstimatedByTheFirstNodeType) {
  PoissonWorkload workload = poisson(5);
  workload.mean_operations = 4e9;
  workload.fixed_size = true;
  Scenario scenario = with(workload);
  scenario.node_types[0].speed = {2e9, 1e9};
  for (const Arrival& job : all(scenario)) {
    const TaskSpec& task = job.spec->groups[0].spec;
    EXPECT_EQ(task.work.operations, 4'000'000'000);
    EXPECT_EQ(to_ns(task.work.duration), 0);
    EXPECT_EQ(task.estimate, std::chrono::seconds(2));
  }
}

TEST(Workload, PurposesDrawFromStreamsOfTheirOwn) {
  PoissonWorkload fixed = poisson(100);
  fixed.fixed_size = true;
  const auto a = all(with(poisson(100)));
  const auto b = all(with(fixed));
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].at, b[i].at);
  EXPECT_NE(all(with(poisson(1), 2))[0].at, a[0].at);
  EXPECT_EQ(all(with(poisson(100)))[99].at, a[99].at);
}

TEST(Workload, ExtremeMeansStayValidTimes) {
  PoissonWorkload workload = poisson(50);
  workload.mean_gap_s = 1e300;
  workload.mean_duration_s = 1e300;
  Instant last;
  for (const Arrival& job : all(with(workload))) {
    EXPECT_GE(job.at, last);
    EXPECT_LE(to_ns(job.at), kLongestDraw_ns);
    EXPECT_GT(to_ns(job.spec->groups[0].spec.work.duration), 0);
    last = job.at;
  }
  workload.mean_gap_s = 0.0;
  workload.mean_duration_s = 1e-300;
  for (const Arrival& job : all(with(workload))) {
    EXPECT_EQ(to_ns(job.at), 0);
    EXPECT_EQ(to_ns(job.spec->groups[0].spec.work.duration), 1);
  }
}

TEST(Workload, DrawnTimesAreRoundedAndBounded) {
  EXPECT_EQ(to_ns(drawn_time(1.5e-9)), 2);
  EXPECT_EQ(to_ns(drawn_time(0.4e-9)), 0);
  EXPECT_EQ(to_ns(drawn_time(-1.0)), 0);
  EXPECT_EQ(to_ns(drawn_time(std::nan(""))), 0);
  EXPECT_EQ(to_ns(drawn_time(1e300)), kLongestDraw_ns);
}

/// The same number from g++ and clang++, -O0 and -O2.
TEST(Workload, PoissonIsTheSameEverywhere) {
  std::uint64_t hash = 0;
  for (const Arrival& job : all(with(poisson(10'000), 42))) {
    hash = mix64(hash ^ static_cast<std::uint64_t>(to_ns(job.at)));
    hash = mix64(hash ^ static_cast<std::uint64_t>(to_ns(job.spec->groups[0].spec.work.duration)));
  }
  EXPECT_EQ(hash, 4282906139327700210U);
}

}  // namespace workload_sources_test
}  // namespace duet::sim
