// The command line as users and scripts meet it: help, exit codes, formats, and answers to mistakes.
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

class Help : public testing::TestWithParam<std::string> {};
TEST_P(Help, BeginsWithExamples) {
  std::vector<std::string> words = words_of(GetParam());
  words.emplace_back("--help");
  const Ran ran = duet(words);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, StartsWith("Examples:\n  "));
  EXPECT_THAT(ran.out, HasSubstr("Usage: duet"));
  EXPECT_THAT(ran.err, IsEmpty());
  words.pop_back();
  words.insert(words.begin(), "help");
  EXPECT_EQ(duet(words).out, ran.out);
}
INSTANTIATE_TEST_SUITE_P(Cli, Help,
                         testing::Values("", "sim", "check", "import", "import swf", "import batsim",
                                         "policies", "replay", "explain", "trace", "trace cat", "trace diff",
                                         "trace verify", "trace stats", "trace step", "trace dot",
                                         "trace perfetto", "report", "record", "verify", "swarm",
                                         "completion", "version", "internal"));

TEST(Cli, WithoutArgumentsItSaysWhatToTypeNext) {
  const Ran ran = duet({});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("next: duet sim"));
  EXPECT_LE(std::count(ran.out.begin(), ran.out.end(), '\n'), 13);
}

/// A folder with two traces of different runs, made once.
const Folder& traces() {
  static const Folder folder;
  static const bool made = [] {
    duet({"sim", scenario("demo"), "--engine", "loop", "--out", (folder / "a").string()});
    duet({"sim", scenario("demo"), "--engine", "loop", "--queue", "fcfs", "--out", (folder / "b").string()});
    return true;
  }();
  EXPECT_TRUE(made);
  return folder;
}
std::string trace(const std::string& run) { return (traces() / run).string() + "/trace.duet"; }

struct Printing {
  std::string name;
  std::vector<std::string> words;
  int code = 0;
};
std::vector<Printing> printing() {
  const Folder& recorded = traces();
  fs::create_directories(recorded / "suite");
  fs::copy_file(scenario("bag"), recorded / "suite/bag.json", fs::copy_options::skip_existing);
  return {
      {"sim", {"sim", scenario("demo"), "--engine", "loop"}},
      {"check", {"check", scenario("demo"), scenario("bag")}},
      {"check_invalid", {"check", scenario("demo"), DUET_SOURCE_DIR "/README.md"}, 2},
      {"policies", {"policies"}},
      {"policies_one", {"policies", "easy"}},
      {"replay", {"replay", trace("a"), "--verify"}},
      {"trace_diff", {"trace", "diff", trace("a"), trace("b")}, 1},
      {"trace_diff_same", {"trace", "diff", trace("a"), trace("a")}},
      {"trace_verify", {"trace", "verify", trace("a"), trace("b")}},
      {"trace_stats", {"trace", "stats", trace("a")}},
      {"explain", {"explain", trace("a"), "3.0"}},
      {"trace_step", {"trace", "step", trace("a"), "-n", "3"}},
      {"record", {"record", (recorded / "suite").string(), "--engine", "loop"}},
      {"verify", {"verify", (recorded / "suite").string()}},
      {"version", {"version"}},
  };
}
TEST(Cli, EveryCommandThatPrintsDataPrintsJsonAndCsv) {
  for (Printing command : printing()) {
    SCOPED_TRACE(command.name);
    for (const std::string format : {"json", "csv", "table"}) {
      std::vector<std::string> words = command.words;
      words.insert(words.end(), {"-o", format});
      const Ran ran = duet(words);
      EXPECT_EQ(ran.code, command.code) << format << '\n' << ran.out << ran.err;
      if (format == "json") EXPECT_TRUE(json::accept(ran.out)) << ran.out;
      if (format == "csv" && !ran.out.empty())
        EXPECT_THAT(ran.out.substr(0, ran.out.find('\n')), HasSubstr(","));
    }
  }
}

struct Mistake {
  std::string line;
  std::string says;
};
class Usage : public testing::TestWithParam<Mistake> {};
TEST_P(Usage, MistakesAreExplained) {
  const Ran ran = duet(words_of(GetParam().line));
  EXPECT_EQ(ran.code, 2) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_THAT(ran.out, IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(
    Cli, Usage,
    testing::Values(Mistake{"smi demo.json", "there is no command `smi`; did you mean `sim`?"},
                    Mistake{"trace sats x", "there is no command `sats`; did you mean `stats`?"},
                    Mistake{"sim a.json --engien loop",
                            "there is no option `--engien`; did you mean `--engine`?"},
                    Mistake{"sim a.json --engine lopp", "`lopp` is not possible: did you mean `loop`?"},
                    Mistake{"sim a.json b.json", "one argument too many: `b.json`"},
                    Mistake{"sim", "scenario is required"}, Mistake{"trace", "Subcommands:"},
                    Mistake{"import", "Subcommands:"},
                    Mistake{"import swf log -o x.json", "--pool N (one node of N cores) or --hosts N"},
                    Mistake{"import swf log --pool 4", "-o is required"},
                    Mistake{"import swf log -o x.json --pool 4 --hosts 4", "excludes"},
                    Mistake{"import swf log -o x.json --pool -4", "--pool"},
                    Mistake{"sim nosuch.json --engine loop", "nosuch.json: there is no such file"},
                    Mistake{"policies esy", "did you mean `easy`?"},
                    Mistake{"completion csh", "`csh` is not possible"}, Mistake{"trace dot", "which trace?"},
                    Mistake{"trace cat nosuch", "nosuch: cannot be read"},
                    Mistake{"replay nosuch --verify", "nosuch: cannot be read"},
                    Mistake{"record nosuch", "nosuch: the folder cannot be read"},
                    Mistake{"verify nosuch", "nosuch: the folder cannot be read"},
                    Mistake{"swarm --seeds many", "--seeds"}));

TEST(Cli, ExitCodesOfRuns) {
  const std::string demo = scenario("demo");
  EXPECT_EQ(duet({"sim", demo, "--engine", "loop"}).code, 0);
  const Ran failed = duet({"sim", demo, "--engine", "loop", "--set", "/assertions=[\"makespan_s <= 1\"]"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.out, HasSubstr("FAILED  makespan_s <= 1: it is 144.016"));
  const Ran policy = duet({"sim", demo, "--engine", "loop", "--queue", "esy"});
  EXPECT_EQ(policy.code, 2);
  EXPECT_THAT(policy.err, HasSubstr("esy"));
  const Ran seed = duet({"sim", demo, "--engine", "loop", "--seed", "-1"});
  EXPECT_EQ(seed.code, 2);
  EXPECT_EQ(duet({"sim", demo, "--engine", "loop", "--no-trace"}).out.find("digest"), std::string::npos);
}

TEST(Cli, AFolderOfARunStandsForItsTrace) {
  const std::string a = (traces() / "a").string(), b = (traces() / "b").string();
  EXPECT_EQ(duet({"replay", a}).out, duet({"replay", trace("a")}).out);
  EXPECT_EQ(duet({"trace", "cat", a}).out, duet({"trace", "cat", trace("a")}).out);
  EXPECT_EQ(duet({"trace", "diff", a, b}).out, duet({"trace", "diff", trace("a"), trace("b")}).out);
  EXPECT_EQ(duet({"trace", "stats", a}).out, duet({"trace", "stats", trace("a")}).out);
  EXPECT_EQ(duet({"trace", "perfetto", a}).out, duet({"trace", "perfetto", trace("a")}).out);
  const Ran verified = duet({"trace", "verify", a, "-o", "csv"});
  EXPECT_EQ(verified.code, 0);
  EXPECT_THAT(verified.out, HasSubstr(trace("a") + ",true,"));
}

TEST(Cli, OnlyATraceThatCanBeReadIsCalledDamaged) {
  const Folder folder;
  write(folder / "empty", "");
  fs::create_directories(folder / "odd/trace.duet");
  const auto verify = [&](const std::string& name) {
    return duet({"trace", "verify", (folder / name).string()}).code;
  };
  EXPECT_EQ(verify("empty"), 1);
  EXPECT_EQ(verify("nosuch"), 2);
  EXPECT_EQ(verify("odd"), 2);  // Its trace is a folder.
  EXPECT_EQ(verify("."), 2);    // No run's.
  EXPECT_EQ(duet({"trace", "verify", (folder / "nosuch").string(), (folder / "empty").string()}).code, 2);
}

TEST(Cli, WhatToTypeNextIsTheSameRun) {
  const Ran ran = duet({"sim", scenario("demo"), "--engine", "loop", "--seed", "3", "--queue", "sjf"});
  EXPECT_THAT(ran.err, HasSubstr("next: duet sim " + scenario("demo") +
                                 " --engine loop --seed 3 --queue sjf --out results "));
  const Ran ended = duet({"sim", "--engine", "loop", "--", scenario("demo")});
  EXPECT_THAT(ended.err,
              HasSubstr("next: duet sim --out results --engine loop -- " + scenario("demo") + " "));
  const Folder folder;
  const std::string out = (folder / "o").string();
  EXPECT_THAT(duet({"sim", scenario("demo"), "--engine", "loop", "--out", out}).err,
              HasSubstr("next: duet report " + out + "  (one page to look at)\n"));
}

TEST(Cli, AScenarioWithoutANameIsCalledByItsFile) {
  const Folder folder;
  const std::string path = (folder / "small one.json").string();
  write(path, R"({"cluster": {"node_types": {"small": {"cores": 1}}, "nodes": [{"type": "small"}]},
                  "workload": {"jobs": [{"duration_s": 5}]}})");
  const Ran ran = duet({"sim", path, "--engine", "loop", "--out", (folder / "o").string()});
  EXPECT_THAT(ran.out, StartsWith("small one: 1 node, 1 hardware thread; "));
  EXPECT_EQ(json::parse(read(folder / "o/summary.json"))["scenario"], "");
  EXPECT_THAT(duet({"check", path}).out, HasSubstr("small one "));
  EXPECT_EQ(json::parse(duet({"check", path, "-o", "json"}).out)[0]["name"], "");
}

/// A job that waits for a node that never comes back.
const char* const kStalls =
    R"({"cluster": {"node_types": {"small": {"cores": 1}}, "nodes": [{"type": "small", "name": "m"}]},
        "workload": {"jobs": [{"duration_s": 5}]}, "faults": [{"at_s": 1, "crash": "m"}]})";

TEST(Cli, AStalledRunIsANegativeAnswerUnlessItIsExpected) {
  const Folder folder;
  const std::string path = (folder / "stalls.json").string();
  write(path, kStalls);
  const Ran check = duet({"check", path});
  if (check.code != 0) FAIL() << check.err;
  EXPECT_EQ(duet({"sim", path, "--engine", "loop"}).code, 1);
  EXPECT_EQ(duet({"sim", path, "--engine", "loop", "--set", "/assertions=[\"jobs_unfinished == 1\"]"}).code,
            0);
}

TEST(Cli, AStallNamesItsCause) {
  const Folder folder;
  const auto stall = [&](const std::string& jobs, const std::string& faults) {
    write(folder / "s.json", R"({"cluster": {"node_types": {"n": {"cores": 2}, "big": {"cores": 4}},
        "nodes": [{"type": "n", "name": "n", "count": 2}, {"type": "big"}]},
        "workload": {"jobs": [)" +
                                 jobs + R"(]}, "faults": [{"at_s": 1, "crash": "big"}, )" + faults + "]}");
    const Ran ran = duet({"sim", (folder / "s.json").string(), "--engine", "loop", "-o", "json"});
    EXPECT_EQ(ran.code, 1) << ran.err;
    return json::parse(ran.out)["stall_cause"].get<std::string>();
  };
  const std::string slow = R"({"at_s": 1, "slow_node": {"node": "n0", "factor": 1}})";
  const std::string large = R"({"id": "large", "at_s": 2, "cores": 3, "duration_s": 1})";
  EXPECT_EQ(
      stall(large, slow),
      "1 task of 1 job waits for ever. The first, 1.0 of `large`: n0 has no room: CPU: needs 3000 m, has "
      "2000 "
      "m free, short by 1000 m; n1 has no room: CPU: needs 3000 m, has 2000 m free, short by 1000 m; big is "
      "down");
  EXPECT_EQ(stall(R"({"id": "gang", "at_s": 2, "tasks": 5, "duration_s": 100})", slow),
            "5 tasks of 1 job wait for ever. The first, 1.0 of `gang`: is one of 5 that start together, and "
            "there is "
            "room for 4: big is down");
  EXPECT_EQ(
      stall(R"({"id": "d", "at_s": 2, "kind": "dag", "groups": [
                {"name": "a", "tasks": 5, "duration_s": 1},
                {"name": "b", "after": ["a"], "duration_s": 1}]})",
            R"({"at_s": 1, "stuck_node": {"node": "n0"}})"),
      "2 launches are not answered, by n0; 1 task of 1 job waits for ever. The first, 1.5 of `d`: comes "
      "after groups of its job that never end");
  const Ran shown = duet({"sim", (folder / "s.json").string(), "--engine", "loop"});
  EXPECT_THAT(shown.out, HasSubstr("s: 2 launches are not answered, by n0; 1 task of"));
}

TEST(Cli, WarningsAreNoMistakes) {
  const Folder folder;
  const std::string path = (folder / "s.json").string();
  write(path, R"({"cluster": {"node_types": {"n": {}}, "nodes": [{"type": "n"}]},
      "workload": {"jobs": [{"duration_s": 5}]}, "faults": [{"at_s": 1, "restart": "n"}]})");
  const Ran check = duet({"check", path, "-o", "json"});
  EXPECT_EQ(check.code, 0);
  EXPECT_THAT(check.err, HasSubstr("/faults/0/restart: warning: `n` runs at 1 s"));
  const json row = json::parse(check.out)[0];
  EXPECT_EQ(row["valid"], true);
  EXPECT_EQ(row["mistakes"], json::array());
  ASSERT_EQ(row["warnings"].size(), 1U);
  EXPECT_EQ(row["warnings"][0]["where"], path + ":2:84: /faults/0/restart");
  EXPECT_THAT(row["warnings"][0]["what"].get<std::string>(), HasSubstr("`n` runs at 1 s"));
  EXPECT_THAT(duet({"check", path}).out, HasSubstr("        0         1\n"));
  EXPECT_THAT(duet({"check", path, "-o", "csv"}).out, HasSubstr(",1,1,,"));
  const Ran sim = duet({"sim", path, "--engine", "loop"});
  EXPECT_EQ(sim.code, 0);
  EXPECT_THAT(sim.err, HasSubstr("/faults/0/restart: warning: `n` runs at 1 s"));
}

TEST(Cli, DataGoesToStandardOutputAndTalkToStandardError) {
  const Folder folder;
  const Ran ran =
      duet({"sim", scenario("demo"), "--engine", "loop", "-o", "json", "--out", (folder / "o").string()});
  EXPECT_TRUE(json::accept(ran.out));
  EXPECT_EQ(ran.out, read(folder / "o/summary.json"));
  EXPECT_THAT(ran.err, HasSubstr("wrote "));
}

TEST(Cli, OverridesComeInTheirOrderAndPoliciesLast) {
  const Ran ran = duet({"sim", scenario("demo"), "--engine", "loop", "--set", "/seed=3", "--set", "/seed=4",
                        "--set", "/policies/queue=sjf", "--queue", "fcfs", "-o", "json"});
  const json summary = json::parse(ran.out);
  EXPECT_EQ(summary["seed"], 4);
  EXPECT_EQ(summary["policies"]["queue"]["name"], "fcfs");
}

TEST(Cli, CompletionScriptsKnowTheCommandLine) {
  const Ran bash = shell(
      "\"$DUET\" completion bash > \"$TMP/c\" && bash -c \". $TMP/c; COMP_WORDS=(duet sim --engine l); "
      "COMP_CWORD=3; _duet; echo \\\"\\${COMPREPLY[*]}\\\"; COMP_WORDS=(duet trace sta); COMP_CWORD=2; "
      "_duet; echo \\\"\\${COMPREPLY[*]}\\\"\"");
  EXPECT_EQ(bash.out, "loop\nstats\n") << bash.err;
  for (const std::string name : {"zsh", "fish"}) {
    const Ran ran = duet({"completion", name});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out,
                AllOf(HasSubstr("easy_machines"), HasSubstr("perfetto"), Not(HasSubstr("internal"))));
    if (shell("command -v " + name).code == 0)
      EXPECT_EQ(shell("\"$DUET\" completion " + name + " > \"$TMP/c\"; " + name + " -n \"$TMP/c\"").code, 0);
  }
}

TEST(Cli, SchemaOfTheTreeIsThatOfTheProgram) {
  EXPECT_EQ(duet({"internal", "schema"}).out, read(DUET_SOURCE_DIR "/scenarios/scenario.schema.json"));
}

TEST(Cli, ColorsAreForTerminalsThatWantThem) {
  if (shell("script -qec true /dev/null").code != 0) GTEST_SKIP() << "there is no script(1)";
  const auto on_terminal = [](const std::string& environment) {
    return shell(environment +
                 " script -qec \"$DUET sim scenarios/demo.json --engine loop --set "
                 "'/assertions=[\\\"jobs == 1\\\"]'\" /dev/null")
        .out;
  };
  EXPECT_THAT(on_terminal("TERM=xterm"), HasSubstr("\x1b[31mFAILED"));
  EXPECT_THAT(on_terminal("TERM=xterm NO_COLOR=1"), AllOf(HasSubstr("FAILED"), Not(HasSubstr("\x1b["))));
  EXPECT_THAT(on_terminal("TERM=dumb"), AllOf(HasSubstr("FAILED"), Not(HasSubstr("\x1b["))));
}

}  // namespace
}  // namespace duet::program_tests
