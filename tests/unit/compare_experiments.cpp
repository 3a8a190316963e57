// Experiments: seeds, axes, their product, and what is wrong with a file.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sim/compare/bench_results.h"
#include "sim/compare/experiment.h"
#include "sim/compare/runs.h"

namespace duet::sim {
namespace {
namespace experiments_test {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_of_variants(const std::vector<std::string>& axes,
                                           std::vector<std::string>* notices = nullptr) {
  std::vector<std::string> said;
  std::vector<Axis> made;
  for (const std::string& axis : axes) {
    const auto parsed = parse_axis(axis, said);
    EXPECT_TRUE(parsed) << axis;
    if (parsed) made.push_back(*parsed);
  }
  if (notices != nullptr) *notices = said;
  std::vector<std::string> names;
  const auto variants = variants_of(made);
  if (!variants) return {variants.problems().front().what};
  for (const Variant& variant : *variants) names.push_back(variant.name);
  return names;
}

TEST(CompareExperiments, SeedsAreRangesAndLists) {
  EXPECT_THAT(*parse_seeds("1..4"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(*parse_seeds("7,2,2..3"), ElementsAre(2, 3, 7));
  EXPECT_THAT(*parse_seeds("18446744073709551615"), ElementsAre(18446744073709551615U));
  for (const char* wrong : {"", "a", "1..", "3..1", "1,,2", "-1", "1..99999999", "1.5"})
    EXPECT_FALSE(parse_seeds(wrong)) << wrong;
  EXPECT_EQ(parse_seeds("3..1").problems().front().what, "`3..1` ends before it begins");
}

TEST(CompareExperiments, VariantsAreTheProductAndNamedByWhatDiffers) {
  EXPECT_THAT(names_of_variants({}), ElementsAre("as written"));
  EXPECT_THAT(names_of_variants({"queue=fcfs,easy"}), ElementsAre("fcfs", "easy"));
  EXPECT_THAT(
      names_of_variants({"/policies/queue=fcfs,easy", "scheduler=spread", "/workload/generate/jobs=10,20"}),
      ElementsAre("fcfs jobs=10", "fcfs jobs=20", "easy jobs=10", "easy jobs=20"));
  EXPECT_THAT(names_of_variants({R"(autoscaler={"name":"threshold","up":80},{"name":"threshold","up":60})"}),
              ElementsAre("threshold up=80", "threshold up=60"));
  EXPECT_THAT(names_of_variants({"queue=easy"}), ElementsAre("easy"));
}

TEST(CompareExperiments, AnAxisIsASet) {
  std::vector<std::string> notices;
  EXPECT_THAT(names_of_variants({"queue=fcfs,easy,fcfs,\"easy\""}, &notices), ElementsAre("fcfs", "easy"));
  EXPECT_THAT(notices, ElementsAre("/policies/queue: `fcfs` is given twice, and compared once",
                                   "/policies/queue: `easy` is given twice, and compared once"));
  EXPECT_FALSE(parse_axis("queue", notices));
  EXPECT_FALSE(parse_axis("queue=", notices));
  EXPECT_FALSE(parse_axis("queue=a,,b", notices));
  EXPECT_EQ(parse_axis("queu=a", notices).problems().front().right, "did you mean `queue`?");
}

TEST(CompareExperiments, ValuesKeepTheirMeaning) {
  std::vector<std::string> notices;
  const auto axis = parse_axis(R"(/name="5",5,a b,"x")", notices);
  std::vector<std::string> values;
  for (const AxisValue& value : axis->values) values.push_back(value.value);
  EXPECT_THAT(values, ElementsAre("\"5\"", "5", "a b", "x"));
}

ParsedExperiment parsed_at_scenarios(const std::string& text) {
  return parse_experiment(text, DUET_SOURCE_DIR "/scenarios/experiments/test.json");
}

TEST(CompareExperiments, FilesAreRead) {
  const auto parsed = parsed_at_scenarios(R"({"title": "T", "scenarios": ["../demo.json"], "seeds": "1..3",
      "axes": [{"pointer": "queue", "values": ["easy", {"name": "easy again", "value": "easy"}]}],
      "engine": "loop", "objective": "p95_wait_s", "baseline": "easy again", "metrics": ["makespan_s"]})");
  ASSERT_TRUE(parsed) << parsed.rendered;
  const Experiment& e = *parsed.experiment;
  EXPECT_EQ(e.title, "T");
  EXPECT_THAT(e.scenarios, ElementsAre(DUET_SOURCE_DIR "/scenarios/demo.json"));
  EXPECT_THAT(e.seeds, ElementsAre(1, 2, 3));
  EXPECT_THAT(e.axes.front().values, ElementsAre(AxisValue{"easy", "easy"}, AxisValue{"easy again", "easy"}));
  EXPECT_EQ(e.objective, "p95_wait_s");
  const ParsedPlan plan = plan_runs(e, "/bin/true");
  ASSERT_TRUE(plan.plan) << plan.rendered;
  EXPECT_EQ(plan.plan->baseline, 1U);
  ASSERT_EQ(plan.plan->runs.size(), 6U);
  // The same policy under two names is the same run.
  EXPECT_EQ(plan.plan->runs[0].key, plan.plan->runs[3].key);
  EXPECT_NE(plan.plan->runs[0].key, plan.plan->runs[1].key);
}

TEST(CompareExperiments, AllMistakesAreShownWhereTheyAre) {
  const auto parsed = parsed_at_scenarios(R"({
  "scenario": ["../demo.json"],
  "scenarios": ["../nothing.json"],
  "axes": [{"pointer": "queu", "values": []}, {"value": [1]}, {"pointer": "/seed", "values": [1, 2]}],
  "objective": "mean_wait",
  "engine": "lop",
  "seeds": "1.."
})");
  EXPECT_FALSE(parsed);
  for (const char* what :
       {"test.json:2:3: /scenario: there is no field `scenario`", "did you mean `scenarios`?",
        "test.json:3:17: /scenarios/0: there is no file", "did you mean `queue`?", "this axis has no values",
        "there is no field `value`", "/axes/2/pointer: the seeds are no axis",
        "there is no metric `mean_wait`", "did you mean `mean_wait_s`?", "did you mean `loop`?",
        "test.json:7:12: /seeds: `1..` is no seed"})
    EXPECT_THAT(parsed.rendered, HasSubstr(what));
  EXPECT_THAT(parsed_at_scenarios(R"({"scenarios": ["../demo.json"], "baseline": "esay",
      "axes": [{"pointer": "queue", "values": ["easy", "fcfs"]}]})")
                  .rendered,
              HasSubstr("did you mean `easy`?"));
  EXPECT_THAT(parsed_at_scenarios("[]").rendered, HasSubstr("an experiment cannot be an array"));
  EXPECT_THAT(parsed_at_scenarios("{}").rendered, HasSubstr("there is nothing to run"));
}

TEST(CompareExperiments, CombinationsThatCannotRunAreAllRefusedBeforehand) {
  const auto parsed = parsed_at_scenarios(R"({"scenarios": ["../demo.json"], "engine": "loop",
      "axes": [{"pointer": "queue", "values": ["easy", "esay", "fcfs"]},
               {"pointer": "scheduler", "values": ["bin_pack", "bin_peck"]}]})");
  ASSERT_TRUE(parsed) << parsed.rendered;
  const ParsedPlan plan = plan_runs(*parsed.experiment, "/bin/true");
  EXPECT_FALSE(plan.plan);
  EXPECT_THAT(plan.rendered, HasSubstr("did you mean `easy`?"));
  EXPECT_THAT(plan.rendered, HasSubstr("did you mean `bin_pack`?"));
  EXPECT_THAT(plan.rendered, HasSubstr("variant `esay bin_pack`"));
}

TEST(CompareExperiments, ThoseOfTheTreeAreValidAndTheirSchemaIsGenerated) {
  const std::filesystem::path folder = DUET_SOURCE_DIR "/scenarios/experiments";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename() == "experiment.schema.json") continue;
    ++files;
    const auto parsed = load_experiment(entry.path().string());
    ASSERT_TRUE(parsed) << parsed.rendered;
    EXPECT_TRUE(is_experiment(entry.path().string()));
    const ParsedPlan plan = plan_runs(*parsed.experiment, "/bin/true");
    EXPECT_TRUE(plan.plan) << plan.rendered;
  }
  EXPECT_GE(files, 3U);
  EXPECT_FALSE(is_experiment(DUET_SOURCE_DIR "/scenarios/demo.json"));
  std::ifstream in(folder / "experiment.schema.json");
  const std::string schema{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(schema, experiment_schema())
      << "duet internal experiment-schema > scenarios/experiments/experiment.schema.json";
}

std::string bench_file(const std::string& name, const std::vector<double>& ns) {
  const std::string path = testing::TempDir() + "/duet-bench-" + std::to_string(::getpid()) + ".json";
  std::ofstream out(path);
  out << R"({"context": {}, "benchmarks": [)";
  for (std::size_t i = 0; i < ns.size(); ++i)
    out << (i > 0 ? "," : "") << R"({"name": ")" << name << R"(", "run_name": ")" << name
        << R"(", "run_type": "iteration", "repetition_index": )" << i << R"(, "real_time": 9, "cpu_time": )"
        << ns[i] << R"(, "time_unit": "us"})";
  out << R"(,{"name": ")" << name << R"(_mean", "run_name": ")" << name
      << R"(", "run_type": "aggregate", "aggregate_name": "mean", "cpu_time": 1, "time_unit": "us"}]})";
  return path;
}

std::vector<BenchSamples> bench(const std::string& name, const std::vector<double>& us) {
  const auto read = read_bench(bench_file(name, us));
  EXPECT_TRUE(read);
  return read ? *read : std::vector<BenchSamples>{};
}

TEST(CompareBench, RepetitionsAreReadAndCostsJoined) {
  const auto samples = bench("decision/e_pvm/1000", {2, 1, 3});
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_THAT(samples.front().ns, ElementsAre(2000, 1000, 3000));
  const auto costs = decision_costs(samples);
  ASSERT_EQ(costs.size(), 1U);
  EXPECT_EQ(costs.front().policy, "e_pvm");
  EXPECT_EQ(costs.front().nodes, 1000U);
  EXPECT_EQ(costs.front().ns, 2000);
  EXPECT_NEAR(costs.front().noise, 1.4826 / 2, 1e-12);
  EXPECT_TRUE(decision_costs(bench("step/1000", {1})).empty());
}

TEST(CompareBench, MovedIsWhatIsBeyondTheNoise) {
  const auto before = bench("b", {1.00, 1.01, 0.99, 1.00, 1.02});
  const auto word = [&](const std::vector<double>& now) {
    return compare_bench(bench("b", now), before).front().standing;
  };
  EXPECT_EQ(word({1.10, 1.11, 1.09, 1.10, 1.12}), Standing::kWorse);
  EXPECT_EQ(word({0.90, 0.91, 0.89, 0.90, 0.92}), Standing::kBetter);
  EXPECT_EQ(word({1.01, 1.02, 1.00, 1.01, 1.03}), Standing::kTie);
  EXPECT_EQ(word({1.02, 1.025, 1.022, 1.023, 1.024}), Standing::kTie);  // certain, but within the floor
  EXPECT_EQ(word({1.5, 0.9, 1.4, 0.95, 1.1}), Standing::kTie);
  EXPECT_EQ(word({1.5, 1.5}), Standing::kUnknown);
  const auto m = compare_bench(bench("b", {1.10, 1.11, 1.09, 1.10, 1.12}), before).front();
  EXPECT_NEAR(m.change, 0.1, 1e-9);
  EXPECT_EQ(m.cliffs_delta, 1);
  EXPECT_NEAR(m.floor, 2 * 1.4826 * 0.01, 1e-9);
  EXPECT_TRUE(compare_bench(bench("other", {1}), before).empty());
}

// A file of medians with the noise that was seen over several runs, against one new run.
TEST(CompareBench, ABaselineMayDeclareItsFloor) {
  const auto file = [](const std::string& text) {
    const std::string path = testing::TempDir() + "/duet-bench-" + std::to_string(::getpid()) + ".json";
    std::ofstream(path) << R"({"benchmarks": [{"name": "decision/spread/100)" << text << "}]}";
    return *read_bench(path);
  };
  const auto before = file(R"(", "real_time": 50, "cpu_time": 100, "time_unit": "ns", "noise_floor": 0.1)");
  const auto word = [&](const std::string& ns) {
    const auto now =
        file(R"(/iterations:1/manual_time", "real_time": )" + ns + R"(, "cpu_time": 7, "time_unit": "ns")");
    return compare_bench(now, before).front().standing;
  };
  EXPECT_EQ(word("109"), Standing::kTie);
  EXPECT_EQ(word("111"), Standing::kWorse);
  EXPECT_EQ(word("89"), Standing::kBetter);
}

TEST(CompareBench, WhatIsNoBenchmarkIsRefused) {
  const std::string path = testing::TempDir() + "/duet-bench-" + std::to_string(::getpid()) + ".json";
  for (const char* text :
       {"{", "{}", R"({"benchmarks": []})", R"({"benchmarks": [{"name": "a"}]})",
        R"({"benchmarks": [{"name": "a", "error_occurred": true, "error_message": "no"}]})"}) {
    std::ofstream(path) << text;
    EXPECT_FALSE(read_bench(path)) << text;
  }
  std::filesystem::remove(path);
}

}  // namespace experiments_test
}  // namespace
}  // namespace duet::sim
