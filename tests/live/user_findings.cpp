// What people stumbled over, one test each.

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "tests/live/local_cluster.h"

namespace duet::program_tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class UserFindings : public LocalCluster {
 protected:
  UserFindings() : LocalCluster(26000) {}
  bool in_state(const std::string& job, const std::string& state) {
    return eventually([&] {
      const json shown = ask({"job", job});
      return shown.is_object() && shown.value("state", "") == state;
    });
  }
};

TEST_F(UserFindings, JobsHaveNames) {
  ASSERT_EQ(try_up(1).code, 0);
  ASSERT_EQ(live({"run", "--name", "one"}, {"sh", "-c", "echo hello; exec sleep 600"}).code, 0);
  ASSERT_EQ(live({"run", "--name", "two"}, {"sleep", "600"}).code, 0);
  ASSERT_EQ(live({"run", "--name", "two"}, {"sleep", "600"}).code, 0);
  ASSERT_TRUE(in_state("one", "running"));
  ASSERT_TRUE(eventually([&] { return live({"logs", "one"}).out == "hello\n"; }));
  EXPECT_EQ(live({"logs", "one.0"}).out, "hello\n");
  EXPECT_EQ(live({"stop", "one"}).code, 0);
  ASSERT_TRUE(in_state("one", "cancelled"));  // the latest of that name
  EXPECT_EQ(live({"logs", "one"}).out, "hello\n");
  const Ran gone = live({"stop", "one"});
  EXPECT_EQ(gone.code, 1);
  EXPECT_THAT(gone.err, HasSubstr("there is no job one that has not ended"));
  const Ran several = live({"stop", "two"});
  EXPECT_EQ(several.code, 1);
  EXPECT_THAT(several.err, HasSubstr("2 jobs have the name two"));
  EXPECT_THAT(several.err, HasSubstr("\n  3  "));
  EXPECT_THAT(several.err, HasSubstr("\n  2  "));
}

TEST_F(UserFindings, DeployedAgainAServiceKeepsWhatIsNotSaid) {
  ASSERT_EQ(try_up(1).code, 0);
  ASSERT_EQ(live({"deploy", "web", "--replicas", "2", "--ports", "1"}, {"sleep", "600"}).code, 0);
  const Ran again = live({"deploy", "web"}, {"sleep", "601"});
  EXPECT_THAT(again.out, HasSubstr("2 replicas"));
  ASSERT_TRUE(eventually([&] {
    const json service = ask({"services"})[0];
    return service.value("version", 0) == 1 && service.value("running_replicas", 0) == 2;
  }));
  const json shown = ask({"job", "web"});
  EXPECT_EQ(shown["groups"].back()["command"]["ports"], 1);
  EXPECT_EQ(shown["groups"].back()["command"]["argv"][1], "601");
}

TEST_F(UserFindings, MistakenOptionsAreNamed) {
  for (const auto& [words, said] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"run", "--cpu", "-5", "--", "true"}, "'-5' will not do: a whole number, 0 to 1000000000"},
           {{"run", "--count", "0", "--", "true"}, "'0' will not do: a whole number, 1 to 1000000"},
           {{"run", "--memory", "x", "--", "true"}, "'x' will not do"},
           {{"deploy", "web", "--replicas", "-1", "--", "true"}, "'-1' will not do"},
           {{"scale", "web", "many"}, "'many' will not do"},
           {{"run", "--token-file", "/nowhere", "--url", "127.0.0.1:1", "--", "true"},
            "/nowhere: cannot be read"},
           {{"agent", "--name", "../x", "--data", data()}, "'../x' cannot be the name of a node"}}) {
    const Ran ran = duet(words);
    EXPECT_EQ(ran.code, 2) << said;
    EXPECT_THAT(ran.err, HasSubstr(said));
  }
  write(folder_ / "job.json", R"({"name":"a","command":["true"]})");
  const Ran ignored = duet({"run", "-f", (folder_ / "job.json").string(), "--cpu", "500"});
  EXPECT_EQ(ignored.code, 2);
  EXPECT_THAT(ignored.err, HasSubstr("--cpu is for a command"));
}

TEST_F(UserFindings, AFolderHasOneCluster) {
  const Ran first = try_up(1);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("Duet is up: 1 node at"));
  struct stat about {};
  ASSERT_EQ(::stat(data().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
  const std::string log = read(folder_ / "data/log/up.log");
  const Ran second = try_up(1);
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr("a cluster runs here already"));
  EXPECT_THAT(second.err, HasSubstr("duet down --data " + data()));
  EXPECT_EQ(read(folder_ / "data/log/up.log"), log);
  EXPECT_EQ(live({"down"}).out, "Stopped.\n");
  // A note that was left behind is no sign of life.
  write(folder_ / "data/up.json", R"({"pid":1,"url":"http://127.0.0.1:1"})");
  EXPECT_EQ(try_up(1).code, 0);
  EXPECT_EQ(live({"status"}).code, 0);
}

TEST_F(UserFindings, WhatIsTooLargeIsAcceptedWithAWarning) {
  ASSERT_EQ(try_up(1).code, 0);
  const Ran ran = live({"run", "--name", "huge", "--cpu", "1000000"}, {"true"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err,
              HasSubstr("warning: job 1 waits: no node is large enough: a task needs 1000000 m of CPU"));
  EXPECT_THAT(live({"status"}).out, HasSubstr("no node is large enough"));
  EXPECT_THAT(live({"status", "-o", "wide"}).out, HasSubstr("no node is large enough"));
  EXPECT_EQ(live({"stop", "huge"}).code, 0);
  ASSERT_TRUE(in_state("1", "cancelled"));
  EXPECT_THAT(live({"status", "--all"}).out, Not(HasSubstr("no node is large enough")));
}

TEST_F(UserFindings, ListsShowWhatEndedBeforeTheControllerBegan) {
  ASSERT_EQ(try_up(1).code, 0);
  ASSERT_EQ(live({"run", "--name", "done", "--wait"}, {"echo", "out"}).code, 0);
  ASSERT_EQ(live({"run", "--name", "later"}, {"sleep", "600"}).code, 0);
  ASSERT_EQ(live({"down"}).code, 0);
  ASSERT_EQ(try_up(1).code, 0);
  EXPECT_THAT(live({"job", "--all", "-o", "csv"}).out, HasSubstr("1,done,rigid,succeeded"));
  EXPECT_THAT(live({"status", "--all", "-o", "csv"}).out, HasSubstr("1.0,done,succeeded,node-1,1,"));
  EXPECT_THAT(live({"status", "-o", "csv"}).out, Not(HasSubstr("done")));
  EXPECT_EQ(live({"logs", "done"}).out, "out\n");
  EXPECT_EQ(live({"logs", "1"}).out, "out\n");
}

TEST_F(UserFindings, OutputOfEarlierAttemptsIsKept) {
  ASSERT_EQ(try_up(1).code, 0);
  EXPECT_EQ(
      live({"run", "--name", "twice", "--retries", "1", "--wait"}, {"sh", "-c", "echo $DUET_TASK; exit 3"})
          .code,
      3);
  EXPECT_EQ(live({"logs", "1"}).out, "1.0#2\n");
  EXPECT_EQ(live({"logs", "1.0#1"}).out, "1.0#1\n");
  EXPECT_EQ(live({"logs", "twice#1"}).out, "1.0#1\n");
  const Ran none = live({"logs", "1.0#7"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("there are: 1, 2."));
}

}  // namespace
}  // namespace duet::program_tests
