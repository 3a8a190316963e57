// What a bad day brings: broken files, full disks, wrong folders, interruptions. A clear error, never a
// crash, and nothing half-written under its final name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/codec/trace_file.h"
#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

/// A scenario with this many nodes of this many cores.
std::string cluster(const std::string& nodes, const std::string& cores = "1") {
  return R"({"cluster": {"node_types": {"n": {"cores": )" + cores +
         R"(}}, "nodes": [{"type": "n", "count": )" + nodes +
         R"(}]}, "workload": {"jobs": [{"duration_s": 1}]}})";
}

struct Bad {
  std::string name;
  std::string text;
};
TEST(Hostile, WhatIsChangedHereIsValidWithoutTheChange) {
  const Folder folder;
  write(folder / "good.json", cluster("1"));
  const Ran ran = duet({"sim", (folder / "good.json").string(), "--engine", "loop"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

class BadScenario : public testing::TestWithParam<Bad> {};
TEST_P(BadScenario, IsRefusedWithItsPlace) {
  const Folder folder;
  const std::string path = (folder / "bad.json").string();
  write(path, GetParam().text);
  for (const std::string command : {"check", "sim"}) {
    const Ran ran = command == "sim"
                        ? duet({"sim", path, "--engine", "loop", "--out", (folder / "o").string()})
                        : duet({"check", path});
    EXPECT_EQ(ran.code, 2) << command << ran.out << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("bad.json"));
  }
  EXPECT_THAT(files_in(folder / "o"), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(
    Hostile, BadScenario,
    testing::Values(Bad{"empty", ""}, Bad{"binary", std::string("\x00\xff\x1b[2J\x00", 8)},
                    Bad{"nested", std::string(100'000, '[')}, Bad{"unclosed", cluster("1").substr(0, 30)},
                    Bad{"huge_number", cluster("1e400")}, Bad{"nan", cluster("NaN")},
                    Bad{"too_many", cluster("999999999999")}, Bad{"negative", cluster("-1")},
                    Bad{"no_nodes", cluster("0")}, Bad{"no_cores", cluster("1", "0")},
                    Bad{"twice", R"({"seed": 1, "seed": 2})"}, Bad{"array", "[]"}, Bad{"null", "null"}),
    [](const auto& chosen) { return chosen.param.name; });

TEST(Hostile, TheLatestTimesThatAreAcceptedAddUp) {
  const Folder folder;
  const std::string path = (folder / "late.json").string();
  write(path, R"({"cluster": {"node_types": {"n": {"cores": 2}}, "nodes": [{"type": "n"}],
    "latency_s": 3e6, "commit_delay_s": 1e7, "heartbeat_s": 1e7, "resend_after_s": 1e7, "kill_grace_s": 1e7},
    "policies": {"detector": {"name": "timeout", "suspect_after_s": 0, "dead_after_s": 0}},
    "workload": {"jobs": [{"at_s": 4e9, "duration_s": 4e9, "estimate_s": 4e9}]},
    "assertions": ["jobs_succeeded == 1"]})");
  const Ran ran = duet({"sim", path, "--engine", "loop"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
}

TEST(Hostile, PlacesWithoutScenarios) {
  for (const std::string path : {"/", "/dev/null", "/dev/zero", "nosuch/file.json", ""}) {
    const Ran ran = duet({"sim", path, "--engine", "loop"});
    EXPECT_EQ(ran.code, 2) << path << ran.err;
    EXPECT_THAT(ran.err, Not(IsEmpty()));
  }
}

TEST(Hostile, PathsAreNotActedUpon) {
  const Ran ran = duet({"sim", "\x1b[2Jnosuch", "--engine", "loop"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
}

TEST(Hostile, AFolderThatCannotBeOne) {
  const Folder folder;
  write(folder / "file", "x");
  for (const std::string out : {"file", "file/inside"}) {
    const Ran ran = duet({"sim", scenario("demo"), "--engine", "loop", "--out", (folder / out).string()});
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr("the folder cannot be made"));
  }
  EXPECT_EQ(read(folder / "file"), "x");
}

TEST(Hostile, AFullDisk) {
  // A limit on the size of files is the full disk that every user can make.
  const std::string limited = "trap '' XFSZ; ulimit -f 8; ";
  const Ran ran = shell(
      limited + "\"$DUET\" sim scenarios/demo.json --engine loop --out \"$TMP/o\"; echo $?; ls \"$TMP/o\"");
  EXPECT_EQ(ran.out, "2\n");
  EXPECT_THAT(ran.err, HasSubstr("trace.duet: cannot be written"));
  const Ran raw = shell(
      "\"$DUET\" import swf tests/data/logs/backfill.swf -o \"$TMP/w.json\" --pool 4 --as work && "
      "\"$DUET\" sim \"$TMP/w.json\" --engine loop --export-raw /dev/full");
  EXPECT_EQ(raw.code, 2);
  EXPECT_THAT(raw.err, HasSubstr("/dev/full: cannot be written: No space left"));
  const Ran out = shell("\"$DUET\" sim scenarios/demo.json --engine loop > /dev/full");
  EXPECT_EQ(out.code, 2);
  EXPECT_THAT(out.err, HasSubstr("standard output cannot be written"));
  const Ran import =
      shell(limited + "\"$DUET\" import swf tests/data/logs/backfill.swf -o /dev/full --pool 4");
  EXPECT_EQ(import.code, 2);
}

TEST(Hostile, AnInterruptionLeavesNothingBehind) {
  for (const std::string engine : {"loop", "simgrid"}) {
    if (engine == "simgrid" && !has_simgrid()) continue;
    const Ran ran =
        shell("\"$DUET\" sim scenarios/poisson-load.json --set /workload/generate/jobs=20000000 --engine " +
              engine + " --out \"$TMP/o\" & child=$!; sleep 0.5; ls \"$TMP/o\"; kill -TERM $child; " +
              "wait $child; echo $?; ls \"$TMP/o\"");
    EXPECT_EQ(ran.out, "trace.duet.part\n143\n") << ran.err;
  }
}

class BadTrace : public testing::TestWithParam<std::string> {};
TEST_P(BadTrace, IsNoticedByEveryCommand) {
  const Folder folder;
  duet({"sim", scenario("bag"), "--engine", "loop", "--out", folder.text()});
  std::string bytes = read(folder / "trace.duet");
  ASSERT_GT(bytes.size(), 2000U);
  if (GetParam() == "cut") bytes.resize(bytes.size() - 100);
  if (GetParam() == "flipped") bytes[bytes.size() / 2] ^= 1;
  if (GetParam() == "appended") bytes += "x";
  if (GetParam() == "empty") bytes.clear();
  if (GetParam() == "garbage") bytes = std::string(1000, '\xff');
  const std::string path = (folder / "bad.duet").string();
  write(path, bytes);
  const Ran verified = duet({"trace", "verify", path});
  EXPECT_EQ(verified.code, 1) << verified.out << verified.err;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"replay", path},
                                             {"trace", "cat", path},
                                             {"trace", "stats", path},
                                             {"explain", path, "1.0"},
                                             {"trace", "step", path},
                                             {"trace", "dot", path},
                                             {"trace", "dot", path, "--task", "1.0"},
                                             {"trace", "perfetto", path},
                                             {"trace", "diff", path, path}}) {
    const Ran ran = duet(command);
    EXPECT_EQ(ran.code, 2) << command[0] << ' ' << command[1] << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("bad.duet"));
  }
  const Ran written = duet({"trace", "perfetto", path, "--out", (folder / "p.json").string()});
  EXPECT_EQ(written.code, 2);
  EXPECT_FALSE(fs::exists(folder / "p.json"));
}
INSTANTIATE_TEST_SUITE_P(Hostile, BadTrace,
                         testing::Values("cut", "flipped", "appended", "empty", "garbage"));

/// A trace whose hashes are right and whose second step feeds the controller this.
void forge(const std::string& path, const controller::Event& event) {
  auto writer = codec::TraceWriter::create({}, codec::TraceOutput::file(path));
  ASSERT_TRUE(writer);
  (*writer)->record(0, instant_ns(0), controller::Event(Wake{}), {}, 0);
  (*writer)->record(0, instant_ns(1), event, {}, 0);
  ASSERT_TRUE((*writer)->finish());
}

TEST(Hostile, AForgedTraceEndsWithAnError) {
  const Folder folder;
  const std::string path = (folder / "forged.duet").string();
  // A node that is not the one of its name: a failed check. A job that is none: a null pointer.
  NodeRecord second;
  second.node = NodeId{1};
  for (const auto& event : {controller::Event(controller::Restore{{second}}),
                            controller::Event(controller::Submit{RequestId{1}, nullptr})}) {
    forge(path, event);
    EXPECT_EQ(duet({"trace", "verify", path}).code, 0);
    for (const std::vector<std::string>& words : {std::vector<std::string>{"replay", path},
                                                  {"explain", path, "1.0"},
                                                  {"trace", "step", path},
                                                  {"trace", "dot", path, "--step", "2"},
                                                  {"trace", "dot", path, "--task", "1.0"}}) {
      const Ran ran = duet(words);
      EXPECT_EQ(ran.code, 2) << ran.out << ran.err;
      EXPECT_THAT(ran.err, HasSubstr("forged.duet: step 2 feeds the core something that no driver does"));
    }
  }
}

}  // namespace
}  // namespace duet::program_tests
