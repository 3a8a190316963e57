// duet compare, and duet sim with several policies, as users start them.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {
namespace compare_programs {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kDay = DUET_SOURCE_DIR "/scenarios/lublin-day.json";

Ran compare_queues(const std::string& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {
      "compare", kDay, "--axis", "queue=fcfs,sjf,easy", "--seeds", "1..7", "--engine", "loop", "--out", out};
  words.insert(words.end(), more.begin(), more.end());
  return duet(words);
}

std::size_t files_called(const fs::path& folder, const std::string& name) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.path().filename() == name;
  return count;
}

/// One job of these seconds.
void write_one_job(const fs::path& path) {
  write(path, R"({"name": "one", "cluster": {"node_types": {"n": {"cores": 1}}, "nodes": [{"type": "n"}]},
      "workload": {"jobs": [{"duration_s": 100}]}})");
}
std::string experiment(const std::string& values, const std::string& more = "") {
  return R"({"scenarios": ["one.json"], "engine": "loop", "objective": "makespan_s",
      "axes": [{"pointer": "/workload/jobs/0/duration_s", "values": [)" +
         values + "]}]" + more + '}';
}

TEST(Compare, SaysWhichIsBetterAndWritesItDown) {
  const Folder folder;
  const std::string out = (folder / "out").string();
  const Ran ran = compare_queues(out);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("lublin-day: easy has the lowest mean_wait_s: "));
  EXPECT_THAT(ran.out, HasSubstr("less than fcfs ("));
  const std::string rows = read(folder / "out/results.csv");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 22);
  EXPECT_THAT(rows, StartsWith("scenario,variant,seed,ended,digest,folder,makespan_s,makespan_bound_s,"));
  EXPECT_THAT(read(folder / "out/report.md"),
              AllOf(StartsWith("# lublin-day\n\n**lublin-day: easy has the lowest"),
                    HasSubstr("| mean_wait_s | easy |")));
  // Tables to draw are kept of the first seed.
  EXPECT_EQ(files_called(folder / "out/runs", "summary.json"), 21U);
  EXPECT_EQ(files_called(folder / "out/runs", "jobs.csv"), 3U);
  EXPECT_EQ(files_called(folder / "out/runs", "trace.duet"), 1U);
}

TEST(Compare, WhatWasRunIsNotRunAgain) {
  const Folder folder;
  const std::string out = (folder / "out").string();
  EXPECT_EQ(compare_queues(out).code, 0);
  const std::string before = read(folder / "out/comparison.json");
  const auto written = [&] {
    std::vector<std::pair<std::string, fs::file_time_type>> times;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "out/runs"))
      times.emplace_back(entry.path().string(), fs::last_write_time(entry.path()));
    std::sort(times.begin(), times.end());
    return times;
  };
  const auto times = written();
  // One of them was only begun, and one has gone.
  fs::create_directories(folder / "out/runs/0123.part");
  EXPECT_EQ(compare_queues(out).code, 0);
  EXPECT_EQ(written(), times);
  EXPECT_EQ(read(folder / "out/comparison.json"), before);
  fs::remove_all(fs::path(times.front().first).parent_path() == folder / "out/runs"
                     ? fs::path(times.front().first)
                     : fs::path(times.front().first).parent_path());
  EXPECT_EQ(compare_queues(out).code, 0);
  EXPECT_EQ(written().size(), times.size());
  EXPECT_EQ(read(folder / "out/comparison.json"), before);
}

TEST(Compare, AnInterruptionLeavesWhatIsDoneAndNothingHalfWritten) {
  const Ran ran = shell(
      "\"$DUET\" compare scenarios/poisson-load.json --engine loop --seeds 1,2 "
      "--axis /workload/generate/jobs=100,20000000 --jobs 2 --out \"$TMP/o\" & child=$!; "
      "while [ \"$(ls \"$TMP/o/runs\" 2>/dev/null | grep -vc part)\" != 2 ]; do kill -0 $child || break; "
      "done; "
      "kill -INT $child; wait $child; echo $?; ls \"$TMP/o/runs\" | grep -c part; ls \"$TMP/o/runs\" | wc "
      "-l; "
      "ls \"$TMP/o\" | grep -c json; grep -ls \"$TMP/[o]/\" /proc/[0-9]*/cmdline | wc -l");
  EXPECT_EQ(ran.out, "130\n0\n2\n0\n0\n") << ran.err;
}

TEST(Compare, TheSamePolicyUnderTwoNamesIsATie) {
  const Folder folder;
  write(folder / "e.json",
        R"({"scenarios": [")" + std::string(kDay) + R"("], "engine": "loop", "seeds": [1, 2, 3],
      "axes": [{"pointer": "queue", "values": ["easy", {"name": "easy again", "value": "easy"}]}]})");
  const Ran ran = duet({"compare", (folder / "e.json").string(), "--out", (folder / "out").string()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              StartsWith("lublin-day: a tie: easy and easy again have the same mean_wait_s with each of "));
  EXPECT_EQ(files_called(folder / "out/runs", "summary.json"), 3U) << "equal runs are one run";
}

TEST(Compare, ARegressionIsNamedAndNoneIsNot) {
  const Folder folder;
  write_one_job(folder / "one.json");
  const auto run = [&](const std::string& name, const std::string& seconds,
                       const std::vector<std::string>& more) {
    write(folder / "e.json", experiment(R"({"name": "now", "value": )" + seconds + "}"));
    std::vector<std::string> words = {"compare", (folder / "e.json").string(), "--out",
                                      (folder / name).string()};
    words.insert(words.end(), more.begin(), more.end());
    return duet(words);
  };
  EXPECT_EQ(run("old", "100", {}).code, 0);
  const std::string old = (folder / "old").string();
  const Ran same = run("same", "100", {"--against", old});
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_THAT(same.err, HasSubstr("no metric has moved\nthe same decisions in all 1 runs\n"));
  const Ran worse = run("new", "103", {"--against", old});
  EXPECT_EQ(worse.code, 1);
  EXPECT_THAT(worse.err, HasSubstr("worse: one, now: makespan_s 100 -> 103 s (+3 %, 1 seed)\n"));
  EXPECT_EQ(run("new", "103", {"--against", old + "/comparison.json", "--tolerance", "3%"}).code, 0);
  EXPECT_EQ(run("new", "97", {"--against", old}).code, 0) << "better is no regression";
  EXPECT_EQ(run("new", "103", {"--against", (folder / "nowhere").string()}).code, 2);
  EXPECT_EQ(run("new", "103", {"--tolerance", "3%"}).code, 2);
}

TEST(Compare, WhatCannotRunIsRefusedBeforeAnythingRuns) {
  const Folder folder;
  const Ran ran = duet({"compare", kDay, "--axis", "queue=easy,esay", "--axis", "scheduler=first_fit,e_pmv",
                        "--engine", "loop", "--out", (folder / "out").string()});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("did you mean `easy`?"), HasSubstr("did you mean `e_pvm`?")));
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_EQ(duet({"compare"}).code, 2);
  const Ran several = duet({"compare", kDay, "--axis", "nonsense", "--seeds", "x", "--tolerance", "y"});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, AllOf(HasSubstr("--out DIR"), HasSubstr("--axis nonsense"), HasSubstr("--seeds x"),
                                 HasSubstr("--tolerance")));
}

TEST(Compare, SlipsInOptionsAreToldByTheOptionThatWasWritten) {
  const auto refused = [](std::vector<std::string> words) {
    const Ran ran = duet(words);
    EXPECT_EQ(ran.code, 2) << ran.out;
    return ran.err;
  };
  EXPECT_EQ(refused({"sim", kDay, "--engine", "loop", "--scheduler", "spread,", "--queue", "fcfs,,easy"}),
            "--queue fcfs,,easy: a value is empty\n  = --queue fcfs,easy\n"
            "--scheduler spread,: a value is empty\n  = --scheduler first_fit,spread\n");
  const std::string seed = refused({"compare", kDay, "--axis", "/seed=1,2", "--out", "nowhere"});
  EXPECT_THAT(seed, StartsWith("--axis /seed=1,2: the seeds are no axis"));
  EXPECT_THAT(seed, HasSubstr("  = --seeds 1..30\n"));
  EXPECT_THAT(refused({"compare", kDay, "--objective", "wait", "--out", "nowhere"}),
              HasSubstr("--objective: `wait` is not possible: did you mean `mean_wait_s`, "));
  const std::string far = refused({"compare", kDay, "--objective", "latency", "--out", "nowhere"});
  EXPECT_THAT(far, HasSubstr(" in all\n"));
  EXPECT_LT(far.size(), 400U);
}

TEST(SimWithSeveralPolicies, ValuesMayBeJson) {
  const Ran one = duet({"sim", kDay, "--engine", "loop", "--queue", R"({"name": "easy"})"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("digest"));
  const Ran two = duet({"sim", kDay, "--engine", "loop", "--queue", R"({"name": "easy"},fcfs)"});
  EXPECT_EQ(two.code, 0) << two.err;
  EXPECT_THAT(two.out, StartsWith("lublin-day: easy has the lowest mean_wait_s: "));
}

TEST(Compare, ItsFilesAreWrittenBeforeAnotherMayBegin) {
  // What draws the report's pictures looks for the lock: it is the last thing but the page itself.
  const Ran ran = shell(
      "mkdir \"$TMP/bin\"; printf '#!/bin/sh\\nflock -n \"%s/o/.lock\" true && echo free >> \"%s/seen\" || "
      "echo taken >> \"%s/seen\"\\nexit 1\\n' \"$TMP\" \"$TMP\" \"$TMP\" > \"$TMP/bin/dot\"; "
      "chmod +x \"$TMP/bin/dot\"; PATH=\"$TMP/bin:$PATH\" \"$DUET\" compare scenarios/lublin-day.json "
      "--axis queue=fcfs,easy --engine loop --out \"$TMP/o\" > /dev/null; sort -u \"$TMP/seen\"; "
      "flock -n \"$TMP/o/.lock\" echo free");
  EXPECT_EQ(ran.out, "taken\nfree\n") << ran.err;
}

TEST(Compare, ARunThatDiesIsTold) {
  // Files may not be larger than this: whoever writes more dies of it.
  const Ran ran = shell(
      "ulimit -f 1000; \"$DUET\" compare scenarios/poisson-load.json --axis /workload/generate/jobs=20,20000 "
      "--engine loop "
      "--out \"$TMP/o\"; echo $?; ls \"$TMP/o/runs\" | wc -l");
  EXPECT_THAT(ran.out,
              HasSubstr("note: 1 run: did not end: ended by signal 25 (poisson-load, jobs=20000, seed "));
  EXPECT_TRUE(ran.out.ends_with("\n1\n1\n")) << ran.out << ran.err;
}

TEST(Compare, MeasuredTimesAreHeldAgainstEachOther) {
  const Folder folder;
  const auto bench = [&](const std::string& name, const std::vector<int>& ns) {
    std::string text = R"({"benchmarks": [)";
    for (const int one : ns)
      text += std::string(text.ends_with('[') ? "" : ",") + R"({"name": "decision/easy/100", "cpu_time": )" +
              std::to_string(one) + R"(, "real_time": 1, "time_unit": "ns"})";
    write(folder / name, text + "]}");
    return (folder / name).string();
  };
  const std::string old = bench("old.json", {100, 101, 99, 100, 102});
  EXPECT_EQ(duet({"compare", "--bench", bench("same.json", {101, 100, 99, 102, 100}), "--against", old}).code,
            0);
  const Ran slower =
      duet({"compare", "--bench", bench("new.json", {110, 111, 109, 110, 112}), "--against", old});
  EXPECT_EQ(slower.code, 1);
  EXPECT_THAT(slower.err, HasSubstr("slower: decision/easy/100 by 10 %"));
  EXPECT_THAT(slower.out, HasSubstr("worse"));
  EXPECT_EQ(duet({"compare", "--bench", old}).code, 0);
  EXPECT_EQ(duet({"compare", "--bench", kDay}).code, 2);
  const Ran joined = compare_queues((folder / "out").string(), {"--bench", old});
  EXPECT_THAT(read(folder / "out/comparison.json"),
              HasSubstr(R"({"policy": "easy", "nodes": 100, "ns": 100, "noise": 0.0148)"));
  EXPECT_THAT(joined.out, HasSubstr("ns per decision"));
}

TEST(SimWithSeveralPolicies, IsOneRunOfEach) {
  const Folder folder;
  const Ran ran = duet({"sim", kDay, "--queue", "fcfs,easy", "--seed", "3", "--engine", "loop", "--out",
                        (folder / "several").string()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("with the one seed that all have"));
  for (const std::string queue : {"fcfs", "easy"}) {
    const Ran alone = duet({"sim", kDay, "--queue", queue, "--seed", "3", "--engine", "loop", "--out",
                            (folder / queue).string()});
    EXPECT_EQ(alone.code, 0);
    for (const char* file : {"jobs.csv", "tasks.csv", "summary.json", "trace.duet"})
      EXPECT_EQ(read(folder / ("several/" + queue) / file), read(folder / queue / file)) << file;
  }
  const Ran bad = duet({"sim", kDay, "--queue", "fcfs,esay", "--engine", "loop"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.err, HasSubstr("did you mean `easy`?"));
  const Ran csv = duet({"sim", kDay, "--scheduler", "first_fit,spread", "--engine", "loop", "-o", "csv"});
  EXPECT_THAT(csv.out, StartsWith("scenario,metric,unit,variant,"));
}

TEST(Compare, NothingOfTheUsersIsDeletedWhereResultsGo) {
  const Folder folder;
  fs::create_directories(folder / "out/first_fit");
  write(folder / "out/first_fit/thesis.txt", "two years");
  write(folder / "out/first_fit/jobs.csv", "of an earlier run");
  const Ran ran = duet({"sim", kDay, "--scheduler", "first_fit,spread", "--engine", "loop", "--out",
                        (folder / "out").string()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(read(folder / "out/first_fit/thesis.txt"), "two years");
  EXPECT_THAT(read(folder / "out/first_fit/jobs.csv"), StartsWith("job_id,"));
  EXPECT_THAT(ran.err, HasSubstr("next: duet report "));
}

TEST(Compare, ARunThatCannotBeDrawnDoesNotCostTheReport) {
  const Folder folder;
  const std::string out = (folder / "out").string();
  ASSERT_EQ(compare_queues(out).code, 0);
  for (const auto& entry : fs::directory_iterator(folder / "out/runs"))
    if (fs::exists(entry.path() / "jobs.csv")) {
      fs::remove(entry.path() / "nodes.csv");
      break;
    }
  const Ran report = duet({"report", out});
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_THAT(report.err, HasSubstr("note: not drawn: "));
}

TEST(Compare, WhatWouldMisleadIsRefused) {
  const Folder folder;
  const std::string out = (folder / "out").string();
  ASSERT_EQ(compare_queues(out).code, 0);
  const std::string before = read(folder / "out/comparison.json");
  const Ran same = compare_queues(out, {"--against", out});
  EXPECT_EQ(same.code, 2);
  EXPECT_THAT(same.err, HasSubstr("would be overwritten by --out"));
  EXPECT_EQ(read(folder / "out/comparison.json"), before);
  EXPECT_THAT(compare_queues(out, {"--axis", "queue=priority"}).err,
              HasSubstr("/policies/queue is varied twice"));
  ASSERT_EQ(duet({"sim", kDay, "--engine", "loop", "--out", out}).code, 0);
  const Ran both = duet({"report", out});
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("holds a comparison and the results of a run"));
}

}  // namespace compare_programs
}  // namespace
}  // namespace duet::program_tests
