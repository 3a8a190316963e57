// duet live: scenarios with real processes.
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

using LiveJson = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

/// Lines of a CSV file, cut at commas; the first holds the names.
std::vector<std::vector<std::string>> rows_in(const fs::path& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(read(path));
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string>& row = rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
  }
  return rows;
}

/// The value of `column` in the row that begins with `id`.
std::string in_row(const std::vector<std::vector<std::string>>& rows, const std::string& id,
                   const std::string& column) {
  for (const auto& row : rows)
    if (!row.empty() && row.front() == id)
      for (std::size_t i = 0; i < row.size(); ++i)
        if (rows.front()[i] == column) return row[i];
  return "?";
}

TEST(LiveRun, WritesWhatASimulationWrites) {
  const Folder folder;
  write(folder / "s.json", R"({"name": "ends", "cluster": {
      "node_types": {"one": {"cores": 1}}, "nodes": [{"type": "one", "count": 2, "name": "n"}],
      "heartbeat_s": 0.5, "kill_grace_s": 1},
    "workload": {"jobs": [
      {"id": "good", "duration_s": 0.2},
      {"id": "flaky", "duration_s": 0.1, "fail_attempts": 1, "exit_code": 7, "retries": 2},
      {"id": "bad", "duration_s": 0.1, "fail_attempts": 9, "exit_code": -9, "retries": 1},
      {"id": "slow", "duration_s": 60, "timeout_s": 0.3},
      {"id": "burns", "operations": 200000000},
      {"id": "off", "duration_s": 60}]},
    "events": [{"at_s": 2, "cancel": "off"}],
    "assertions": ["jobs_succeeded == 3", "jobs_failed == 2", "jobs_cancelled == 1",
      "tasks_retried == 2"]})");
  const fs::path out = folder / "out";
  const Ran ran = duet({"live", (folder / "s.json").string(), "--out", out.string()});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("live engine"), HasSubstr("all 4 hold")));
  EXPECT_THAT(ran.err, HasSubstr("each as before"));
  const auto jobs = rows_in(out / "jobs.csv");
  EXPECT_EQ(in_row(jobs, "good", "final_state"), "COMPLETED_SUCCESSFULLY");
  const double good_s = std::stod(in_row(jobs, "good", "execution_time"));
  EXPECT_GE(good_s, 0.19);
  const auto tasks = rows_in(out / "tasks.csv");
  const auto attempts = rows_in(out / "attempts.csv");
  EXPECT_EQ(attempts.size(), 3U) << read(out / "attempts.csv");  // The first ones of flaky and bad.
  EXPECT_EQ(tasks.size(), 7U);
  // The same files as from a simulation, with the same columns.
  const fs::path simulated = folder / "sim";
  EXPECT_EQ(duet({"sim", (folder / "s.json").string(), "--engine", "loop", "--out", simulated.string()}).code,
            0);
  for (const char* name : {"jobs.csv", "tasks.csv", "attempts.csv", "nodes.csv", "node_states.csv"}) {
    const auto real = rows_in(out / name);
    const auto model = rows_in(simulated / name);
    ASSERT_FALSE(real.empty()) << name;
    EXPECT_EQ(real.front(), model.front()) << name;
  }
  EXPECT_EQ(read(out / "nodes.csv"), read(simulated / "nodes.csv"));
  EXPECT_EQ(duet({"replay", out.string(), "--verify"}).code, 0);
  EXPECT_EQ(duet({"report", out.string()}).code, 0);
  EXPECT_THAT(duet({"explain", out.string(), "1.0"}).out, HasSubstr("`good`"));
}

TEST(LiveRun, AFailedAssertionIsExitCode1) {
  const Folder folder;
  write(folder / "s.json",
        R"({"cluster": {"node_types": {"t": {"cores": 1}}, "nodes": [{"type": "t"}], "heartbeat_s": 0.5},
    "workload": {"jobs": [{"id": "a", "duration_s": 0.05}]}, "assertions": ["jobs_failed == 1"]})");
  const Ran ran = duet({"live", (folder / "s.json").string(), "-o", "json"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  const LiveJson summary = LiveJson::parse(ran.out, nullptr, false);
  ASSERT_TRUE(summary.is_object()) << ran.out;
  EXPECT_EQ(summary["engine"], "live");
}

TEST(LiveRun, SaysAllThatOnlyASimulationCanDo) {
  const Folder folder;
  write(folder / "s.json",
        R"({"cluster": {"node_types": {"t": {"cores": 1}}, "nodes": [{"type": "t", "name": "n"}]},
    "workload": {"jobs": [{"id": "a", "duration_s": 1}]},
    "faults": [{"at_s": 1, "crash": "n"}], "network": {"loss": 0.1}})");
  const Ran ran = duet({"live", (folder / "s.json").string()});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("/faults"), HasSubstr("/network")));
}

TEST(LiveRun, WhatCanNeverRunIsRefusedBeforeItBegins) {
  const Folder folder;
  write(folder / "s.json",
        R"({"cluster": {"node_types": {"t": {"cores": 1}}, "nodes": [{"type": "t"}], "heartbeat_s": 0.5},
    "workload": {"jobs": [{"id": "wide", "cores": 4, "duration_s": 1}, {"id": "a", "duration_s": 0.05}]}})");
  const Ran ran = duet({"live", (folder / "s.json").string()});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("this job can never run"));
}

TEST(LiveRun, PredictionAndMeasurementStandSideBySide) {
  const Folder folder;
  write(folder / "s.json",
        R"({"cluster": {"node_types": {"t": {"cores": 2}}, "nodes": [{"type": "t"}], "heartbeat_s": 0.5},
    "workload": {"jobs": [{"id": "a", "duration_s": 4}, {"id": "b", "at_s": 2, "duration_s": 1}]}})");
  const Ran ran = duet({"live", (folder / "s.json").string(), "--speedup", "10", "--predict"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("2 of 2 tasks on the predicted node, 2 with the predicted end"));
}

}  // namespace
}  // namespace duet::program_tests
