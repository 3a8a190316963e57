// One meaning, one form; and what is generated from the table of fields is up to date.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "sim/assertions.h"
#include "sim/scenario_fields.h"
#include "tests/unit/scenario_support.h"

namespace duet::sim::scenario_test {
namespace {

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(DUET_SOURCE_DIR "/scenarios"))
    if (entry.path().extension() == ".json" && entry.path().filename() != "scenario.schema.json")
      files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

/// The same JSON with the keys of every object in another order.
std::string shuffled(const std::string& text, bool backwards) {
  if (!backwards) return nlohmann::json::parse(text).dump();  // by name
  const auto turn = [](const auto& self, nlohmann::ordered_json value) -> nlohmann::ordered_json {
    if (value.is_array())
      for (auto& element : value) element = self(self, element);
    if (!value.is_object()) return value;
    std::vector<std::pair<std::string, nlohmann::ordered_json>> members;
    for (auto& [key, member] : value.items()) members.emplace_back(key, self(self, member));
    std::reverse(members.begin(), members.end());
    nlohmann::ordered_json result = nlohmann::ordered_json::object();
    for (auto& [key, member] : members) result[key] = std::move(member);
    return result;
  };
  return turn(turn, nlohmann::ordered_json::parse(text)).dump(3);
}

TEST(ScenarioCanonical, SaysEverythingInOneOrder) {
  EXPECT_EQ(canonical_json(good(edited({}))),
            R"({
  "name": "",
  "description": "",
  "seed": 1,
  "cluster": {
    "countable": [],
    "node_types": {
      "small": {"cores": 4, "threads_per_core": 1, "speed_hz": 1e9, "smt_yield": 1, )"
            R"("memory_mib": 0, "count": {}}
    },
    "nodes": [
      {"type": "small", "name": "small"}
    ],
    "latency_s": 0,
    "commit_delay_s": 0,
    "heartbeat_s": 10,
    "resend_after_s": 5,
    "kill_grace_s": 10,
    "max_losses": 16
  },
  "policies": {
    "queue": {"name": "fcfs"},
    "scheduler": {"name": "first_fit"},
    "autoscaler": {"name": "fixed"},
    "detector": {"name": "timeout"},
    "estimator": {"name": "declared"}
  },
  "workload": {
    "jobs": [
      {"id": "job1", "user": "", "at_s": 0, "kind": "rigid", "tasks": 1, "cores": 1, )"
            R"("memory_mib": 0, "count": {}, )"
            R"("exclusive": false, "duration_s": 1, "estimate_s": 0, "timeout_s": 0, "retries": 0}
    ]
  },
  "events": [],
  "faults": [],
  "network": {"loss": 0, "duplicate": 0, "delay": 0, "max_delay_s": 0},
  "assertions": []
}
)");
}

TEST(ScenarioCanonical, DoesNotDependOnLayoutKeyOrderOrOmittedDefaults) {
  const std::vector<std::string> rich = {
      "/cluster/countable=[\"gpus\"]",
      "/cluster/node_types/big={\"turbo_hz\": [2e9, 1.5e9], \"cores\": 2, \"count\": {\"gpus\": 3}}",
      "/cluster/nodes/-={\"name\": \"x\", \"count\": 12, \"type\": \"big\"}",
      "/policies/detector={\"suspect_after_s\": 2e0, \"name\": \"timeout\", \"dead_after_s\": 3}",
      "/workload/jobs/-={\"kind\": \"bag\", \"groups\": [{\"duration_s\": 1e-9}, {\"operations\": 5, "
      "\"cpu_m\": 10}]}",
      "/workload/jobs/0/fail_attempts=3",
      "/workload/jobs/0/priority=-7",
      "/workload/jobs/0/operation=hash",
      "/workload/jobs/0/iterations=12",
      "/network={\"until_s\": 3, \"loss\": 0.125}",
      "/assertions=[\"jobs==2\"]",
  };
  const std::string canonical = canonical_json(good(edited(rich)));
  EXPECT_THAT(canonical, testing::HasSubstr("\"operation\": \"hash\", \"iterations\": 12, "));
  EXPECT_THAT(canonical, testing::HasSubstr("\"priority\": -7}"));
  for (const bool backwards : {false, true}) {
    const ParsedScenario again = parse_scenario(shuffled(canonical, backwards), "shuffled");
    EXPECT_EQ(canonical_json(good(again)), canonical);
  }
  const std::string spelled_out = canonical_json(good(edited({"/seed=1", "/workload/jobs/0/id=job1",
                                                              "/policies/queue={\"name\": "
                                                              "\"fcfs\"}",
                                                              "/workload/jobs/0/duration_s=10e-1"})));
  EXPECT_EQ(spelled_out, canonical_json(good(edited({}))));
  for (const char* change : {"/seed=2", "/workload/jobs/0/priority=1", "/workload/jobs/0/operation=x",
                             "/workload/jobs/0/iterations=1"})
    EXPECT_NE(canonical_json(good(edited({change}))), canonical_json(good(edited({})))) << change;
}

TEST(ScenarioCanonical, RunsOfNodesBecomeOneEntry) {
  const std::string listed =
      canonical_json(good(edited({"/cluster/nodes=[{\"type\": \"small\", \"name\": \"n0\"}, {\"type\": "
                                  "\"small\", \"name\": \"n1\"}]"})));
  EXPECT_EQ(listed, canonical_json(good(
                        edited({"/cluster/nodes/0={\"type\": \"small\", \"name\": \"n\", \"count\": 2}"}))));
  EXPECT_THAT(listed, testing::HasSubstr("{\"type\": \"small\", \"count\": 2, \"name\": \"n\"}"));
}

TEST(ScenarioCanonical, TablesAndGeneratorsReadBack) {
  for (const std::string workload :
       {"{\"table\": {\"columns\": [\"submit_s\", \"operations\", \"id\"], \"rows\": [[1.5, 7, "
        "\"\\u0041\\\"\"], [0, 1, 3]]}}",
        "{\"generate\": {\"model\": \"poisson\", \"jobs\": 3, \"mean_operations\": 12.5, \"exclusive\": "
        "true}}",
        "{\"generate\": {\"model\": \"lublin\", \"jobs\": 3, \"max_cores\": 2, \"load_factor\": 0.1}}"}) {
    const std::string canonical = canonical_json(good(edited({"/workload=" + workload})));
    EXPECT_EQ(canonical_json(good(parse_scenario(canonical, "again"))), canonical);
  }
}

TEST(ScenarioCanonical, AMillionRowsAreNeverOneText) {
  Scenario scenario = good(edited({}));
  JobTable table;
  TableJob job;
  job.duration_ns = 1;
  table.jobs.assign(100'000, job);
  scenario.workload = std::move(table);
  std::size_t largest = 0;
  std::size_t total = 0;
  canonical_json(scenario, [&](std::string_view piece) {
    largest = std::max(largest, piece.size());
    total += piece.size();
  });
  EXPECT_GT(total, 3'000'000U);
  EXPECT_LT(largest, 70'000U);
}

TEST(ScenarioFiles, AllParseAndMeanTheSameInAnyKeyOrder) {
  ASSERT_GE(scenario_files().size(), 8U);
  for (const std::string& path : scenario_files()) {
    SCOPED_TRACE(path);
    const ParsedScenario parsed = load_scenario(path);
    const std::string canonical = canonical_json(good(parsed));
    EXPECT_EQ(parsed.scenario->name + ".json", std::filesystem::path(path).filename());
    EXPECT_FALSE(parsed.scenario->assertions.empty());
    EXPECT_EQ(canonical_json(good(parse_scenario(canonical, "canonical"))), canonical);
    for (const bool backwards : {false, true})
      EXPECT_EQ(canonical_json(good(parse_scenario(shuffled(file_text(path), backwards), "shuffled"))),
                canonical);
  }
}

/// The text between two marks of a page.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  const std::size_t end = text.find(to);
  EXPECT_TRUE(begin != text.npos && end != text.npos) << from;
  return text.substr(begin + from.size(), end - begin - from.size());
}

/// Compares a part of a committed file with what the code yields; with DUET_REWRITE=1 in the environment,
/// writes it.
void expect_generated(const std::string& path, const std::string& from, const std::string& to,
                      const std::string& wanted) {
  const std::string text = file_text(path);
  const std::string found = from.empty() ? text : between(text, from, to);
  if (std::getenv("DUET_REWRITE") == nullptr) {
    EXPECT_EQ(found, wanted) << path << " is out of date: run this test with DUET_REWRITE=1";
    return;
  }
  std::string changed = wanted;
  if (!from.empty()) changed = text.substr(0, text.find(from)) + from + wanted + text.substr(text.find(to));
  std::ofstream(path, std::ios::binary) << changed;
}

TEST(ScenarioFiles, SchemaAndPageAreGeneratedFromTheTableOfFields) {
  expect_generated(DUET_SOURCE_DIR "/scenarios/scenario.schema.json", "", "", scenario_schema());
  const std::string page = DUET_SOURCE_DIR "/docs/scenario-format.md";
  expect_generated(page, "<!-- metrics: generated from sim/assertions.cpp -->\n", "<!-- end of metrics -->",
                   "\n" + metric_table() + "\n");
  expect_generated(page, "<!-- fields: generated from sim/scenario_fields.cpp -->\n",
                   "<!-- end of fields -->", "\n" + scenario_field_table() + "\n");
}

TEST(ScenarioFiles, TheExampleOfThePageIsAScenario) {
  const std::string page = file_text(DUET_SOURCE_DIR "/docs/scenario-format.md");
  good(parse_scenario(between(page, "```json\n", "\n```\n\n`duet check"), "page"));
}

TEST(ScenarioFiles, TheTableOfFieldsIsInOrder) {
  for (const Field& field : scenario_fields()) {
    SCOPED_TRACE(std::string(field.name));
    EXPECT_EQ(find_field(field.section, field.name), &field);  // once, and its section in one piece
    EXPECT_THAT(std::string(field.doc), testing::EndsWith("."));
    EXPECT_FALSE(describe(field).empty());
    EXPECT_TRUE(!field.required || field.fallback.empty());
    EXPECT_TRUE(field.fallback.empty() || nlohmann::json::accept(field.fallback));
  }
}

}  // namespace
}  // namespace duet::sim::scenario_test
