// The lifecycle tables, pair by pair, against tables written out here: x = this state may follow.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/lifecycle.h"

namespace duet::test {
namespace {

struct LifecycleRow {
  std::string_view from;
  std::string_view may_follow;  ///< One column per state, in the order of the rows: x = allowed.
};

template <class S>
void expect_table(std::span<const S> states, const std::vector<LifecycleRow>& rows) {
  ASSERT_EQ(states.size(), rows.size());
  for (std::size_t from = 0; from < rows.size(); ++from) {
    EXPECT_EQ(name(states[from]), rows[from].from);
    ASSERT_EQ(rows[from].may_follow.size(), states.size());
    for (std::size_t to = 0; to < states.size(); ++to)
      EXPECT_EQ(allowed(states[from], states[to]), rows[from].may_follow[to] == 'x')
          << name(states[from]) << " -> " << name(states[to]);
  }
}

// clang-format off
TEST(CoreLifecycle, Jobs) {
  expect_table(job_states(), {
                                 //               prsfc
                                 {"pending",     ".x..x"},
                                 {"running",     "x.xxx"},
                                 {"succeeded",   "....."},
                                 {"failed",      "....."},
                                 {"cancelled",   "....."},
                             });
}

TEST(CoreLifecycle, Tasks) {
  expect_table(task_states(), {
                                  //               psrxsfci
                                  {"pending",     ".x....xx"},
                                  {"starting",    "x.xxxx.."},
                                  {"running",     "x..xxx.."},
                                  {"stopping",    "x...xxxx"},
                                  {"succeeded",   "........"},
                                  {"failed",      "........"},
                                  {"cancelled",   "........"},
                                  {"idle",        "x.....x."},
                              });
}
TEST(CoreLifecycle, Nodes) {
  expect_table(node_states(), {
                                  //               ursfd
                                  {"unknown",     ".x.xx"},
                                  {"ready",       "..xxx"},
                                  {"suspect",     ".x.xx"},
                                  {"fenced",      ".x..x"},
                                  {"down",        ".x.x."},
                              });
}
// clang-format on

TEST(CoreLifecycle, TerminalStatesAreThoseWithoutAWayOut) {
  std::string jobs, tasks;
  for (const JobState s : job_states()) jobs += terminal(s) ? 'x' : '.';
  for (const TaskState s : task_states()) tasks += terminal(s) ? 'x' : '.';
  EXPECT_EQ(jobs, "..xxx");
  EXPECT_EQ(tasks, "....xxx.");
}

TEST(CoreLifecycle, WordsForKindsAndOutcomes) {
  EXPECT_EQ(name(JobKind::kRigid), "rigid");
  EXPECT_EQ(name(JobKind::kBag), "bag");
  EXPECT_EQ(name(JobKind::kDag), "dag");
  EXPECT_EQ(name(JobKind::kService), "service");
  const std::vector<std::pair<Outcome, std::string_view>> outcomes = {
      {Outcome::kSucceeded, "succeeded"},        {Outcome::kFailed, "failed"},
      {Outcome::kTimedOut, "timed_out"},         {Outcome::kKilled, "killed"},
      {Outcome::kLaunchFailed, "launch_failed"}, {Outcome::kLost, "lost"}};
  for (const auto& [outcome, word] : outcomes) EXPECT_EQ(name(outcome), word);
}

}  // namespace
}  // namespace duet::test
