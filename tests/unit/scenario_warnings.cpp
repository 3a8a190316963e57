// What is valid and hardly meant is said with its place, and nothing else is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/scenario_support.h"

namespace duet::sim {
namespace {
namespace scenario_warnings {

using scenario_test::good;
using testing::ElementsAre;
using testing::IsEmpty;

/// "/pointer: what | what would be right" of each warning about a cluster of four cores.
std::vector<std::string> warnings(const std::string& members, const std::vector<std::string>& options = {}) {
  const ParsedScenario parsed = parse_scenario(
      R"({"cluster": {"node_types": {"n": {"cores": 2}},
                      "nodes": [{"type": "n", "count": 2, "name": "n"}]}, )" +
          members + "}",
      "s.json", options);
  good(parsed);
  std::vector<std::string> all;
  for (const Problem& warning : parsed.warnings)
    all.push_back(warning.where.substr(warning.where.find('/')) + ": " + warning.what +
                  (warning.right.empty() ? "" : " | " + warning.right));
  return all;
}

const std::string kPool =
    R"({"id": "w", "kind": "service", "workers": {"pool": "p", "max": 3, "queue_limit": 5}})";
std::string jobs(const std::string& more) {
  return R"("horizon_s": 100, "workload": {"jobs": [)" + kPool + ", " + more + "]}";
}

TEST(ScenarioWarnings, AreShownAsWarnings) {
  const std::string text =
      "{\"cluster\": {\"node_types\": {\"n\": {}}, \"nodes\": [{\"type\": \"n\"}]},\n"
      " \"workload\": {\"jobs\": [{\"duration_s\": 1}]}, \"faults\": [{\"at_s\": 3, \"restart\": \"n\"}]}";
  const ParsedScenario parsed = parse_scenario(text, "s.json");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed.rendered_warnings,
            "s.json:2:79: /faults/0/restart: warning: `n` runs at 3 s: a restart does nothing to a node that "
            "is on\n"
            "  2 |  \"workload\": {\"jobs\": [{\"duration_s\": 1}]}, \"faults\": [{\"at_s\": 3, \"restart\": "
            "\"n\"}]}\n"
            "    |                                                                               ^~~\n"
            "    = right: a `crash` of it before this\n");
}

TEST(ScenarioWarnings, NodesTakenForDeadBetweenHeartbeats) {
  const auto warned = [](const std::string& heartbeat, const std::string& detector) {
    const ParsedScenario parsed = parse_scenario(
        R"({"cluster": {"node_types": {"n": {}}, "nodes": [{"type": "n"}], "heartbeat_s": )" + heartbeat +
            R"(}, "policies": {"detector": )" + detector + R"(}, "workload": {"jobs": [{"duration_s": 1}]}})",
        "s.json");
    good(parsed);
    return parsed.warnings.empty() ? std::string() : parsed.warnings.front().what;
  };
  const std::string patience = "the detector takes a node for dead after 30 s of silence, ";
  EXPECT_EQ(warned("0", "\"timeout\""), patience + "and there are no heartbeats: a quiet node is lost");
  EXPECT_EQ(warned("30", "\"timeout\""), patience + "before its next heartbeat");
  EXPECT_EQ(warned("29", "\"timeout\""), "");
  EXPECT_EQ(warned("0", R"({"name": "timeout", "dead_after_s": 0, "suspect_after_s": 0})"), "");
}

TEST(ScenarioWarnings, QueuesThatAreFullAtOnce) {
  const std::string right =
      " | right: a higher `queue_limit`, or an assertion about `jobs_refused` if it is meant";
  const std::string rush = R"({"at_s": 1, "kind": "bag", "tasks": 2, "pool": "p", "duration_s": 1},
                              {"at_s": 1, "pool": "p", "duration_s": 1, "repeat": {"count": 4}})";
  EXPECT_THAT(
      warnings(jobs(rush)),
      ElementsAre("/workload/jobs/2: 6 operations are submitted to pool `p` at 1 s, and at most 5 may "
                  "wait: jobs beyond that are refused" +
                  right));
  EXPECT_THAT(warnings(jobs(rush) + R"(, "assertions": ["jobs_refused == 1"])"), IsEmpty());
  EXPECT_THAT(warnings(jobs(rush), {"/workload/jobs/2/repeat/count=3"}), IsEmpty());
  EXPECT_THAT(warnings(jobs(rush), {"/workload/jobs/2/repeat/every_s=1"}), IsEmpty());
  EXPECT_THAT(warnings(jobs(rush), {"/workload/jobs/0/workers/queue_limit=0"}), IsEmpty());
}

TEST(ScenarioWarnings, GangsThatNoPoolTakes) {
  const std::string gang = R"({"tasks": 4, "pool": "p", "duration_s": 1})";
  EXPECT_THAT(
      warnings(jobs(gang)),
      ElementsAre("/workload/jobs/1/tasks: this job is refused: its 4 operations start together, and pool "
                  "`p` executes at most 3 at a time | right: \"kind\": \"bag\", or more workers (`max` is "
                  "3, each takes 1)"));
  EXPECT_THAT(warnings(jobs(gang), {"/workload/jobs/1/tasks=3"}), IsEmpty());
  EXPECT_THAT(warnings(jobs(gang), {"/workload/jobs/1/estimate_s=0.5"}), IsEmpty());  // Two on each worker.
  EXPECT_THAT(warnings(jobs(gang), {"/policies/estimator=learned"}), IsEmpty());
}

TEST(ScenarioWarnings, ReplicasAndWorkersWithoutRoom) {
  EXPECT_THAT(
      warnings(R"("horizon_s": 9, "workload": {"jobs": [{"kind": "service", "replicas": 5}]})"),
      ElementsAre("/workload/jobs/0/replicas: the cluster has room for 4 of these 5 replicas: the others "
                  "wait as long as the run lasts"));
  EXPECT_THAT(
      warnings(jobs("{\"duration_s\": 1}"), {"/workload/jobs/0/workers/max=5"}),
      ElementsAre("/workload/jobs/0/workers/max: the cluster has room for 4 of these workers: a pool that "
                  "grows beyond that waits for nodes"));
  const std::string scaled = R"("horizon_s": 9, "workload": {"jobs": [{"id": "s", "kind": "service"}]},
      "events": [{"at_s": 1, "scale": "s", "replicas": 5}])";
  EXPECT_THAT(
      warnings(scaled),
      ElementsAre("/events/0/replicas: the cluster has room for 4 of these replicas: the others wait for "
                  "nodes"));
  EXPECT_THAT(warnings(scaled, {"/events/0/replicas=4"}), IsEmpty());
}

TEST(ScenarioWarnings, FaultsThatDoNothing) {
  const std::string base = R"("workload": {"jobs": [{"duration_s": 1}]}, "faults": )";
  // In the order of time, and within an instant of the file.
  EXPECT_THAT(
      warnings(base + R"([{"at_s": 9, "restart": "n0"}, {"at_s": 5, "crash": "n0"},
                                  {"at_s": 9, "restart": "n0"}, {"at_s": 5, "crash": "n0"}])"),
      ElementsAre("/faults/2/restart: `n0` runs at 9 s: a restart does nothing to a node that is on | right: "
                  "a `crash` of it before this",
                  "/faults/3/crash: `n0` is off already at 5 s: this does nothing | right: a `restart` of "
                  "it before this"));
  EXPECT_THAT(warnings(base + R"([{"at_s": 5, "crash": "n0"}, {"at_s": 5, "restart": "n0"}])"), IsEmpty());
}

TEST(ScenarioWarnings, SubmittingAgainWhatWasNotYet) {
  const std::string base = R"("workload": {"jobs": [{"id": "a", "at_s": 5, "duration_s": 1}]}, "events": )";
  EXPECT_THAT(
      warnings(base + R"([{"at_s": 4.5, "submit_again": "a"}])"),
      ElementsAre("/events/0/at_s: this is not again: `a` is submitted here, and not at its own `at_s`, "
                  "5 s, where nothing happens | right: a later `at_s`"));
  EXPECT_THAT(
      warnings(base +
               R"([{"at_s": 9, "submit_again": "a"}, {"at_s": 1, "submit_again": "a", "changed": true}])"),
      ElementsAre("/events/1/at_s: this is not again: `a` is submitted here, and not at its own `at_s`, "
                  "5 s, where it is refused | right: a later `at_s`"));
  EXPECT_THAT(warnings(base + R"([{"at_s": 5, "submit_again": "a"}, {"at_s": 1, "cancel": "a"}])"),
              IsEmpty());
}

TEST(ScenarioWarnings, TimesThatTakeAgesToPass) {
  const std::string right = " | right: a longer `heartbeat_s` (0: none), or an earlier time";
  const std::string late = R"("workload": {"jobs": [{"at_s": 2e9, "duration_s": 1}]})";
  EXPECT_THAT(
      warnings(late),
      ElementsAre("/workload/jobs/0/at_s: until 2000000001 s the nodes send 400 million heartbeats, and a "
                  "run passes a few million of them in a second" +
                  right));
  const std::string patient =
      R"(/policies/detector={"name": "timeout", "suspect_after_s": 0, "dead_after_s": 0})";
  EXPECT_THAT(warnings(late, {"/cluster/heartbeat_s=0", patient}), IsEmpty());
  EXPECT_THAT(warnings(late, {"/cluster/heartbeat_s=1000", patient}), IsEmpty());
  EXPECT_THAT(warnings(late, {"/horizon_s=1000"}), IsEmpty());
  EXPECT_THAT(warnings(R"("workload": {"jobs": [{"duration_s": 1}]})", {"/horizon_s=4e9"}), IsEmpty());
  EXPECT_THAT(
      warnings(R"("workload": {"jobs": [{"kind": "service"}]})", {"/horizon_s=4e9"}),
      ElementsAre("/horizon_s: until 4000000000 s the nodes send 800 million heartbeats, and a run passes a "
                  "few million of them in a second" +
                  right));
}

}  // namespace scenario_warnings
}  // namespace
}  // namespace duet::sim
