// Result files: exact times, Batsim's words, and numbers computed by hand.
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/metrics.h"
#include "sim/outputs.h"
#include "sim/record.h"
#include "sim/run.h"
#include "sim/scenario_parse.h"

namespace duet::sim {
namespace {
namespace cli_outputs {

using testing::HasSubstr;

Instant at_ms(std::int64_t ms) { return instant_ns(ms * 1'000'000); }

/// Two nodes of two threads, and the given rows.
struct Made {
  Scenario scenario;
  Results results;

  Made() {
    scenario.name = "made";
    NodeType type;
    type.offer.cores = 2;
    scenario.node_types.push_back(type);
    for (const char* name : {"n0", "n1"}) scenario.nodes.push_back({name, 0});
  }
  /// A job of one-thread tasks on these nodes, each from `start` to `end`.
  JobRow& job(const std::string& key, Instant submitted, Instant start, Instant end,
              std::vector<std::uint32_t> nodes) {
    JobRow row;
    row.id = JobId{results.jobs.size() + 1};
    row.key = key;
    row.submitted = submitted;
    row.started = start;
    row.ended = end;
    row.state = JobState::kSucceeded;
    row.first_task = static_cast<std::uint32_t>(results.tasks.size());
    row.tasks = static_cast<std::uint32_t>(nodes.size());
    row.cpu_m = 1000 * static_cast<std::int64_t>(nodes.size());
    for (const std::uint32_t node : nodes) {
      TaskRow task;
      task.started = start;
      task.ended = end;
      task.node = node;
      task.attempts = start == kNever ? 0 : 1;
      task.state = TaskState::kSucceeded;
      results.tasks.push_back(task);
    }
    return results.jobs.emplace_back(row);
  }
  RunReport report() const {
    RunReport made;
    made.scenario = &scenario;
    made.results = &results;
    made.engine = "loop";
    made.metrics = measure(scenario, results);
    return made;
  }
};

std::vector<std::string> lines(void (*write)(const RunReport&, codec::TextSink&), const RunReport& report) {
  std::string text;
  codec::StringSink sink(text);
  write(report, sink);
  std::vector<std::string> all(1);
  for (const char c : text) {
    if (c == '\n')
      all.emplace_back();
    else
      all.back() += c;
  }
  all.pop_back();
  return all;
}

TEST(Outputs, AJobAsBatsimWritesIt) {
  Made made;
  made.job("10", instant_ns(4'709'164'000), instant_ns(5'000'000'000), instant_ns(6'500'000'000), {0})
      .estimate_ns = 399'000'000'000;
  const auto rows = lines(write_jobs, made.report());
  EXPECT_EQ(
      rows[0],
      "job_id,workload_name,submission_time,requested_number_of_resources,requested_time,success,final_state,"
      "starting_time,execution_time,finish_time,waiting_time,turnaround_time,stretch,allocated_resources,"
      "user,reason");
  EXPECT_EQ(
      rows[1],
      "10,made,4.709164,1,399.000000,1,COMPLETED_SUCCESSFULLY,5.000000,1.500000,6.500000,0.290836,1.790836,"
      "1.193891,0,,");
}

TEST(Outputs, TimesAreExactAndWhatNeverHappenedIsEmpty) {
  Made made;
  made.job("a", instant_ns(1), instant_ns(9'000'000'000'000'000'001), instant_ns(9'000'000'000'000'000'003),
           {0});
  JobRow& waiting = made.job("b", at_ms(2000), kNever, kNever, {0});
  waiting.state = JobState::kPending;
  const auto rows = lines(write_jobs, made.report());
  EXPECT_THAT(rows[1], HasSubstr("a,made,0.000000001,1,-1,1,"));
  EXPECT_THAT(rows[1],
              HasSubstr(",9000000000.000000001,0.000000002,9000000000.000000003,9000000000.000000,"));
  EXPECT_EQ(rows[2], "b,made,2.000000,1,-1,0,SUBMITTED,,,,,,,,,");
}

TEST(Outputs, NodesAreIntervals) {
  Made made;
  made.scenario.nodes.resize(10, {"n", 0});
  made.job("a", {}, {}, at_ms(1), {6, 0, 5, 4, 4, 9});
  EXPECT_TRUE(lines(write_jobs, made.report())[1].ends_with(",0 4-6 9,,"));
}

TEST(Outputs, HowJobsEnd) {
  Made made;
  const auto add = [&](JobState state) -> JobRow& {
    JobRow& row = made.job("j", {}, {}, at_ms(1), {0});
    row.state = state;
    return row;
  };
  add(JobState::kFailed);
  add(JobState::kFailed);
  made.results.tasks.back().state = TaskState::kFailed;
  made.results.tasks.back().outcome = Outcome::kTimedOut;
  add(JobState::kCancelled);
  add(JobState::kRunning);
  JobRow& refused = add(JobState::kFailed);
  refused.id = JobId{};
  refused.state = JobState::kFailed;
  made.results.refusals[4] = "there is no pool 'p', or not yet";
  const auto rows = lines(write_jobs, made.report());
  EXPECT_THAT(rows[1], HasSubstr(",0,COMPLETED_FAILED,"));
  EXPECT_THAT(rows[2], HasSubstr(",0,COMPLETED_WALLTIME_REACHED,"));
  EXPECT_THAT(rows[3], HasSubstr(",0,COMPLETED_KILLED,"));
  EXPECT_THAT(rows[4], HasSubstr(",0,RUNNING,"));
  EXPECT_THAT(rows[5], HasSubstr(",0,REJECTED,"));
  EXPECT_TRUE(rows[5].ends_with(",\"there is no pool 'p', or not yet\"")) << rows[5];
  EXPECT_TRUE(rows[4].ends_with(",")) << rows[4];
  EXPECT_EQ(lines(write_tasks, made.report()).size(), 1U + 4U) << "a refused job has no tasks";
}

TEST(Outputs, TasksNameNodeAndThreads) {
  Made made;
  ThreadSet both;
  both.insert(1);
  both.insert(5);
  made.results.thread_sets.push_back(both);
  made.job("with,comma", {}, at_ms(1500), at_ms(2500), {1, 0});
  made.results.tasks[0].threads = 1;
  made.results.tasks[0].width = 2;
  made.results.tasks[1].width = 1;
  const auto rows = lines(write_tasks, made.report());
  EXPECT_EQ(rows[0], "task_id,job_id,node,slot,attempts,state,outcome,start,end,threads,kind");
  EXPECT_EQ(rows[1], "1.0,\"with,comma\",n1,\"1,5\",1,succeeded,succeeded,1.500000,2.500000,2,gang");
  EXPECT_EQ(rows[2], "1.1,\"with,comma\",n0,,1,succeeded,succeeded,1.500000,2.500000,1,gang");
}

TEST(Outputs, NodesTheirStatesAndEarlierAttempts) {
  Made made;
  made.scenario.node_types[0].name = "t";
  made.scenario.node_types[0].zones = {"A", "B"};
  made.scenario.node_types[0].reserved_cores = 1;
  made.results.earlier.push_back(
      {{TaskId{JobId{3}, 1}, 2}, 1, 0, 4, Outcome::kLost, at_ms(1000), at_ms(1500)});
  made.results.earlier.push_back({{TaskId{JobId{4}, 0}, 0}, 0, 0, 0, Outcome::kKilled, kNever, at_ms(2000)});
  made.results.node_changes.push_back({at_ms(1500), 1, NodeState::kDown, false});
  made.results.node_changes.push_back({at_ms(2500), 1, NodeState::kReady, true});
  EXPECT_THAT(lines(write_nodes, made.report()),
              testing::ElementsAre("node,type,cores,threads_per_core,reserved_cores,zones", "n0,t,2,1,1,A B",
                                   "n1,t,2,1,1,A B"));
  EXPECT_THAT(lines(write_attempts, made.report()),
              testing::ElementsAre("task_id,attempt,node,slot,outcome,start,end,threads",
                                   "3.1,2,n1,,lost,1.000000,1.500000,4", "4.0,0,,,,,2.000000,"));
  EXPECT_THAT(lines(write_node_states, made.report()),
              testing::ElementsAre("time,node,state,draining", "1.500000,n1,down,0", "2.500000,n1,ready,1"));
}

TEST(Outputs, ExecutionsHaveTheTimesOfTheEngineNotOfInstants) {
  const ParsedScenario parsed = parse_scenario(
      R"({"cluster": {"node_types": {"n": {"cores": 1, "speed_hz": 3e9}}, "nodes": [{"type": "n"}]},
          "workload": {"jobs": [{"operations": 1e9}, {"operations": 1e9}]}})",
      "test");
  ASSERT_TRUE(parsed) << parsed.rendered;
  WorldOptions options;
  options.keep_executions = true;
  const auto results = run(*parsed.scenario, make_loop_engine, options);
  ASSERT_TRUE(results);
  const double third = 1e9 / 3e9;
  ASSERT_EQ(results->executions.size(), 2U);
  EXPECT_EQ(results->executions[0].end_s, third);
  EXPECT_EQ(results->executions[1].start_s, third);
  EXPECT_EQ(results->executions[1].end_s, third + third);
}

TEST(Outputs, ExecutionsAreRecordsOf32Bytes) {
  Results results;
  results.executions.push_back({1.5, 2e9, 3.5, 7, 11});
  std::string text;
  codec::StringSink sink(text);
  write_executions(results, sink);
  struct {
    double start, operations, end;
    std::uint32_t task, thread;
  } record{};
  ASSERT_EQ(text.size(), sizeof record);
  std::memcpy(&record, text.data(), sizeof record);
  EXPECT_EQ(record.start, 1.5);
  EXPECT_EQ(record.operations, 2e9);
  EXPECT_EQ(record.end, 3.5);
  EXPECT_EQ(record.task, 7U);
  EXPECT_EQ(record.thread, 11U);
}

TEST(MeasuredMetrics, WaitsAndSlowdownsByHand) {
  Made made;
  // Waits 0, 10, 20, 30 s; each runs 20 s.
  for (const int wait_s : {0, 10, 20, 30})
    made.job("j", {}, at_ms(1000 * wait_s), at_ms(1000 * (wait_s + 20)), {0});
  made.results.busy_cpu_s = 80;
  const Metrics metrics = measure(made.scenario, made.results);
  EXPECT_EQ(metrics.at("jobs"), 4);
  EXPECT_EQ(metrics.at("mean_wait_s"), 15);
  EXPECT_EQ(metrics.at("p50_wait_s"), 10);
  EXPECT_EQ(metrics.at("p95_wait_s"), 30);
  EXPECT_EQ(metrics.at("max_wait_s"), 30);
  EXPECT_EQ(metrics.at("mean_turnaround_s"), 35);
  EXPECT_EQ(metrics.at("mean_bounded_slowdown"), (1 + 1.5 + 2 + 2.5) / 4);
  EXPECT_EQ(metrics.at("max_bounded_slowdown"), 2.5);
  EXPECT_EQ(metrics.at("makespan_s"), 50);
  EXPECT_EQ(metrics.at("utilization"), 80.0 / (4 * 50));
}

TEST(MeasuredMetrics, ShortJobsAreBoundedAndMillionsOfYearsDoNotOverflow) {
  Made made;
  made.job("short", {}, at_ms(5000), at_ms(6000), {0});
  EXPECT_EQ(measure(made.scenario, made.results).at("mean_bounded_slowdown"), 1)
      << "6 s of turnaround are below 10 s";
  const Instant late = instant_ns(9'000'000'000'000'000'000);
  for (int i = 0; i < 4; ++i) made.job("late", {}, late, late, {0});
  EXPECT_EQ(measure(made.scenario, made.results).at("mean_wait_s"), (4 * 9e9 + 5) / 5);
}

TEST(MeasuredMetrics, OverNoJobsThereIsNoMean) {
  Made made;
  made.job("w", {}, kNever, kNever, {0}).state = JobState::kPending;
  const Metrics metrics = measure(made.scenario, made.results);
  EXPECT_EQ(metrics.count("mean_wait_s") + metrics.count("makespan_s") + metrics.count("utilization"), 0U);
  EXPECT_EQ(metrics.at("jobs_unfinished"), 1);
}

TEST(MeasuredMetrics, EveryOneIsKnown) {
  Made made;
  made.job("j", {}, at_ms(1), at_ms(2), {0});
  made.results.energy_j = {1.5, 2};
  made.results.estimate_error_ppm = 125'000;
  made.results.over_provisioned = made.results.under_provisioned = 1;
  made.results.mean_detection_s = made.results.max_detection_s = 1;
  made.results.waited_s = 1;
  made.results.users = {"", "a", "b"};
  made.results.jobs.back().user = 1;
  made.job("k", {}, at_ms(1), at_ms(2), {0}).user = 2;
  const Metrics metrics = measure(made.scenario, made.results);
  EXPECT_EQ(metrics.at("energy_j"), 3.5);
  EXPECT_EQ(metrics.at("estimate_error"), 0.125);
  std::vector<std::string> names;
  for (const auto& [name, value] : metrics) names.push_back(name);
  std::vector<std::string> known;
  for (const Metric& metric : known_metrics()) known.emplace_back(metric.name);
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(known));
}

TEST(Record, FirstDifferenceShowsWhatCameBefore) {
  EXPECT_EQ(first_difference("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(first_difference("a\nb\nc\n", "a\nb\nd\n"),
            "first difference at step 3:\n    a\n    b\n  - c\n  + d\n");
  EXPECT_EQ(first_difference("a\n", "a\nb\n"), "first difference at step 2:\n    a\n  - (end)\n  + b\n");
}

TEST(Record, JunitEscapesWhatXmlCannotHold) {
  const std::string xml = junit("a\"b", {{"x.json", RecordRow::Kind::kChanged, "", "<&>\x1b[31m\n"}});
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"a&quot;b\" tests=\"1\" failures=\"1\">"));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"changed\">&lt;&amp;&gt; [31m\n</failure>"));
}

}  // namespace cli_outputs
}  // namespace
}  // namespace duet::sim
