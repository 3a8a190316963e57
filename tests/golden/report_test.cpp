// `duet report`, as users start it: the page of a run, the same bytes twice, and mistakes that are named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {
namespace report_program {

using testing::HasSubstr;

bool holds(const std::string& page, const std::string& part) { return page.find(part) != std::string::npos; }

/// The folder of a run of the demo, made once; tests copy what they change.
const Folder& demo_run() {
  static const Folder folder;
  static const bool made =
      duet({"sim", scenario("demo"), "--engine", "loop", "--out", folder.text()}).code == 0;
  EXPECT_TRUE(made);
  return folder;
}

void copy_run(const Folder& to) {
  fs::copy(demo_run().text(), to.text(), fs::copy_options::overwrite_existing | fs::copy_options::recursive);
}

TEST(Report, APageOfTheDemo) {
  const Folder folder;
  copy_run(folder);
  const Ran ran = duet({"report", folder.text(), "--static"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "wrote " + (folder / "report.html").string() + "\n");
  const std::string page = read(folder / "report.html");
  EXPECT_TRUE(holds(page, "<p class=\"verdict\">21 jobs: 20 succeeded, 1 cancelled."));
  // What the trace of attempts knows and tasks.csv does not: what was lost with n1 at 45 s.
  EXPECT_TRUE(holds(page, "<title>simulation, task 1\nnode n1\n0.004 s to 45 s\nlost</title>"));
  EXPECT_TRUE(holds(page, "64 attempts, 6 failed or lost (red)"));
  EXPECT_TRUE(holds(page, "Nodes that are up"));
  EXPECT_FALSE(holds(page, "<script"));
  const Ran printed = duet({"report", folder.text(), "--static", "--out", "-"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_EQ(printed.out, page);
  EXPECT_EQ(printed.err, "");
  const Ran again = duet({"report", folder.text(), "--static", "--out", (folder / "again.html").string()});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(read(folder / "again.html"), page);
}

TEST(Report, WithoutGraphvizALineStandsForThePictures) {
  const Folder folder;
  copy_run(folder);
  const Ran ran = shell("PATH=/nowhere $DUET report " + folder.text() + " --static");
  EXPECT_EQ(ran.code, 0) << ran.err;
  const std::string page = read(folder / "report.html");
  EXPECT_TRUE(holds(page, "Not drawn: dot cannot be started: No such file or directory"));
}

TEST(Report, WhatIsWrongIsNamedAndNothingIsWritten) {
  EXPECT_EQ(duet({"report", "/does/not/exist"}).code, 2);
  const Folder folder;
  copy_run(folder);
  const auto refused = [&](const std::string& file, const std::string& text, const std::string& why) {
    const std::string before = read(folder / file);
    write(folder / file, text);
    const Ran ran = duet({"report", folder.text()});
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr(file));
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_FALSE(fs::exists(folder / "report.html"));
    write(folder / file, before);
  };
  refused("summary.json", "{", "");
  refused("summary.json", "{}", "has no end_s");
  refused("nodes.csv", "", "is empty");
  refused("nodes.csv", "node,type\n", "has no column cores, threads_per_core, reserved_cores, zones");
  const std::string head = "task_id,job_id,node,slot,attempts,state,outcome,start,end,threads,kind\n";
  refused("tasks.csv", head + "1.0,a\n", "11 fields");
  refused("tasks.csv", head + "99.0,a,n0,0,1,succeeded,succeeded,0.0,1.0,1,rigid\n", "task_id is `99.0`");
  refused("tasks.csv", head + "1.0,a,nX,0,1,succeeded,succeeded,0.0,1.0,1,rigid\n", "one of the nodes");
  refused("tasks.csv", head + "1.0,a,n0,0-,1,succeeded,succeeded,0.0,1.0,1,rigid\n", "slot is `0-`");
  refused("tasks.csv", head + "1.0,a,n0,0,1,succeeded,succeeded,zero,1.0,1,rigid\n", "start is `zero`");
  refused("node_states.csv", "time,node,state,draining\n\"0,n0,ready,0\n", "quotes are not closed");
}

}  // namespace report_program
}  // namespace
}  // namespace duet::program_tests
