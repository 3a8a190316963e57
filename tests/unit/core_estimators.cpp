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

TaskSpec operation(std::string name, std::int64_t iterations, Duration declared = 0s) {
  TaskSpec spec;
  spec.operation = std::move(name);
  spec.iterations = iterations;
  spec.estimate = declared;
  return spec;
}

TEST(CoreIterations, IterationsAtARateElseWhatWasDeclared) {
  const auto e = estimator_named("iterations");
  EXPECT_EQ(e->predict(operation("x", 1'000'000)), 10ms);
  EXPECT_EQ(e->predict(operation("x", 100'000'000, 7s)), 1s);
  EXPECT_EQ(e->predict(operation("x", 10'000'000'000)), 100s);
  EXPECT_EQ(e->predict(operation("x", 0, 7s)), 7s);
  EXPECT_FALSE(e->predict(operation("x", 0)));
  const auto slow = estimator_named("iterations", {{{"rate", std::int64_t{3}}}});
  EXPECT_EQ(slow->predict(operation("x", 1)), 333'333'333ns);
  EXPECT_EQ(slow->predict(operation("x", std::numeric_limits<std::int64_t>::max())), Duration::max());
  EXPECT_EQ(estimator_named("iterations", {{{"rate", kMaxRate}}})->predict(operation("x", 1)), 1ns);
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
  const TaskSpec task = operation("hash", 1024);
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
  const TaskSpec task = operation("hash", 1024);
  const Duration by_rate(10240ns);
  std::vector<Duration> predicted;
  for (const Duration ran : {50us, 10us, 40us, 20us, 30us}) {
    predicted.push_back(*e->predict(task));
    e->observe(task, ran);
  }
  predicted.push_back(*e->predict(task));
  EXPECT_EQ(predicted, (std::vector<Duration>{by_rate, by_rate, by_rate, 40us, 20us, 30us}));
  EXPECT_EQ(e->predict(operation("hash", 1536)), 45us) << "one and a half times the size, the same class";
  EXPECT_EQ(e->predict(operation("hash", 2047)), 59970ns) << "30 us * 2047 / 1024";
  EXPECT_EQ(e->predict(operation("hash", 2048)), 20480ns) << "the next class knows nothing";
  EXPECT_EQ(e->predict(operation("sort", 1024)), by_rate) << "nor does another operation";
}

TEST(CoreLearned, LearnsPerUnitOfSize) {
  const auto e = estimator_named("learned");
  for (int i = 0; i < 3; ++i) e->observe(operation("hash", 1536), 45us);
  EXPECT_EQ(e->predict(operation("hash", 1024)), 30us);
  EXPECT_EQ(e->predict(operation("hash", 1792)), 52500ns);
}

TEST(CoreLearned, KeepsTenThousandKindsOfTasksAtMost) {
  const auto e = estimator_named("learned");
  for (int i = 0; i < 10'000; ++i) e->observe(operation("operation " + std::to_string(i), 0), 1s);
  for (int i = 0; i < 3; ++i) e->observe(operation("one too many", 0), 1s);
  EXPECT_FALSE(e->predict(operation("one too many", 0)));
  for (int i = 0; i < 2; ++i) e->observe(operation("operation 7", 0), 1s);
  EXPECT_EQ(e->predict(operation("operation 7", 0)), 1s) << "what is known goes on being learned";
  EXPECT_EQ(e->accuracy().samples, 10'002U);
}

TEST(CoreLearned, ForgetsAllButTheLast31) {
  const auto e = estimator_named("learned");
  const TaskSpec task = operation("hash", 1);
  for (int i = 0; i < 31; ++i) e->observe(task, 1s);
  EXPECT_EQ(e->predict(task), 1s);
  for (int i = 0; i < 15; ++i) e->observe(task, 2s);
  EXPECT_EQ(e->predict(task), 1s) << "16 against 15";
  e->observe(task, 2s);
  EXPECT_EQ(e->predict(task), 2s);
}

TEST(CoreLearned, AnOperationWithoutIterationsHasItsPlainMedian) {
  const auto e = estimator_named("learned");
  EXPECT_FALSE(e->predict(operation("backup", 0)));
  EXPECT_EQ(e->predict(operation("backup", 0, 9s)), 9s);
  for (const Duration ran : {5s, 7s, 6s}) e->observe(operation("backup", 0), ran);
  EXPECT_EQ(e->predict(operation("backup", 0, 9s)), 6s);
  // Tasks that say nothing about themselves have nothing in common.
  for (int i = 0; i < 9; ++i) e->observe(operation("", 0), 5s);
  EXPECT_FALSE(e->predict(operation("", 0)));
  EXPECT_EQ(e->accuracy().samples, 3U);
}

TEST(CoreLearned, NeverOverflows) {
  const auto e = estimator_named("learned");
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 3; ++i) e->observe(operation("huge", most), Duration::max());
  EXPECT_EQ(e->predict(operation("huge", most)), Duration::max());
  for (int i = 0; i < 3; ++i) e->observe(operation("tiny", most), 1ns);
  EXPECT_EQ(e->predict(operation("tiny", most)), 1ns);
  e->observe(operation("tiny", most), 0s);
  EXPECT_EQ(e->accuracy().samples, 6U) << "what took no time is no sample";
  EXPECT_EQ(*estimator_named("learned")->predict(operation("x", -1, 5s)), 5s);
}

TEST(CoreLearned, ItsErrorIsThatOfWhatItSaidBeforehand) {
  const auto e = estimator_named("learned");
  EXPECT_EQ(e->accuracy().samples, 0U);
  EXPECT_FALSE(e->accuracy().error_ppm);
  const TaskSpec task = operation("hash", 0);
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
