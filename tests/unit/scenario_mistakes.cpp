// Every kind of mistake in a scenario, as users see it.
#include "tests/unit/scenario_support.h"

namespace duet::sim::scenario_test {
namespace {

TEST(ScenarioMistakes, AllOfThemAreShownInTheOrderOfTheFile) {
  EXPECT_EQ(mistakes("{\n"
                     "  \"sed\": 3,\n"
                     "  \"horizon_s\": -1,\n"
                     "  \"cluster\": {\n"
                     "    \"node_types\": {\"small\": {\"coers\": 4}},\n"
                     "    \"nodes\": [{\"type\": \"smal\"}]\n"
                     "  },\n"
                     "  \"policies\": {\"queue\": \"fcsf\"},\n"
                     "  \"workload\": {\"jobs\": [{\"duration_s\": \"1\"}]},\n"
                     "  \"assertions\": [\"makespan <= 10\"]\n"
                     "}\n"),
            "s.json:2:3: /sed: there is no field `sed` here\n"
            "  2 |   \"sed\": 3,\n"
            "    |   ^~~~~\n"
            "    = did you mean `seed`?\n"
            "s.json:3:16: /horizon_s: `-1` is out of range\n"
            "  3 |   \"horizon_s\": -1,\n"
            "    |                ^~\n"
            "    = right: seconds, above 0, at most 4e9\n"
            "s.json:5:30: /cluster/node_types/small/coers: there is no field `coers` here\n"
            "  5 |     \"node_types\": {\"small\": {\"coers\": 4}},\n"
            "    |                              ^~~~~~~\n"
            "    = did you mean `cores`?\n"
            "s.json:6:24: /cluster/nodes/0/type: there is no node type `smal`\n"
            "  6 |     \"nodes\": [{\"type\": \"smal\"}]\n"
            "    |                        ^~~~~~\n"
            "    = did you mean `small`?\n"
            "s.json:8:25: /policies/queue: there is no queue policy `fcsf`\n"
            "  8 |   \"policies\": {\"queue\": \"fcsf\"},\n"
            "    |                         ^~~~~~\n"
            "    = did you mean `fcfs`?\n"
            "s.json:9:40: /workload/jobs/0/duration_s: `duration_s` cannot be a string\n"
            "  9 |   \"workload\": {\"jobs\": [{\"duration_s\": \"1\"}]},\n"
            "    |                                        ^~~\n"
            "    = right: seconds, above 0, at most 4e9\n"
            "s.json:10:19: /assertions/0: there is no metric `makespan`\n"
            "  10 |   \"assertions\": [\"makespan <= 10\"]\n"
            "     |                   ^~~~~~~~\n"
            "     = did you mean `makespan_s`?\n");
}

TEST(ScenarioMistakes, TheFirstFiftyAreShownAndTheRestCounted) {
  std::string rows;
  for (int i = 0; i < 2000; ++i) rows += std::string(i > 0 ? ",\n" : "") + "[-1, 1]";
  const std::string text =
      "{\"workload\": {\"table\": {\"columns\": [\"submit_s\", \"duration_s\"], \"rows\": [\n" + rows +
      "]}},\n\"cluster\": {\"node_types\": {\"small\": {}}, \"nodes\": [{\"type\": \"small\"}]}}";
  const ParsedScenario parsed = parse_scenario(text, "s.json");
  ASSERT_EQ(parsed.problems.size(), 50U);
  EXPECT_EQ(parsed.problems.front().where, "s.json:2:2: /workload/table/rows/0/0");
  EXPECT_EQ(parsed.problems.back().where, "s.json:51:2: /workload/table/rows/49/0");
  EXPECT_THAT(parsed.rendered, testing::EndsWith("... and 1950 more mistakes\n"));
}

TEST(ScenarioMistakes, TheWholeFile) {
  EXPECT_EQ(mistakes("{}"),
            "s.json:1:1: `cluster` is missing\n  1 | {}\n    | ^\n    = The nodes.\n"
            "s.json:1:1: `workload` is missing\n  1 | {}\n    | ^\n    = The jobs.\n");
  EXPECT_EQ(mistakes("[3]"),
            "s.json:1:1: this cannot be an array\n  1 | [3]\n    | ^\n    = right: an object\n");
  EXPECT_EQ(load_scenario(DUET_SOURCE_DIR "/no/such/file").rendered,
            DUET_SOURCE_DIR "/no/such/file: there is no such file\n");
  EXPECT_EQ(load_scenario(DUET_SOURCE_DIR "/scenarios").rendered,
            DUET_SOURCE_DIR "/scenarios: is a directory\n");
}

struct Case {
  std::vector<std::string> options;
  std::string shown;  // of the first mistake: where: what | hint
};

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(first_mistake(c.options), c.shown) << c.options.back();
}

TEST(ScenarioMistakes, Values) {
  expect({
      {{"/seed=-1"}, "--set: /seed: `-1` is out of range | right: an integer from 0 to 18446744073709551615"},
      {{"/seed=18446744073709551616"},
       "--set: /seed: `18446744073709551616` is out of range | right: an integer from 0 to "
       "18446744073709551615"},
      {{"/seed=1.5"},
       "--set: /seed: `1.5` is not an integer | right: an integer from 0 to 18446744073709551615"},
      {{"/name=3"}, "--set: /name: `name` cannot be a number | right: a string"},
      {{"/horizon_s=1e400"},
       "--set: /horizon_s: `1e400` is out of range | right: seconds, above 0, at most 4e9"},
      {{"/horizon_s=-1e400"},
       "--set: /horizon_s: `-1e400` is out of range | right: seconds, above 0, at most 4e9"},
      {{"/x=1e400"},
       "--set: /x: there is no field `x` here | right: $schema, name, description, seed, horizon_s, "
       "cluster, policies, workload, events, faults, network, assertions"},
      {{"/horizon_s=0"}, "--set: /horizon_s: `0` is out of range | right: seconds, above 0, at most 4e9"},
      {{"/horizon_s=4000000000.000000001"},
       "--set: /horizon_s: `4000000000.000000001` is out of range | right: seconds, above 0, at most 4e9"},
      {{"/assertions=jobs"},
       "--set: /assertions: `assertions` cannot be a string | right: an array of strings"},
      {{"/assertions=[1]"}, "--set: /assertions/0: `assertions` cannot be a number | right: a string"},
      {{"/events={}"}, "--set: /events: `events` cannot be an object | right: an array of objects"},
      {{"/frobnicate=1"},
       "--set: /frobnicate: there is no field `frobnicate` here | right: $schema, name, description, seed, "
       "horizon_s, "
       "cluster, policies, workload, events, faults, network, assertions"},
  });
}

TEST(ScenarioMistakes, Clusters) {
  expect({
      {{"/cluster/nodes=[]"}, "--set: /cluster/nodes: the cluster has no nodes | right: at least one"},
      {{"/cluster/nodes/0/count=0"},
       "--set: /cluster/nodes/0/count: `0` is out of range | right: an integer from 1 to 1e6 (nodes)"},
      {{"/cluster/nodes/-={\"type\": \"small\", \"count\": 1000000}"},
       "--set: /cluster/nodes/1/count: more than 1000000 nodes in all"},
      {{"/cluster/nodes/-={\"type\": \"small\"}"},
       "--set: /cluster/nodes/1/type: there are two nodes `small`"},
      {{"/cluster/nodes/-={\"type\": \"small\", \"name\": \"s0\"}",
        "/cluster/nodes/0={\"type\": \"small\", \"name\": \"s\", "
        "\"count\": 1}"},
       "--set: /cluster/nodes/1/name: there are two nodes `s0`"},
      {{"/cluster/nodes/0/name="},
       "--set: /cluster/nodes/0/name: this name is empty | right: a name: 1 to 200 bytes without control "
       "characters"},
      {{"/cluster/nodes/0/name=a\nb"},
       "--set: /cluster/nodes/0/name: this is no name | right: a name: 1 to 200 bytes without control "
       "characters"},
      {{"/cluster/nodes/0={}"},
       "--set: /cluster/nodes/0: `type` is missing | right: a name: 1 to 200 bytes without control "
       "characters"},
      {{"/cluster/node_types/small/cores=0"},
       "--set: /cluster/node_types/small/cores: `0` is out of range | right: an integer from 1 to 1e8 "
       "(cores)"},
      {{"/cluster/node_types/small/cores=1e8", "/cluster/node_types/small/threads_per_core=64"},
       "--set: /cluster/node_types/small/cores: more hardware threads than 4294967295 on one node"},
      {{"/cluster/node_types/small/memory_mib=1e9", "/cluster/nodes/0/count=10000"},
       "s.json:2:63: /cluster/nodes: the cluster has more of something than 64 bits can count"},
      {{"/cluster/node_types/small/count={\"gpus\": 1}"},
       "--set: /cluster/node_types/small/count/gpus: there is no countable kind `gpus` | right: a name in "
       "/cluster/countable"},
      {{"/cluster/countable=[\"gpus\"]", "/cluster/node_types/small/count={\"gpu\": 1}"},
       "--set: /cluster/node_types/small/count/gpu: there is no countable kind `gpu` | did you mean `gpus`?"},
      {{"/cluster/countable=[\"gpus\"]", "/cluster/node_types/small/count={\"gpus\": -1}"},
       "--set: /cluster/node_types/small/count/gpus: `-1` is out of range | right: an integer from 0 to "
       "1e9"},
      {{"/cluster/countable=[\"a\", \"b\", \"a\"]"}, "--set: /cluster/countable/2: `a` is given twice"},
      {{"/cluster/countable=[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]"},
       "--set: /cluster/countable/6: more than 6 countable kinds"},
      {{"/cluster/node_types/small/speed_hz=0"},
       "--set: /cluster/node_types/small/speed_hz: `0` is out of range | right: a number above 0, at most "
       "1e18 "
       "(operations/s)"},
      {{"/cluster/node_types/small/speed_hz=1", "/cluster/node_types/small/turbo_hz=[1, 2]"},
       "--set: /cluster/node_types/small/turbo_hz: `turbo_hz` and `speed_hz` exclude each other"},
      {{"/cluster/node_types/small/turbo_hz=[]"},
       "--set: /cluster/node_types/small/turbo_hz: `turbo_hz` is empty | right: at least one number"},
      {{"/cluster/node_types/small/turbo_hz=[5, 4, 3, 2, 1]"},
       "--set: /cluster/node_types/small/turbo_hz: more speeds (5) than cores (4)"},
      {{"/cluster/node_types/small/smt_yield=1.25"},
       "--set: /cluster/node_types/small/smt_yield: a core cannot do more than its hardware threads together "
       "| right: "
       "at most threads_per_core, 1"},
      {{"/cluster/node_types/small/smt_yield=0.5"},
       "--set: /cluster/node_types/small/smt_yield: smt_yield needs threads_per_core of 2 or more"},
      {{"/cluster/resend_after_s=0"},
       "--set: /cluster/resend_after_s: `0` is out of range | right: seconds, above 0, at most 1e7"},
  });
}

TEST(ScenarioMistakes, Policies) {
  expect({
      {{"/policies/queue=zzz"},
       "--set: /policies/queue: there is no queue policy `zzz` | right: one of fcfs sjf priority easy "
       "easy_machines"},
      {{"/policies/scheduler={\"name\": \"bin_pak\"}"},
       "--set: /policies/scheduler/name: there is no scheduler policy `bin_pak` | did you mean `bin_pack`?"},
      {{"/policies/queue={\"depth\": 3}"},
       "--set: /policies/queue: this policy has no name | right: {\"name\": ..., parameters ...}"},
      {{"/policies/queue={\"name\": \"fcfs\", \"depth\": 3}"},
       "--set: /policies/queue/depth: `depth` is not a parameter of this policy | right: it has none"},
      {{"/policies/detector={\"name\": \"timeout\", \"dead_after_s\": \"soon\"}"},
       "--set: /policies/detector/dead_after_s: `dead_after_s` must be a number of seconds, and is "
       "\"soon\" | right: seconds, from 0 to 9000000000"},
      {{"/policies/autoscaler={\"name\": \"queue_depth\"}", "/policies/autoscaler/idle_s=1e400"},
       "--set: /policies/autoscaler/idle_s: `1e400` is out of range | right: seconds, from 0 to 9000000000"},
      {{"/policies/autoscaler={\"name\": \"threshold\", \"above_percent\": 150}"},
       "--set: /policies/autoscaler/above_percent: `above_percent` is out of range: 150 | right: a whole "
       "number "
       "from 0 to 100"},
      {{"/policies/autoscaler={\"name\": \"threshold\", \"above_percent\": 0.7}"},
       "--set: /policies/autoscaler/above_percent: `above_percent` must be a whole number, and is 0.7 | "
       "right: a "
       "whole number from 0 to 100"},
      {{"/policies/detector={\"name\": \"timeout\", \"dead_after_s\": [3]}"},
       "--set: /policies/detector/dead_after_s: a parameter cannot be an array | right: a number, a string, "
       "true or "
       "false"},
      {{"/policies/queue=3"},
       "--set: /policies/queue: `queue` cannot be a number | right: a name, or {\"name\": ..., parameters "
       "...}"},
      {{"/policies/quue=easy"},
       "--set: /policies/quue: there is no field `quue` here | did you mean `queue`?"},
  });
}

TEST(ScenarioMistakes, Jobs) {
  expect({
      {{"/workload/jobs=[]"}, "--set: /workload/jobs: there are no jobs | right: at least one"},
      {{"/workload={}"}, "--set: /workload: there are no jobs | right: `jobs`, `generate` or `table`"},
      {{"/workload={\"table\": {}}"},
       "--set: /workload/table: `columns` is missing | right: an array of names"},
      {{"/workload/generate={\"model\": \"poisson\", \"jobs\": 1}"},
       "--set: /workload/generate: `generate` and `jobs` exclude each other"},
      {{"/workload/jobs/0/tasks=0"},
       "--set: /workload/jobs/0/tasks: `0` is out of range | right: an integer from 1 to 1e6 (tasks)"},
      {{"/workload/jobs/0/kind=gang"},
       "--set: /workload/jobs/0/kind: there is no kind `gang` | right: `rigid` or `bag` or `dag` or "
       "`service`"},
      {{"/workload/jobs/0/operations=5"},
       "--set: /workload/jobs/0/operations: `operations` and `duration_s` exclude each other"},
      {{"/workload/jobs/0={}"},
       "--set: /workload/jobs/0: nothing says how long a task takes | right: `duration_s` or `operations`"},
      {{"/workload/jobs/0/duration_s=0"},
       "--set: /workload/jobs/0/duration_s: `0` is out of range | right: seconds, above 0, at most 4e9"},
      {{"/workload/jobs/0/cores=1", "/workload/jobs/0/cpu_m=500"},
       "--set: /workload/jobs/0/cpu_m: `cpu_m` and `cores` exclude each other"},
      {{"/workload/jobs/0/cpu_m=500", "/workload/jobs/0/exclusive=true"},
       "--set: /workload/jobs/0/cpu_m: `cpu_m` and `exclusive` exclude each other | an exclusive task takes "
       "one whole "
       "core with all its hardware threads"},
      {{"/workload/jobs/0/exit_code=3"},
       "--set: /workload/jobs/0/exit_code: no attempt fails, so this says nothing | right: `fail_attempts`, "
       "too"},
      {{"/workload/jobs/0/fail_attempts=1", "/workload/jobs/0/exit_code=0"},
       "--set: /workload/jobs/0/exit_code: an attempt that fails does not exit with 0"},
      {{"/workload/jobs/0/priority=1000001"},
       "--set: /workload/jobs/0/priority: `1000001` is out of range | right: an integer from -1e6 to 1e6"},
      {{"/workload/jobs/0/priority=high"},
       "--set: /workload/jobs/0/priority: `priority` cannot be a string | right: an integer from -1e6 to "
       "1e6"},
      {{"/workload/jobs/0/iterations=-1"},
       "--set: /workload/jobs/0/iterations: `-1` is out of range | right: an integer from 0 to 9e18 "
       "(iterations)"},
      {{"/workload/jobs/0/operation=3"},
       "--set: /workload/jobs/0/operation: `operation` cannot be a number | right: a string"},
      {{"/workload/jobs/0/id=a", "/workload/jobs/-={\"id\": \"a\", \"duration_s\": 1}"},
       "--set: /workload/jobs/1/id: there are two jobs `a`"},
      {{"/workload/jobs/0={\"kind\": \"bag\", \"iterations\": 1, \"groups\": [{\"duration_s\": 1}]}"},
       "--set: /workload/jobs/0/iterations: `iterations` and `groups` exclude each other | right: "
       "`iterations` "
       "in each group"},
      {{"/workload/jobs/0/groups=[]"},
       "s.json:3:26: /workload/jobs/0/duration_s: `duration_s` and `groups` exclude each other | right: "
       "`duration_s` in "
       "each group"},
      {{"/workload/jobs/0={\"groups\": [{\"duration_s\": 1}]}"},
       "--set: /workload/jobs/0/groups: a rigid job has no groups: its tasks are equal | right: \"kind\": "
       "\"bag\""},
      {{"/workload/jobs/0={\"kind\": \"bag\", \"groups\": []}"},
       "--set: /workload/jobs/0/groups: `groups` is empty | right: at least one group"},
      {{"/workload/jobs/0/repeat={\"count\": 3, \"every_s\": 3e9}"},
       "--set: /workload/jobs/0/repeat/every_s: the last of them would come after 4e9 s"},
      {{"/workload/jobs/0/duration_s=4000000000.000000001"},
       "--set: /workload/jobs/0/duration_s: `4000000000.000000001` is out of range | right: seconds, above "
       "0, at "
       "most 4e9"},
      {{"/workload/jobs/-={\"duration_s\": 1, \"repeat\": {\"count\": 1000000}}"},
       "--set: /workload/jobs/1: from here on there are more than 1000000 jobs | right: `generate` or "
       "`table` for so "
       "many"},
      {{"/workload/jobs/0/repeat={\"count\": 101}", "/workload/jobs/0/kind=bag",
        "/workload/jobs/0/tasks=1000000"},
       "s.json:3:25: /workload/jobs/0: from here on there are more than 100000000 tasks in all"},
  });
}

TEST(ScenarioMistakes, ServicesAndDags) {
  expect({
      {{"/workload/jobs/0={\"kind\": \"service\"}"},
       "--set: /workload/jobs/0/kind: a service runs until it is cancelled: when does the run end? | right: "
       "`horizon_s` in the scenario"},
      {{"/horizon_s=9", "/workload/jobs/0={\"kind\": \"service\", \"tasks\": 2}"},
       "--set: /workload/jobs/0/tasks: a service has replicas | right: `replicas`"},
      {{"/workload/jobs/0={\"duration_s\": 1, \"replicas\": 2}"},
       "--set: /workload/jobs/0/replicas: only a service has replicas | right: `tasks`, or \"kind\": "
       "\"service\""},
      {{"/workload/jobs/0={\"duration_s\": 1, \"scheduler\": \"spraed\"}"},
       "--set: /workload/jobs/0/scheduler: there is no scheduler `spraed` | did you mean `spread`?"},
      {{"/workload/jobs/0={\"kind\": \"dag\", \"groups\": [{\"name\": \"a\", \"duration_s\": 1}, {\"after\": "
        "[\"b\"], \"duration_s\": 1}]}"},
       "--set: /workload/jobs/0/groups/1/after/0: there is no group `b` | right: the `name` of another "
       "group"},
      {{"/workload/jobs/0={\"kind\": \"dag\", \"groups\": [{\"name\": \"a\", \"after\": [\"b\"], "
        "\"duration_s\": "
        "1}, {\"name\": \"b\", \"after\": [\"a\"], \"duration_s\": 1}]}"},
       "--set: /workload/jobs/0/groups: the groups come after each other in a circle"},
      {{"/workload/jobs/0={\"kind\": \"dag\", \"groups\": [{\"name\": \"a\", \"duration_s\": 1}, {\"name\": "
        "\"a\", \"duration_s\": 1}]}"},
       "--set: /workload/jobs/0/groups/1/name: there are two groups `a`"},
      {{"/workload/jobs/0={\"kind\": \"bag\", \"groups\": [{\"after\": [\"b\"], \"duration_s\": 1}]}"},
       "--set: /workload/jobs/0/groups/0/after: only the groups of a DAG come after each other | right: "
       "\"kind\": "
       "\"dag\""},
      {{"/workload/jobs/0={\"id\": \"a\", \"duration_s\": 1}",
        "/events=[{\"at_s\": 1, \"scale\": \"a\", "
        "\"replicas\": 2}]"},
       "--set: /events/0/scale: `a` is not a service | right: a job of \"kind\": \"service\""},
      {{"/horizon_s=9", "/workload/jobs/0={\"id\": \"a\", \"kind\": \"service\"}",
        "/events=[{\"at_s\": 1, \"scale\": \"a\"}]"},
       "--set: /events/0/scale: `scale` to what? | right: `replicas`, too"},
      {{"/horizon_s=9", "/workload/jobs/0={\"id\": \"a\", \"kind\": \"service\"}",
        "/events=[{\"at_s\": 1, \"cancel\": \"a\", \"to\": {}}]"},
       "--set: /events/0/to: `to` says nothing here | right: with `update`"},
      {{"/horizon_s=9", "/workload/jobs/0={\"id\": \"a\", \"kind\": \"service\"}",
        "/events=[{\"at_s\": 1, \"update\": \"a\", \"to\": {\"name\": \"b\"}}]"},
       "--set: /events/0/to/name: only the groups of a DAG come after each other"},
  });
}

TEST(ScenarioMistakes, JobsThatCanNeverRun) {
  expect({
      {{"/workload/jobs/0/cores=9"},
       "--set: /workload/jobs/0/cores: this job can never run: no node can hold a task of it | a `small` "
       "node: needs 9 "
       "hardware threads, has 4, short by 5"},
      {{"/workload/jobs/0/cpu_m=4500"},
       "--set: /workload/jobs/0/cpu_m: this job can never run: no node can hold a task of it | a `small` "
       "node: needs "
       "4500 millicores, has 4000, short by 500"},
      {{"/workload/jobs/0/memory_mib=100"},
       "--set: /workload/jobs/0/memory_mib: this job can never run: no node can hold a task of it | a "
       "`small` node: "
       "needs 100 MiB of memory, has 0, short by 100"},
      {{"/cluster/countable=[\"gpus\"]", "/workload/jobs/0/count={\"gpus\": 1}", "/workload/jobs/0/cores=5",
        "/cluster/node_types/big={\"cores\": 8}", "/cluster/nodes/-={\"type\": \"big\"}"},
       "s.json:3:25: /workload/jobs/0: this job can never run: no node can hold a task of it | a `big` node: "
       "needs 1 "
       "gpus, has 0, short by 1; a `small` node: needs 5 hardware threads, has 4, short by 1; needs 1 gpus, "
       "has 0, "
       "short by 1"},
      {{"/workload/jobs/0/tasks=6"},
       "--set: /workload/jobs/0/tasks: this job can never run: its tasks start together, and the cluster "
       "cannot hold "
       "them | needs room for 6 of them, has 4, short by 2"},
      {{"/workload/jobs/0/exclusive=true", "/workload/jobs/0/tasks=3",
        "/cluster/node_types/small={\"cores\": 2, "
        "\"threads_per_core\": 2}"},
       "--set: /workload/jobs/0/tasks: this job can never run: its tasks start together, and the cluster "
       "cannot hold "
       "them | needs room for 3 of them, has 2, short by 1"},
      {{"/policies/queue=easy", "/cluster/node_types/small/memory_mib=10", "/workload/jobs/0/memory_mib=1"},
       "s.json:3:25: /workload/jobs/0: the queue policy `easy` refuses this job | easy counts cores only, so "
       "a task may "
       "need nothing else; use easy_machines"},
      {{"/workload={\"generate\": {\"model\": \"lublin\", \"jobs\": 1, \"max_cores\": 5}}"},
       "--set: /workload/generate/max_cores: this job can never run: no node can hold a task of it | a "
       "`small` node: "
       "needs 5 hardware threads, has 4, short by 1"},
      {{"/workload={\"generate\": {\"model\": \"poisson\", \"jobs\": 1, \"tasks\": 5}}"},
       "--set: /workload/generate/tasks: this job can never run: its tasks start together, and the cluster "
       "cannot hold "
       "them | needs room for 5 of them, has 4, short by 1"},
  });
  EXPECT_EQ(first_mistake({"/workload/jobs/0/tasks=600", "/workload/jobs/0/kind=bag"}), "");
}

TEST(ScenarioMistakes, GeneratorsAndTables) {
  const std::string table =
      "/workload={\"table\": {\"columns\": [\"submit_s\", \"duration_s\"], \"rows\": [[0, 1]]}}";
  expect({
      {{"/workload={\"generate\": {}}"},
       "--set: /workload/generate: `model` is missing | right: `poisson` or `lublin`"},
      {{"/workload={\"generate\": {\"model\": \"poison\"}}"},
       "--set: /workload/generate/model: there is no model `poison` | did you mean `poisson`?"},
      {{"/workload={\"generate\": {\"model\": \"lublin\"}}"},
       "--set: /workload/generate: `jobs` is missing | right: an integer from 1 to 1e8 (jobs)"},
      {{"/workload={\"generate\": {\"model\": \"lublin\", \"jobs\": 1, \"max_cores\": 4, \"mean_gap_s\": "
        "1}}"},
       "--set: /workload/generate/mean_gap_s: there is no field `mean_gap_s` here | right: model, jobs, "
       "max_cores, gangs, "
       "load_factor, estimate_factor"},
      {{table, "/workload/table/rows=[]"},
       "--set: /workload/table/rows: there are no jobs | right: at least one row"},
      {{table, "/workload/table/columns/-=core"},
       "--set: /workload/table/columns/2: there is no column `core` | did you mean `cores`?"},
      {{table, "/workload/table/columns/1=submit_s"},
       "--set: /workload/table/columns/1: the column `submit_s` is given twice"},
      {{table, "/workload/table/columns=[\"duration_s\"]"},
       "--set: /workload/table/columns: the column `submit_s` is missing"},
      {{table, "/workload/table/rows/-=[3]"},
       "--set: /workload/table/rows/1: the row has 1 values | right: 2, one per column"},
      {{table, "/workload/table/rows/-=3"},
       "--set: /workload/table/rows/1: a row cannot be a number | right: an array"},
      {{table, "/workload/table/rows/0/1=0"},
       "--set: /workload/table/rows/0: exactly one of `duration_s` and `operations` is above 0 in a row"},
      {{table, "/workload/table/rows/0/0=null"},
       "--set: /workload/table/rows/0/0: `submit_s` cannot be null | right: seconds, from 0 to 4e9"},
  });
}

TEST(ScenarioMistakes, WhatHappensDuringTheRun) {
  expect({
      {{"/events=[{\"at_s\": 1}]"},
       "--set: /events/0: nothing happens here | right: one of `cancel`, `scale`, `update`, "
       "`submit_again`, `drain`, `evict`, `undrain`"},
      {{"/events=[{\"at_s\": 1, \"submit_again\": \"jab1\"}]"},
       "--set: /events/0/submit_again: there is no job `jab1` | did you mean `job1`?"},
      {{"/events=[{\"at_s\": 1, \"cancel\": \"job1\", \"changed\": true}]"},
       "--set: /events/0/changed: `changed` says nothing here | right: with `submit_again`"},
      {{"/events=[{\"at_s\": 1, \"drain\": \"small\", \"cancel\": \"job1\"}]"},
       "--set: /events/0/drain: `drain` and `cancel` exclude each other"},
      {{"/events=[{\"drain\": \"small\"}]"},
       "--set: /events/0: `at_s` is missing | right: seconds, from 0 to 4e9"},
      {{"/events=[{\"at_s\": 1, \"cancel\": \"jab1\"}]"},
       "--set: /events/0/cancel: there is no job `jab1` | did you mean `job1`?"},
      {{"/events=[{\"at_s\": 1, \"evict\": \"smull\"}]"},
       "--set: /events/0/evict: there is no node `smull` | did you mean `small`?"},
      {{"/faults=[{\"at_s\": 1, \"crash\": \"n7\"}]"},
       "--set: /faults/0/crash: there is no node `n7` | right: a node's name, such as `small`"},
      {{"/faults=[{\"at_s\": 1, \"carsh\": \"small\"}]"},
       "--set: /faults/0: nothing happens here | right: one of `crash`, `restart`, `slow_node`, `partition`, "
       "`network`, `clock_skew`, `controller_restart`, `store_delay`, `store_failure`, `agent_restart`, "
       "`stuck_node`, `unhealthy`"},
      {{"/faults=[{\"at_s\": 1, \"controller_restart\": {}}]"},
       "--set: /faults/0/controller_restart: until when? | right: `until_s`, or `for_s`"},
      {{"/faults=[{\"at_s\": 1, \"controller_restart\": {\"for_s\": 1, \"until_s\": 3}}]"},
       "--set: /faults/0/controller_restart/for_s: `for_s` and `until_s` exclude each other"},
      {{"/cluster/heartbeat_s=0", "/faults=[{\"at_s\": 1, \"store_failure\": {\"for_s\": 1}}]"},
       "--set: /faults/0/store_failure: without heartbeats no agent learns of the new controller | right: "
       "`heartbeat_s` above 0 in the cluster"},
      {{"/faults=[{\"at_s\": 3, \"store_failure\": {\"until_s\": 3}}]"},
       "--set: /faults/0/store_failure/until_s: it ends before it begins | right: a time after `at_s`"},
      {{"/faults=[{\"at_s\": 4e9, \"store_delay\": {\"delay_s\": 1, \"for_s\": 3}}]"},
       "--set: /faults/0/store_delay/for_s: this ends after the end of time | right: at most at 4e9"},
      {{"/faults=[{\"at_s\": 3, \"store_delay\": {\"for_s\": 3}}]"},
       "--set: /faults/0/store_delay: `delay_s` is missing | right: seconds, from 0 to 4e9"},
      {{"/faults=[{\"at_s\": 3, \"partition\": {\"nodes\": []}}]"},
       "--set: /faults/0/partition/nodes: `nodes` is empty | right: at least one name"},
      {{"/faults=[{\"at_s\": 3, \"partition\": {\"nodes\": [\"small\"], \"direction\": \"up\"}}]"},
       "--set: /faults/0/partition/direction: there is no direction `up` | right: `both` or `to_agent` "
       "or `to_controller`"},
      {{"/faults=[{\"at_s\": 3, \"network\": {\"delay\": 0.5}}]"},
       "--set: /faults/0/network/delay: delayed by how much? | right: `max_delay_s`, too"},
      {{"/faults=[{\"at_s\": 3, \"clock_skew\": {\"node\": \"small\", \"rate\": 3}}]"},
       "--set: /faults/0/clock_skew/rate: `3` is out of range | right: a ratio from 0.5 to 2"},
      {{"/faults=[{\"at_s\": 3, \"slow_node\": {\"node\": \"smell\", \"factor\": 2}}]"},
       "--set: /faults/0/slow_node/node: there is no node `smell` | did you mean `small`?"},
      {{"/network/loss=1.01"}, "--set: /network/loss: `1.01` is out of range | right: a ratio from 0 to 1"},
      {{"/network/delay=0.5"}, "--set: /network/delay: delayed by how much? | right: `max_delay_s`, too"},
      {{"/network/max_delay_s=1"},
       "--set: /network/max_delay_s: no message is delayed, so this says nothing | right: `delay`, too"},
  });
}

TEST(ScenarioMistakes, NamesFromTheFileCannotReachTheTerminalRaw) {
  const ParsedScenario parsed = parse_scenario("{\"\\u001b[2J\": 1, \"name\": \"x\"}", "a\x1b.json");
  EXPECT_EQ(parsed.rendered.find('\x1b'), std::string::npos) << parsed.rendered;
  EXPECT_THAT(parsed.rendered, testing::HasSubstr("there is no field `\xe2\x90\x9b[2J` here"));
}

}  // namespace
}  // namespace duet::sim::scenario_test
