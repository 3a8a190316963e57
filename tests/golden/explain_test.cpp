// Explaining and walking through runs, as users meet it: duet explain, trace step, trace dot.
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace explain_programs {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// Runs, made once: folder / scenario.
const Folder& explained_runs() {
  static const Folder folder;
  static const bool made = [] {
    for (const std::string name : {"demo", "service", "drain", "dag", "burst"})
      duet({"sim", scenario(name), "--engine", "loop", "--out", (folder / name).string()});
    duet({"sim", scenario("easy-backfill"), "--engine", "loop", "--set", "/horizon_s=8", "--out",
          (folder / "cut").string()});
    return true;
  }();
  EXPECT_TRUE(made);
  return folder;
}
std::string run_of(const std::string& name) { return (explained_runs() / name).string(); }

std::size_t lines_of(const std::string& text, const std::string& beginning) {
  std::istringstream in(text);
  std::size_t n = 0;
  for (std::string line; std::getline(in, line);) n += line.starts_with(beginning);
  return n;
}

TEST(ExplainCommand, APlacedTask) {
  const Ran ran = duet({"explain", run_of("service"), "2.0#6"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("task 2.0 of job `flaky`, attempt 6: placed on n2 at 112"));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("exited with code 1; runs again after a backoff of 2 s"),
                             HasSubstr("n0    avoided"), HasSubstr("n1    refused               is down")));
}

TEST(ExplainCommand, AnEvictedTaskSaysWhyItMoved) {
  const Ran ran = duet({"explain", run_of("drain"), "5.0"});
  EXPECT_THAT(ran.out, HasSubstr("evicted: m0 is drained")) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("runs again at no cost of a retry"));
}

TEST(ExplainCommand, AnOperationHasWorkersForCandidates) {
  const Ran ran = duet({"explain", run_of("burst"), "2.0", "-o", "json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json told = json::parse(ran.out);
  std::size_t chosen = 0;
  for (const json& worker : told["nodes"]) {
    EXPECT_THAT(worker["node"].get<std::string>(), HasSubstr("/"));
    chosen += worker["verdict"] == "chosen";
    if (worker["verdict"] == "chosen") EXPECT_EQ(worker["rank"], 1);
  }
  EXPECT_EQ(chosen, 1U) << ran.out;
}

TEST(ExplainCommand, TasksThatWait) {
  const Ran head = duet({"explain", run_of("cut"), "2.0"});
  EXPECT_THAT(head.out, HasSubstr("stands in the queue easy, entry 1 of 2; no node has room")) << head.err;
  EXPECT_THAT(head.out, HasSubstr("it is the head of the queue and has a reservation from 12"));
  const Ran behind = duet({"explain", run_of("cut"), "4.0"});
  EXPECT_THAT(behind.out, HasSubstr("but what is ahead of it comes first; started now, it would by its "
                                    "estimate end at "));
  EXPECT_THAT(behind.out, HasSubstr("the head of the queue, job 2, has a reservation from 12"));
  const Ran backfilled = duet({"explain", run_of("cut"), "3.0"});
  EXPECT_THAT(backfilled.out, HasSubstr("started past 1 entry that was ahead of it"));
  const json told = json::parse(duet({"explain", run_of("cut"), "4.0", "-o", "json"}).out);
  EXPECT_EQ(told["standing"]["why"], "queued");
  EXPECT_EQ(told["standing"]["ahead"], 1);
  EXPECT_EQ(told["reserved"]["job"], 2);
  EXPECT_EQ(told["nodes"][0]["verdict"], "fits");
  EXPECT_EQ(told["story"][0]["state"], "pending");
  EXPECT_TRUE(told["attempt"].is_null());
  const std::string csv = duet({"explain", run_of("cut"), "2.0", "-o", "csv"}).out;
  EXPECT_THAT(csv, AllOf(StartsWith("node,verdict,rank,score,why,obstacles\n"), HasSubstr(",no_cpu\n")));
}

/// Operations that wait for a pool in its cooldown; nodes that die at once where there is a brake; a job that
/// no pool takes.
const Folder& held_runs() {
  static const Folder folder;
  static const bool made = [] {
    write(folder / "pool.json", R"({"horizon_s": 60,
      "cluster": {"node_types": {"n": {"cores": 4}}, "nodes": [{"type": "n"}]},
      "policies": {"autoscaler": {"name": "queue_depth", "per_member": 1}},
      "workload": {"jobs": [
        {"id": "w", "kind": "service", "workers": {"pool": "p", "min": 1, "max": 3, "cooldown_up_s": 20}},
        {"id": "a", "at_s": 1, "kind": "bag", "tasks": 2, "pool": "p", "duration_s": 10, "estimate_s": 10},
        {"id": "b", "at_s": 2, "kind": "bag", "tasks": 6, "pool": "p", "duration_s": 10, "estimate_s": 10},
        {"id": "c", "at_s": 3, "pool": "p", "duration_s": 1, "estimate_s": 1},
        {"id": "gang", "at_s": 4, "tasks": 4, "pool": "p", "duration_s": 1, "estimate_s": 10}]}})");
    write(folder / "brake.json", R"({
      "cluster": {"node_types": {"n": {"cores": 1}}, "nodes": [{"type": "n", "count": 4, "name": "n"}],
        "heartbeat_s": 1, "mass_loss": {"percent": 25, "window_s": 60, "interval_s": 10}},
      "policies": {"detector": {"name": "timeout", "suspect_after_s": 2, "dead_after_s": 4}},
      "faults": [{"at_s": 5, "crash": "n1"}, {"at_s": 5, "crash": "n2"}, {"at_s": 5, "crash": "n3"}],
      "workload": {"jobs": [{"kind": "bag", "tasks": 4, "duration_s": 30}]}})");
    for (const std::string name : {"pool", "brake"})
      duet({"sim", (folder / (name + ".json")).string(), "--engine", "loop", "--out",
            (folder / name).string()});
    return true;
  }();
  EXPECT_TRUE(made);
  return folder;
}
std::string explained_at(const std::string& run, const std::string& task, const std::string& at) {
  const Ran ran = duet({"explain", (held_runs() / run).string(), task, "--at", at});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return ran.out;
}

TEST(ExplainCommand, AWaitInThePastAndThePoolsCooldown) {
  EXPECT_THAT(
      explained_at("pool", "3.2", "5"),
      AllOf(StartsWith("task 3.2 of job `b` at 5 s\n"),
            HasSubstr("now       waits in pool `p`: 2 operations before it (first come, first served), "
                      "entry 1 of 2; no worker has room; started now, it would by its estimate end at "
                      "15 s\n"),
            HasSubstr("held back pool `p` gets no further worker before 21 s: their number changed at "
                      "1 s, and this is its cooldown\n"),
            HasSubstr("p/1 on n  refused               load: needs 909 thousandths, has 0")));
  EXPECT_THAT(explained_at("pool", "4.0", "5"), HasSubstr("waits in pool `p`: 6 operations before it"));
  EXPECT_THAT(explained_at("pool", "3.5", "22"),
              HasSubstr("held back pool `p` has as many workers as it may have: 3\n"));
  EXPECT_THAT(
      explained_at("pool", "3.2", "23"),
      AllOf(HasSubstr("attempt 1: placed on p/0 on n at 21 s"), HasSubstr("  then      running, at 23 s\n"),
            HasSubstr("queue     of pool `p`: nothing was ahead of it"),
            HasSubstr("placed on worker 1.0 of pool p, on n\n")));
  const json told =
      json::parse(duet({"explain", (held_runs() / "pool").string(), "3.2", "--at", "5", "-o", "json"}).out);
  EXPECT_EQ(told["standing"]["tasks_ahead"], 2);
  EXPECT_EQ(told["asked_ns"], 5'000'000'000);
  EXPECT_EQ(told["state_then"], "pending");
  EXPECT_EQ(told["held_back"], json::parse(R"([{"by": "cooldown", "what": "p", "since_ns": 1000000000,
                                                "until_ns": 21000000000}])"));
}

TEST(ExplainCommand, AWaitInThePastIsThatOfARunWhichEndedThen) {
  const std::string whole = (held_runs() / "easy").string();
  duet({"sim", scenario("easy-backfill"), "--engine", "loop", "--out", whole});
  const json then = json::parse(duet({"explain", whole, "4.0", "--at", "4", "-o", "json"}).out);
  const json cut = json::parse(duet({"explain", run_of("cut"), "4.0", "-o", "json"}).out);
  for (const char* key : {"standing", "reserved", "nodes", "story", "step", "at_ns"})
    EXPECT_EQ(then[key], cut[key]) << key;
}

TEST(ExplainCommand, TheMassLossBrakeHoldsNodes) {
  const std::string silent = ": silent for too long, but not given up yet: in a mass loss the brake lets";
  EXPECT_THAT(explained_at("brake", "1.3", "15"),
              AllOf(HasSubstr("  then      running, at 15 s\n"), HasSubstr("  held back n3" + silent)));
  EXPECT_THAT(explained_at("brake", "1.1", "12"), HasSubstr("  held back n2, n3" + silent));
  EXPECT_THAT(explained_at("brake", "1.1", "29"), Not(HasSubstr("held back")));
  EXPECT_THAT(explained_at("brake", "1.0", "29"), Not(HasSubstr("held back")));
}

TEST(TraceStep, ARefusedSubmissionIsADecisionAndSaysWhy) {
  const std::string why = "the pool 'p' can never execute so many operations at one time";
  const std::string run = (held_runs() / "pool").string();
  const Ran ran = duet({"trace", "step", run, "--at", "4", "-n", "1"});
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("a job is submitted: gang\n  request  gang  refused        " + why + "\n"),
                    HasSubstr("sends  reply refused (" + why + ")")))
      << ran.err;
  EXPECT_THAT(read(run + "/jobs.csv"), HasSubstr(",REJECTED,,,,,,,,," + why + "\n"));
}

TEST(TraceStep, ShowsDecisionsAndTheClusterAtEach) {
  const Ran ran = duet({"trace", "step", run_of("demo"), "--at", "5", "-n", "2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(lines_of(ran.out, "decision "), 2U) << ran.out;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("a job is submitted: render"), HasSubstr("placed on n1"),
                             HasSubstr("launch 3.0#1 to n1 (threads 2)"), HasSubstr("queue easy: 17 tasks"),
                             HasSubstr("3.0#1@2 (starting)")));
  EXPECT_THAT(ran.err, HasSubstr("next: --decision "));
}

TEST(TraceStep, AllOfThemInEveryFormat) {
  const std::string run = run_of("service");
  const Ran all = duet({"trace", "step", run, "-n", "0"});
  const json told = json::parse(duet({"trace", "step", run, "-n", "0", "-o", "json"}).out);
  EXPECT_EQ(lines_of(all.out, "decision "), told.size());
  EXPECT_EQ(told.back()["decision"], told.size());
  EXPECT_THAT(all.err, IsEmpty());
  const std::string csv = duet({"trace", "step", run, "-n", "0", "-o", "csv"}).out;
  std::size_t rows = 0;
  for (const json& decision : told) rows += decision["changes"].size() + decision["commands"].size();
  EXPECT_EQ(lines_of(csv, ""), rows + 1);
  // A number leads to the same decision again.
  const json one = json::parse(duet({"trace", "step", run, "--decision", "30", "-n", "1", "-o", "json"}).out);
  EXPECT_EQ(one[0], told[29]);
  const json step =
      json::parse(duet({"trace", "step", run, "--from", one[0]["step"].dump(), "-n", "1", "-o", "json"}).out);
  EXPECT_EQ(step, one);
}

TEST(TraceStep, OnlyWhatConcernsATaskAJobOrANode) {
  const auto changes = [](const std::string& option, const std::string& value) {
    std::set<std::string> ids;
    const json told =
        json::parse(duet({"trace", "step", run_of("service"), "-n", "0", "-o", "json", option, value}).out);
    for (const json& decision : told) {
      EXPECT_FALSE(decision["changes"].empty());
      for (const json& change : decision["changes"])
        ids.insert(option == "--node" && change["what"] == "task" ? change["node"].get<std::string>()
                                                                  : change["id"].get<std::string>());
    }
    return ids;
  };
  EXPECT_EQ(changes("--task", "2.0"),
            (std::set<std::string>{"2.0#1", "2.0#2", "2.0#3", "2.0#4", "2.0#5", "2.0#6"}));
  EXPECT_TRUE(changes("--job", "2").contains("2"));
  EXPECT_EQ(changes("--node", "n1"), (std::set<std::string>{"n1"}));
}

TEST(TraceStep, KeysOnATerminal) {
  if (shell("script -qec true /dev/null").code != 0) GTEST_SKIP() << "there is no script(1)";
  const std::string out = shell("printf 'n pp9\\nq' | TERM=dumb script -qec \"$DUET trace step " +
                                run_of("service") + "\" /dev/null")
                              .out;
  std::vector<std::string> numbers;
  for (auto at = out.find("decision "); at != out.npos; at = out.find("decision ", at + 1))
    numbers.push_back(out.substr(at + 9, out.find(' ', at + 9) - at - 9));
  EXPECT_EQ(numbers, (std::vector<std::string>{"1,", "2,", "3,", "2,", "1,", "9,"})) << out;
}

TEST(TraceDot, GraphvizTakesEveryPicture) {
  if (shell("command -v dot").code != 0) GTEST_SKIP() << "there is no dot(1)";
  const std::string service = run_of("service");
  const std::vector<std::vector<std::string>> pictures = {{service},
                                                          {service, "--at", "0"},
                                                          {service, "--at", "115"},
                                                          {service, "--step", "60"},
                                                          {run_of("demo")},
                                                          {service, "--task", "2.0"},
                                                          {run_of("dag"), "--task", "2.1"},
                                                          {run_of("burst")},
                                                          {"--lifecycle"}};
  for (std::vector<std::string> words : pictures) {
    SCOPED_TRACE(testing::PrintToString(words));
    const Folder folder;
    words.insert(words.begin(), {"trace", "dot"});
    words.insert(words.end(), {"--out", (folder / "p.dot").string()});
    EXPECT_EQ(duet(words).code, 0);
    const Ran drawn = shell("dot -Tsvg " + (folder / "p.dot").string());
    EXPECT_EQ(drawn.code, 0);
    EXPECT_THAT(drawn.err, IsEmpty());
    EXPECT_THAT(drawn.out, HasSubstr("</svg>"));
  }
}

TEST(TraceDot, ACrashedNodeAndATakenWay) {
  const std::string service = run_of("service");
  EXPECT_THAT(duet({"trace", "dot", service, "--at", "115"}).out,
              AllOf(HasSubstr("class=\"node down\""), HasSubstr("at 115 s: 6 attempts")));
  EXPECT_THAT(duet({"trace", "dot", service, "--task", "2.0"}).out,
              AllOf(HasSubstr("task 2.0: 6 attempts, cancelled since 150"), HasSubstr("12: 54")));
}

struct WrongWalk {
  std::vector<std::string> words;
  std::string says;
};
TEST(Walking, MistakesAreExplained) {
  const std::string run = run_of("service");
  const std::vector<WrongWalk> mistakes = {
      {{"explain", run, "9.0"}, "has no task 9.0\n  = a task of a job from 1 to 2"},
      {{"explain", run, "1.99"}, "has no task 1.99\n  = a task from 1.0 to 1."},
      {{"explain", run, "2.0#77"}, "has no attempt 77 of task 2.0\n  = an attempt from 1 to 6"},
      {{"explain", run, "x"}, "x: is no task"},
      {{"explain", run + "/nowhere", "1.0"}, "nowhere: cannot be read"},
      {{"trace", "step", run, "--from", "99999"}, "--from: there is no step 99999\n  = a step from 1 to "},
      {{"trace", "step", run, "--from", "0"}, "--from: counts from 1"},
      {{"trace", "step", run, "--from", "-3"}, "--from"},
      {{"trace", "step", run, "--decision", "9999"}, "there is no decision 9999\n  = a decision from 1 to "},
      {{"trace", "step", run, "--decision", "0"}, "--decision: counts from 1"},
      {{"trace", "step", run, "--at", "1e9"}, "'1e9' is no instant"},
      {{"trace", "step", run, "--at", "-1"}, "'-1' is no instant"},
      {{"trace", "step", run, "--at", "4000"}, "--at: the run has ended by then\n  = an instant up to 200 s"},
      {{"trace", "step", run, "--at", "1", "--from", "2"}, "excludes"},
      {{"trace", "step", run, "--task", "2"}, "'2' is a job\n  = 17.0 (a task), or --job 2"},
      {{"trace", "step", run, "--job", "2.0"}, "'2.0' is a task\n  = --task 2.0"},
      {{"trace", "step", run, "--job", "77"}, "has no job 77\n  = a task of a job from 1 to 2"},
      {{"trace", "step", run, "--task", "2.7"}, "has no task 2.7\n  = its only task is 2.0"},
      {{"trace", "step", run, "--node", "n11"}, "has no node `n11`\n  = did you mean `n1`?"},
      {{"explain", run, "2.0", "--at", "4000"},
       "--at: the run has ended by then\n  = an instant up to 200 s"},
      {{"explain", run_of("cut"), "4.0", "--at", "2.5"},
       "by 2.5 s there was no task 4.0\n  = a later instant"},
      {{"explain", run, "2.0#2", "--at", "4"}, "--at: an attempt was named"},
      {{"explain", run, "2.0", "--at", "soon"}, "--at: 'soon' is no instant"},
      {{"trace", "dot", run, "--at", "4000"}, "the run has ended by then"},
      {{"trace", "dot", run, "--step", "99999"}, "there is no step 99999\n  = a step from 1 to "},
      {{"trace", "dot", run, "--step", "0"}, "--step: counts from 1"},
      {{"trace", "dot", run, "--step", "1", "--at", "1"}, "excludes"},
      {{"trace", "dot", run, "--task", "9.0"}, "has no task 9.0"},
  };
  for (const WrongWalk& mistake : mistakes) {
    SCOPED_TRACE(testing::PrintToString(mistake.words));
    const Ran ran = duet(mistake.words);
    EXPECT_EQ(ran.code, 2) << ran.out;
    EXPECT_THAT(ran.err, HasSubstr(mistake.says));
    EXPECT_THAT(ran.out, IsEmpty());
  }
}

TEST(Walking, ACutTraceIsSaidToBeOne) {
  const Folder folder;
  const std::string whole = read(run_of("service") + "/trace.duet");
  const std::string path = (folder / "cut.duet").string();
  write(path, whole.substr(0, whole.size() * 2 / 3));
  for (const std::vector<std::string>& words : {std::vector<std::string>{"explain", path, "1.0"},
                                                {"trace", "step", path, "-n", "3"},
                                                {"trace", "step", path, "-n", "0", "-o", "json"},
                                                {"trace", "dot", path},
                                                {"trace", "dot", path, "--at", "1"},
                                                {"trace", "dot", path, "--task", "1.0"}}) {
    SCOPED_TRACE(testing::PrintToString(words));
    const Ran ran = duet(words);
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr("the trace is cut off here"));
  }
}

TEST(Walking, ATraceOfAnotherFormatIsRefused) {
  const Folder folder;
  const std::string path = (folder / "other.duet").string();
  std::string bytes = read(run_of("service") + "/trace.duet");
  bytes.replace(0, 12, "duet-trace 9");
  write(path, bytes);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"explain", path, "1.0"}, {"trace", "step", path}, {"trace", "dot", path}})
    EXPECT_EQ(duet(words).code, 2);
}

}  // namespace explain_programs
}  // namespace duet::program_tests
