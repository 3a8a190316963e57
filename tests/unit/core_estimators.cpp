// The estimators, by hand: rates, medians, and how wrong they were.
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/policy.h"
#include "core/policy/estimator/iterations.h"
#include "core/pool.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<CpuEstimator> estimator_named(const std::string& name, Params params = {}) {
  auto made = make_policy(estimator_policies(), {name, std::move(params)});
  EXPECT_TRUE(made) << name;
  return std::move(*made);
}

TaskSpec counted(std::string name, std::int64_t iterations, Duration declared = 0s) {
  TaskSpec spec;
  spec.operation = std::move(name);
  spec.iterations = iterations;
  spec.estimate = declared;
  return spec;
}

TEST(CoreIterations, IterationsAtARateElseWhatWasDeclared) {
  const auto e = estimator_named("iterations");
  EXPECT_EQ(e->predict(counted("x", 1'000'000)), 10ms);
  EXPECT_EQ(e->predict(counted("x", 100'000'000, 7s)), 1s);
  EXPECT_EQ(e->predict(counted("x", 10'000'000'000)), 100s);
  EXPECT_EQ(e->predict(counted("x", 0, 7s)), 7s);
  EXPECT_FALSE(e->predict(counted("x", 0)));
  const auto slow = estimator_named("iterations", {{{"rate", std::int64_t{3}}}});
  EXPECT_EQ(slow->predict(counted("x", 1)), 333'333'333ns);
  EXPECT_EQ(slow->predict(counted("x", std::numeric_limits<std::int64_t>::max())), Duration::max());
  EXPECT_EQ(estimator_named("iterations", {{{"rate", kMaxRate}}})->predict(counted("x", 1)), 1ns);
  EXPECT_FALSE(make_policy(estimator_policies(), {"iterations", {{{"rate", std::int64_t{0}}}}}));
}

TEST(CoreIterations, TheShareOfAWorkerIsThePublishedTable) {
  struct Row {
    Duration d;
    std::int64_t load;
  };
  // The lines of the table in docs/policies.md, and the ends of the range.
  for (const auto& [d, load] :
       {Row{0ns, 10}, Row{10ms, 10}, Row{11ms, 10}, Row{12ms, 11}, Row{100ms, 90}, Row{1s, 500},
        Row{2333ms, 699}, Row{4s, 800}, Row{10s, 909}, Row{100s, 990}, Row{Duration::max(), 999}})
    EXPECT_EQ(expected_load(d), load) << d.count();
  std::int64_t before = 0;
  for (Duration d = 1ns; d < 1'000'000s; d += d / 7 + 1ns) {
    EXPECT_GE(expected_load(d), before) << "monotone";
    before = expected_load(d);
  }
  EXPECT_EQ(expected_load({}), 1000) << "nobody knows";
}

TEST(CoreLearned, LearnsFromMeasuredProcessorTimeIfItIsToSo) {
  const auto wall = estimator_named("learned");
  const auto cpu = estimator_named("learned", {{{"from", std::string("cpu_time")}}});
  const TaskSpec task = counted("hash", 1024);
  for (const auto& e : {wall.get(), cpu.get()})
    for (int i = 0; i < 3; ++i) e->observe(task, 50us, 20us);
  EXPECT_EQ(wall->predict(task), 50us);
  EXPECT_EQ(cpu->predict(task), 20us);
  for (int i = 0; i < 5; ++i) cpu->observe(task, 30us);  // Nobody measured these.
  EXPECT_EQ(cpu->predict(task), 30us);
  EXPECT_FALSE(make_policy(estimator_policies(), {"learned", {{{"from", std::string("guesses")}}}}));
}

TEST(CoreLearned, BelievesThreeSamplesAndPredictsTheLowerMedian) {
  const auto e = estimator_named("learned");
  const TaskSpec task = counted("hash", 1024);
  const Duration by_rate(10240ns);
  std::vector<Duration> predicted;
  for (const Duration ran : {50us, 10us, 40us, 20us, 30us}) {
    predicted.push_back(*e->predict(task));
    e->observe(task, ran);
  }
  predicted.push_back(*e->predict(task));
  EXPECT_EQ(predicted, (std::vector<Duration>{by_rate, by_rate, by_rate, 40us, 20us, 30us}));
  EXPECT_EQ(e->predict(counted("hash", 1536)), 45us) << "one and a half times the size, the same class";
  EXPECT_EQ(e->predict(counted("hash", 2047)), 59970ns) << "30 us * 2047 / 1024";
  EXPECT_EQ(e->predict(counted("hash", 2048)), 20480ns) << "the next class knows nothing";
  EXPECT_EQ(e->predict(counted("sort", 1024)), by_rate) << "nor does another operation";
}

TEST(CoreLearned, LearnsPerUnitOfSize) {
  const auto e = estimator_named("learned");
  for (int i = 0; i < 3; ++i) e->observe(counted("hash", 1536), 45us);
  EXPECT_EQ(e->predict(counted("hash", 1024)), 30us);
  EXPECT_EQ(e->predict(counted("hash", 1792)), 52500ns);
}

TEST(CoreLearned, KeepsTenThousandKindsOfTasksAtMost) {
  const auto e = estimator_named("learned");
  for (int i = 0; i < 10'000; ++i) e->observe(counted("operation " + std::to_string(i), 0), 1s);
  for (int i = 0; i < 3; ++i) e->observe(counted("one too many", 0), 1s);
  EXPECT_FALSE(e->predict(counted("one too many", 0)));
  for (int i = 0; i < 2; ++i) e->observe(counted("operation 7", 0), 1s);
  EXPECT_EQ(e->predict(counted("operation 7", 0)), 1s) << "what is known goes on being learned";
  EXPECT_EQ(e->accuracy().samples, 10'002U);
}

TEST(CoreLearned, ForgetsAllButTheLast31) {
  const auto e = estimator_named("learned");
  const TaskSpec task = counted("hash", 1);
  for (int i = 0; i < 31; ++i) e->observe(task, 1s);
  EXPECT_EQ(e->predict(task), 1s);
  for (int i = 0; i < 15; ++i) e->observe(task, 2s);
  EXPECT_EQ(e->predict(task), 1s) << "16 against 15";
  e->observe(task, 2s);
  EXPECT_EQ(e->predict(task), 2s);
}

TEST(CoreLearned, AnOperationWithoutIterationsHasItsPlainMedian) {
  const auto e = estimator_named("learned");
  EXPECT_FALSE(e->predict(counted("backup", 0)));
  EXPECT_EQ(e->predict(counted("backup", 0, 9s)), 9s);
  for (const Duration ran : {5s, 7s, 6s}) e->observe(counted("backup", 0), ran);
  EXPECT_EQ(e->predict(counted("backup", 0, 9s)), 6s);
  // Tasks that say nothing about themselves have nothing in common.
  for (int i = 0; i < 9; ++i) e->observe(counted("", 0), 5s);
  EXPECT_FALSE(e->predict(counted("", 0)));
  EXPECT_EQ(e->accuracy().samples, 3U);
}

TEST(CoreLearned, NeverOverflows) {
  const auto e = estimator_named("learned");
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 3; ++i) e->observe(counted("huge", most), Duration::max());
  EXPECT_EQ(e->predict(counted("huge", most)), Duration::max());
  for (int i = 0; i < 3; ++i) e->observe(counted("tiny", most), 1ns);
  EXPECT_EQ(e->predict(counted("tiny", most)), 1ns);
  e->observe(counted("tiny", most), 0s);
  EXPECT_EQ(e->accuracy().samples, 6U) << "what took no time is no sample";
  EXPECT_EQ(*estimator_named("learned")->predict(counted("x", -1, 5s)), 5s);
}

TEST(CoreLearned, ItsErrorIsThatOfWhatItSaidBeforehand) {
  const auto e = estimator_named("learned");
  EXPECT_EQ(e->accuracy().samples, 0U);
  EXPECT_FALSE(e->accuracy().error_ppm);
  const TaskSpec task = counted("hash", 0);
  std::vector<std::int64_t> errors;
  // Nothing is said before the first three; then 10, 10 and 10 s are, and the errors are 0, 1/4 and 3/2.
  for (const Duration ran : {10s, 10s, 10s, 10s, 8s, 4s}) {
    e->observe(task, ran);
    errors.push_back(e->accuracy().error_ppm.value_or(-1));
  }
  EXPECT_EQ(errors, (std::vector<std::int64_t>{-1, -1, -1, 0, 0, 250'000}));
  EXPECT_EQ(e->accuracy().samples, 6U);
  EXPECT_EQ(estimator_named("declared")->accuracy().samples, 0U);
}

}  // namespace
}  // namespace duet::test
