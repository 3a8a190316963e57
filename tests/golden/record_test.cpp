// duet record and duet verify: a folder of scenarios that must not change unnoticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string one_job(const std::string& duration_s, const std::string& assertion = "jobs == 1") {
  return R"({"cluster": {"node_types": {"small": {"cores": 1}}, "nodes": [{"type": "small"}]},
    "workload": {"jobs": [{"duration_s": )" +
         duration_s + R"(}]}, "assertions": [")" + assertion + "\"]}\n";
}

class Recorded : public testing::Test {
 protected:
  Recorded() {
    write(folder_ / "one.json", one_job("5"));
    write(folder_ / "two.json", one_job("6"));
    const Ran ran = duet({"record", folder_.text(), "--engine", "loop"});
    EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  }
  Ran verify() {
    return duet({"verify", folder_.text(), "--junit", (folder_ / "report.xml").string(), "-o", "csv"});
  }

  Folder folder_;
};

TEST_F(Recorded, KeepsDigestsAndReadableTraces) {
  EXPECT_THAT(read(folder_ / "golden/one.digest"), HasSubstr("loop sha256:"));
  EXPECT_THAT(read(folder_ / "golden/one.jsonl"), HasSubstr("\"submit\""));
  const Ran ran = verify();
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(read(folder_ / "report.xml"), AllOf(HasSubstr("tests=\"2\""), HasSubstr("failures=\"0\"")));
}

TEST_F(Recorded, AChangeIsShownWhereItBegins) {
  write(folder_ / "one.json", one_job("5.5"));
  const Ran ran = verify();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("one.json,changed"), HasSubstr("two.json,same")));
  EXPECT_THAT(ran.err, AllOf(HasSubstr("first difference at step"), HasSubstr("\"duration_ns\":5000000000"),
                             HasSubstr("\"duration_ns\":5500000000")));
  EXPECT_THAT(read(folder_ / "report.xml"), HasSubstr("<failure message=\"changed\">"));
}

TEST_F(Recorded, AChangeOfALongRunIsShownToo) {
  // More than 200 steps; the change comes late.
  const auto many = [](const std::string& last_s) {
    return R"({"cluster": {"node_types": {"n": {"cores": 2}}, "nodes": [{"type": "n"}]},
      "workload": {"jobs": [{"duration_s": 1, "repeat": {"count": 100, "every_s": 1}},
                            {"at_s": 105, "duration_s": )" +
           last_s + "}]}}";
  };
  write(folder_ / "one.json", many("5"));
  EXPECT_EQ(duet({"record", folder_.text(), "--engine", "loop"}).code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "golden/one.jsonl"));
  EXPECT_EQ(verify().code, 0);
  write(folder_ / "one.json", many("5.5"));
  const Ran ran = verify();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err,
              AllOf(HasSubstr("first difference at step "), HasSubstr("  - {\"step\":"),
                    HasSubstr("\"duration_ns\":5000000000"), HasSubstr("\"duration_ns\":5500000000")));
  // A kept trace that is damaged is said to be.
  std::string bytes = read(folder_ / "golden/one.trace");
  for (const std::string& bad :
       {bytes.substr(0, bytes.size() / 2), std::string("\x28\xb5\x2f\xfd"), std::string()}) {
    write(folder_ / "golden/one.trace", bad);
    EXPECT_THAT(verify().err, HasSubstr("one.trace"));
  }
  write(folder_ / "one.json", one_job("5"));
  EXPECT_EQ(duet({"record", folder_.text(), "--engine", "loop"}).code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "golden/one.trace"));
}

TEST_F(Recorded, SoIsOneBehindTheFirstMegabytes) {
  const auto many = [](const std::string& last_s) {
    return R"({"cluster": {"node_types": {"n": {"cores": 2}}, "nodes": [{"type": "n"}]},
      "workload": {"jobs": [{"duration_s": 1, "repeat": {"count": 15000, "every_s": 1}},
                            {"at_s": 15005, "duration_s": )" +
           last_s + "}]}}";
  };
  write(folder_ / "one.json", many("5"));
  EXPECT_EQ(duet({"record", folder_.text(), "--engine", "loop"}).code, 0);
  // A trace that is kept compressed is a trace.
  EXPECT_EQ(duet({"replay", (folder_ / "golden/one.trace").string(), "--verify"}).code, 0);
  write(folder_ / "one.json", many("5.5"));
  EXPECT_THAT(verify().err,
              AllOf(HasSubstr("first difference at step 1"), HasSubstr("\"duration_ns\":5000000000"),
                    HasSubstr("\"duration_ns\":5500000000")));
}

TEST(Record, AnInterruptionLeavesNoFolderAndNoRun) {
  for (const std::string signal : {"INT", "TERM"}) {
    // A shell makes what it starts in the background ignore SIGINT; Duet heeds it all the same.
    const Ran ran = shell(
        "mkdir \"$TMP/s\" \"$TMP/t\"; sed s/20000/20000000/ scenarios/poisson-load.json > \"$TMP/s/a.json\"; "
        "TMPDIR=\"$TMP/t\" \"$DUET\" record \"$TMP/s\" --engine loop & child=$!; "
        "sleep 0.5; ls \"$TMP/t\" | wc -l; kill -" +
        signal +
        " $child; wait $child; echo $?; ls \"$TMP/t\" | wc -l; "
        "grep -ls \"$TMP/[t]/\" /proc/[0-9]*/cmdline | wc -l");
    EXPECT_EQ(ran.out, signal == "INT" ? "1\n130\n0\n0\n" : "1\n143\n0\n0\n") << ran.err;
  }
}

TEST_F(Recorded, AFailedAssertionIsANegativeAnswer) {
  write(folder_ / "one.json", one_job("5", "jobs == 2"));
  const Ran ran = verify();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("one.json,assertions failed"));
  EXPECT_THAT(ran.err, HasSubstr("jobs == 2: it is 1"));
}

TEST_F(Recorded, MissingAndSurplusGoldensAreReported) {
  fs::remove(folder_ / "one.json");
  write(folder_ / "new.json", one_job("7"));
  const Ran ran = verify();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("new.json,not recorded"), HasSubstr("one.json,no scenario")));
}

TEST_F(Recorded, AScenarioThatNoLongerRunsIsReported) {
  write(folder_ / "one.json", "{");
  const Ran ran = verify();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("one.json,did not run"));
  EXPECT_THAT(ran.err, HasSubstr("one.json:"));
}

}  // namespace
}  // namespace duet::program_tests
