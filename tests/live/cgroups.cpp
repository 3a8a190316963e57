// Control groups of this machine: limits that hold, and ends that nothing outlives.
#include "live/process/cgroups.h"

#include <csignal>
#include <filesystem>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/live/processes.h"

namespace duet::test {
namespace {

using live::ControlGroup;
using live::ControlGroups;
using live::GroupLimits;
using testing::HasSubstr;
using testing::IsEmpty;

class GroupsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    groups_ = std::make_unique<ControlGroups>(name_, GetParam());
    if (groups_->mode() == "none" || groups_->roots().pids.empty())
      GTEST_SKIP() << "no control groups of the kind " << GetParam() << " can be made here";
  }
  std::shared_ptr<ControlGroup> make(const GroupLimits& limits) {
    auto group = groups_->make(limits);
    if (!group) throw std::runtime_error(group.problems().front().where + group.problems().front().what);
    return *group;
  }
  Started start(ControlGroup& group, std::vector<std::string> argv) {
    live::SpawnOrder order;
    order.argv = std::move(argv);
    order.prepare = [&]() -> Result<std::vector<int>> { return group.join_files(); };
    return start_process(std::move(order));
  }
  const std::string name_ = "duet-test-" + std::to_string(getpid());
  std::unique_ptr<ControlGroups> groups_;
};

TEST_P(GroupsTest, KillsAllThatIsInItChildrenOfOtherSessionsToo) {
  const auto group = make({});
  EXPECT_TRUE(group->empty());
  const Started started = start(*group, {"sh", "-c", "setsid sleep 60 & setsid -f sleep 60; echo; sleep 60"});
  started.read_line();
  EXPECT_FALSE(group->empty());
  EXPECT_TRUE(until([&] { return group->members().size() == 4; }));
  EXPECT_TRUE(until([&] {
    group->kill();
    return group->empty();
  }));
  EXPECT_EQ(started.wait(), -SIGKILL);
}

TEST_P(GroupsTest, BoundsProcesses) {
  const auto group = make({.processes = 8});
  // Two for each one that is there, for ever.
  const Started started = start(*group, {"perl", "-e", "$| = 1; print qq(x\n); fork() || 1 while 1"});
  started.read_line();
  EXPECT_TRUE(until([&] { return group->members().size() == 8; }));
  EXPECT_TRUE(until([&] {
    group->kill();
    return group->empty();
  }));
  started.wait();
}

TEST_P(GroupsTest, CountsAndHoldsBackProcessorTime) {
  if (groups_->roots().cpu.empty()) GTEST_SKIP() << "no control groups of the kind cpu can be made here";
  const auto group = make({.cpu_m = 100});
  const Started started = start(*group, {"sh", "-c", "while :; do :; done"});
  // It gets 10 ms of each 100 ms, so 30 ms take it more than one such period, wherever in one it begins.
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(until([&] { return group->cpu_ns().value_or(0) >= 30'000'000; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(90));
  group->kill();
  EXPECT_EQ(started.wait(), -SIGKILL);
}

TEST_P(GroupsTest, SaysThatMemoryRanOut) {
  if (groups_->roots().memory.empty())
    GTEST_SKIP() << "no control groups of the kind memory can be made here";
  const auto group = make({.memory_bytes = 16 << 20});
  const Started started = start(*group, {"perl", "-e", "my $x = 'x' x (64 << 20)"});
  EXPECT_EQ(started.wait(), -SIGKILL);
  EXPECT_TRUE(until([&] { return group->out_of_memory() == 1; }));
}

TEST_P(GroupsTest, AreTakenUpAgainWithoutAPast) {
  auto group = make({.processes = 8});
  const Started busy = start(*group, {"sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"});
  EXPECT_EQ(busy.wait(), 0);
  EXPECT_GT(group->cpu_ns().value_or(0), 0);
  group->kill();
  ControlGroup* const first = group.get();
  groups_->put_back(std::move(group), {.processes = 8});
  const auto again = make({.processes = 8});
  if (groups_->roots().cpuset != groups_->roots().unified) EXPECT_EQ(again.get(), first);
  EXPECT_LT(again->cpu_ns().value_or(0), 1'000'000);
  EXPECT_EQ(start(*again, {"sh", "-c", "true & wait"}).wait(), 0);  // It may start something again.
}

TEST_P(GroupsTest, WhatAnEarlierLifeLeftIsEnded) {
  const auto group = make({});
  const Started started = start(*group, {"sleep", "60"});
  const std::string folder =
      (groups_->roots().unified.empty() ? groups_->roots().pids : groups_->roots().unified) + "/task-1";
  EXPECT_TRUE(std::filesystem::exists(folder));
  const ControlGroups next(name_, GetParam());
  EXPECT_EQ(started.wait(), -SIGKILL);
  EXPECT_FALSE(std::filesystem::exists(folder));
}

INSTANTIATE_TEST_SUITE_P(, GroupsTest, testing::Values("auto", "v1"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(ControlGroups, SayWhatTheyLimit) {
  const ControlGroups none("duet-test", "none");
  EXPECT_EQ(none.mode(), "none");
  EXPECT_EQ(none.words(),
            "control groups none: no limits on processors, shares of processors, memory, processes");
  ControlGroups groups("duet-test-words-" + std::to_string(getpid()), "auto");
  EXPECT_THAT(groups.words(), HasSubstr("control groups " + groups.mode()));
}

}  // namespace
}  // namespace duet::test
