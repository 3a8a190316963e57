// Payloads: what a task runs, as JSON.
#include "live/runtime/task_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace duet::test {
namespace {

using live::command_from_payload;
using live::TaskCommand;
using live::to_payload;

std::vector<std::string> mistakes(std::string_view payload) {
  std::vector<std::string> out;
  const auto command = command_from_payload(payload);
  if (command) return out;
  for (const Problem& problem : command.problems()) out.push_back(problem.where + " " + problem.what);
  return out;
}

TEST(TaskCommand, IsWrittenInOneWayAndReadBack) {
  EXPECT_EQ(to_payload({.argv = {"sleep", "60"}}), R"({"argv":["sleep","60"]})");
  const TaskCommand all{{"a b", "\"\n"}, {{"A", "1"}, {"B", "2=3"}}, "/srv", "tiny:1", 2, 1'048'576};
  const std::string text =
      R"({"argv":["a b","\"\n"],"directory":"/srv","env":{"A":"1","B":"2=3"},"image":"tiny:1",)"
      R"("memory_bytes":1048576,"ports":2})";
  EXPECT_EQ(to_payload(all), text);
  const auto read = command_from_payload(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, all);
  const auto image = command_from_payload(R"({"image":"tiny"})");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->image, "tiny");
}

TEST(TaskCommand, HealthAndBalanceAreReadBack) {
  using Kind = live::HealthQuestion::Kind;
  const auto same = [](const TaskCommand& command, const std::string& text) {
    EXPECT_EQ(to_payload(command), text);
    const auto read = command_from_payload(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, command);
  };
  same({.argv = {"a"}, .ports = 2, .health = {.kind = Kind::kHttp, .port = 1, .path = "/up?x=1"}},
       R"({"argv":["a"],"health":{"http":"/up?x=1","port":1},"ports":2})");
  same({.argv = {"a"}, .ports = 1, .health = {.kind = Kind::kTcp}, .balance = 9000},
       R"({"argv":["a"],"balance":9000,"health":{"tcp":true},"ports":1})");
  same({.argv = {"a"}, .health = {.kind = Kind::kExec, .argv = {"test", "-f", "x"}}},
       R"({"argv":["a"],"health":{"exec":["test","-f","x"]}})");
  using testing::UnorderedElementsAre;
  EXPECT_THAT(
      mistakes(R"({"argv":["a"],"health":{"http":"up","tcp":true,"port":-1},"ports":1})"),
      UnorderedElementsAre("/health/tcp is one too many", "/health/http is no path", "/health/port is -1"));
  EXPECT_THAT(mistakes(R"({"argv":["a"],"health":{"http":"/up","port":2},"ports":2})"),
              UnorderedElementsAre("/health/port is port 2 of 2"));
  EXPECT_THAT(mistakes(R"({"argv":["a"],"health":{"exec":[]}})"),
              UnorderedElementsAre("/health/exec is no program"));
  EXPECT_THAT(mistakes(R"({"argv":["a"],"health":{}})"), UnorderedElementsAre("/health asks nothing"));
  EXPECT_THAT(mistakes(R"({"argv":["a"],"balance":0})"), UnorderedElementsAre("/balance is 0"));
  EXPECT_THAT(mistakes(R"({"argv":["a"],"balance":80})"),
              UnorderedElementsAre("/balance has nothing to lead to"));
}

TEST(TaskCommand, MistakesAreToldAllAtOnce) {
  using testing::UnorderedElementsAre;
  EXPECT_THAT(
      mistakes(R"({"argv":["a",1,"x\u0000"],"env":{"A=":"","DUET_TASK":"","B":2},"ports":65,"x/y":0})"),
      UnorderedElementsAre("/argv/1 is number", "/argv/2 holds a byte 0",
                           "/env/A= cannot be the name of a variable", "/env/DUET_TASK begins with DUET_",
                           "/env/B is number", "/ports is 65", "/x~1y is not known"));
  EXPECT_THAT(mistakes(R"({"argv":["a"],"env":{"A":"1","A":"2"},"argv":["b"]})"),
              UnorderedElementsAre("/env/A stands there twice", "/argv stands there twice"));
  EXPECT_THAT(mistakes(R"({"argv":["a"],"env":{"PORT1":"1","PORT2":"1"},"ports":2})"),
              UnorderedElementsAre("/env/PORT1 is set by \"ports\""));
  EXPECT_THAT(mistakes(R"({"argv":[]})"), UnorderedElementsAre("/argv is empty, and there is no image"));
  EXPECT_THAT(mistakes(R"({"argv":[""]})"), UnorderedElementsAre("/argv/0 is empty"));
  EXPECT_THAT(mistakes(R"({"argv":["a"],"directory":"here"})"),
              UnorderedElementsAre("/directory is not an absolute path"));
  EXPECT_THAT(mistakes("[]"), UnorderedElementsAre(" is not an object"));
  EXPECT_THAT(mistakes("{"), UnorderedElementsAre(" is not JSON"));
  EXPECT_THAT(mistakes(std::string(1 << 20, ' ') + " "), UnorderedElementsAre(" has 1048577 bytes"));
}

}  // namespace
}  // namespace duet::test
