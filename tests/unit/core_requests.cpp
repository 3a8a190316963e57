// What users ask of a controller, and the exact answers.
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/harness/harness.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

JobSpecPtr spec_with(void (*change)(JobSpec&)) {
  JobSpec spec = *job("x").spec();
  change(spec);
  return std::make_shared<const JobSpec>(std::move(spec));
}

TEST(CoreRequests, ImpossibleJobsAreRefusedWithTheReason) {
  struct Case {
    const char* why;
    void (*change)(JobSpec&);
  };
  const std::vector<Case> cases = {
      {"a job needs at least one group of tasks", [](JobSpec& s) { s.groups.clear(); }},
      {"a rigid job has exactly one group of equal tasks", [](JobSpec& s) { s.groups.resize(2); }},
      {"a group needs at least one task", [](JobSpec& s) { s.groups[0].count = 0; }},
      {"a job has at most 1000000 tasks", [](JobSpec& s) { s.groups[0].count = 1'000'001; }},
      {"a job has at most 1000000 tasks",
       [](JobSpec& s) {
         s.kind = JobKind::kBag;
         s.groups.resize(3);
         for (TaskGroup& g : s.groups) g.count = std::numeric_limits<std::uint32_t>::max();
       }},
      {"a task cannot need less than nothing", [](JobSpec& s) { s.groups[0].spec.need.cpu_m = -1; }},
      {"a task cannot need less than nothing", [](JobSpec& s) { s.groups[0].spec.need.count[5] = -1; }},
      {"a task cannot need more than 1000000000 hardware threads",
       [](JobSpec& s) { s.groups[0].spec.need.cpu_m = 1'000'000'000'001; }},
      {"times cannot be negative", [](JobSpec& s) { s.groups[0].spec.estimate = -1ns; }},
      {"times cannot be negative", [](JobSpec& s) { s.groups[0].spec.timeout = -1ns; }},
      {"times cannot be negative", [](JobSpec& s) { s.groups[0].spec.work.duration = -1ns; }},
      {"a task cannot have less than no work", [](JobSpec& s) { s.groups[0].spec.work.operations = -1; }},
  };
  Harness h(cluster().nodes(1, cores(1)));
  for (const Case& c : cases) h.at(0s).submit(spec_with(c.change));
  h.at(0s).submit(job("good"));
  h.run();
  ASSERT_EQ(h.replies().size(), cases.size() + 1);
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(h.replies()[i], "0.000000000 reply " + std::to_string(i + 1) + " refused: " + cases[i].why);
  EXPECT_EQ(h.replies().back(), "0.000000000 reply 13 job 1") << "refused jobs use up no id";
}

TEST(CoreRequests, AJobsLifeInNotices) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(2s).submit(job("a").runs(10s)).submit(job("b").runs(1s));
  h.run();
  EXPECT_EQ(h.lines(), (Lines{
                           "0.000000000 node n0 ready",
                           "2.000000000 job 1 pending",
                           "2.000000000 job 2 pending",
                           "2.000000000 task 1.0#1 starting n0",
                           "2.000000000 job 1 running",
                           "2.000000000 task 1.0#1 running n0",
                           "12.000000000 task 1.0#1 succeeded n0",
                           "12.000000000 job 1 succeeded",
                           "12.000000000 task 2.0#1 starting n0",
                           "12.000000000 job 2 running",
                           "12.000000000 task 2.0#1 running n0",
                           "13.000000000 task 2.0#1 succeeded n0",
                           "13.000000000 job 2 succeeded",
                       }));
  EXPECT_EQ(h.replies(), (Lines{"2.000000000 reply 1 job 1", "2.000000000 reply 2 job 2"}));
  EXPECT_EQ(h.store().jobs() + h.store().tasks(), 0U) << "ended jobs leave no records but their end";
}

TEST(CoreRequests, CancelOfAWaitingJob) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("a").runs(10s)).submit(job("b"));
  h.at(3s).cancel(2);
  h.run();
  EXPECT_EQ(h.lines(" 2"), (Lines{"0.000000000 job 2 pending", "3.000000000 task 2.0#0 cancelled killed",
                                  "3.000000000 job 2 cancelled"}));
  EXPECT_EQ(h.replies().back(), "3.000000000 reply 3 job 2");
}

TEST(CoreRequests, CancelOfARunningJobWaitsForTheExit) {
  Harness h(cluster().nodes(1, cores(2)).latency(100ms));
  h.at(1s).submit(job("a").runs(60s));
  h.at(5s).cancel(1).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("5."),
            (Lines{"5.000000000 task 1.0#1 stopping n0", "5.200000000 task 1.0#1 cancelled n0 killed",
                   "5.200000000 job 1 cancelled"}));
  EXPECT_EQ(h.replies(),
            (Lines{"1.000000000 reply 1 job 1", "5.000000000 reply 2 job 1", "5.000000000 reply 3 job 1"}));
}

TEST(CoreRequests, CancelOfWhatIsNotThere) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).submit(job("a"));
  h.at(5s).cancel(1).cancel(2).cancel(0);
  h.run();
  EXPECT_EQ(h.replies(),
            (Lines{"0.000000000 reply 1 job 1", "5.000000000 reply 2 refused: the job has already ended",
                   "5.000000000 reply 3 refused: there is no such job",
                   "5.000000000 reply 4 refused: there is no such job"}));
}

TEST(CoreRequests, CancelRacingWithSuccess) {
  // The cancel comes first at the controller, the success at the agent: the job is cancelled, only once.
  Harness h(cluster().nodes(1, cores(1)).latency(100ms));
  h.at(1s).submit(job("a").runs(4s));
  h.at(5100ms).cancel(1);  // The task ended at 5.1 s; the news is under way.
  h.run();
  EXPECT_EQ(h.lines("5."),
            (Lines{"5.100000000 task 1.0#1 stopping n0", "5.200000000 task 1.0#1 cancelled n0 succeeded",
                   "5.200000000 job 1 cancelled"}));
  // The other way round: the end is known at this instant, and completions come before cancels.
  Harness late(cluster().nodes(1, cores(1)));
  late.at(1s).submit(job("a").runs(4s));
  late.at(5s).cancel(1);
  late.run();
  EXPECT_EQ(late.replies().back(), "5.000000000 reply 2 refused: the job has already ended");
  EXPECT_EQ(late.ended(), (std::vector<std::pair<JobId, JobState>>{{JobId{1}, JobState::kSucceeded}}));
}

TEST(CoreRequests, CancelEndsAllOfABagAtOnce) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("bag").bag().tasks(4).runs(10s));
  h.at(15s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("15."), (Lines{
                                "15.000000000 task 1.2#1 stopping n0",
                                "15.000000000 task 1.3#1 stopping n0",
                                "15.000000000 task 1.2#1 cancelled n0 killed",
                                "15.000000000 task 1.3#1 cancelled n0 killed",
                                "15.000000000 job 1 cancelled",
                            }));
}

TEST(CoreRequests, ADrainedNodeFinishesWhatItRunsAndGetsNothingNew) {
  Harness h(cluster().nodes(2, cores(1)));
  h.at(0s).submit(job("a").runs(10s));
  h.at(5s).drain(0).drain(0).drain(7).undrain(7);
  h.at(6s).submit(job("b").runs(10s)).submit(job("c").runs(1s));
  h.at(20s).undrain(0).undrain(0);
  h.at(21s).submit(job("d").runs(1s));
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "6.000000000 task 2.0#1 starting n1",
                   "16.000000000 task 3.0#1 starting n1", "21.000000000 task 4.0#1 starting n0"}));
  EXPECT_EQ(h.lines("node n0"), (Lines{"0.000000000 node n0 ready", "5.000000000 node n0 ready draining",
                                       "20.000000000 node n0 ready"}));
  EXPECT_EQ(h.replies()[1], "5.000000000 reply 2 done");
  EXPECT_EQ(h.replies()[2], "5.000000000 reply 3 done");
  EXPECT_EQ(h.replies()[3], "5.000000000 reply 4 refused: there is no such node");
  EXPECT_EQ(h.replies()[4], "5.000000000 reply 5 refused: there is no such node");
}

TEST(CoreRequests, UndrainLetsWaitingJobsStartAtOnce) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).drain(0);
  h.at(1s).submit(job("a"));
  h.at(9s).undrain(0);
  h.run();
  EXPECT_EQ(h.lines("starting"), (Lines{"9.000000000 task 1.0#1 starting n0"}));
}

TEST(CoreRequests, EvictionMovesTasksAtNoCost) {
  Harness h(cluster().nodes(2, cores(1)).max_losses(0));
  h.at(0s).submit(job("a").runs(10s));  // No retries, no losses allowed.
  h.at(4s).evict(0);
  h.run();
  EXPECT_EQ(h.lines(" 1"), (Lines{
                               "0.000000000 job 1 pending",
                               "0.000000000 task 1.0#1 starting n0",
                               "0.000000000 job 1 running",
                               "0.000000000 task 1.0#1 running n0",
                               "4.000000000 task 1.0#1 stopping n0",
                               "4.000000000 task 1.0#1 pending n0 killed",
                               "4.000000000 job 1 pending",
                               "4.000000000 task 1.0#2 starting n1",
                               "4.000000000 job 1 running",
                               "4.000000000 task 1.0#2 running n1",
                               "14.000000000 task 1.0#2 succeeded n1",
                               "14.000000000 job 1 succeeded",
                           }));
}

TEST(CoreRequests, EvictionOfOneMemberMovesTheGang) {
  Harness h(cluster().nodes(3, cores(1)).max_losses(0));
  h.at(0s).submit(job("gang").tasks(2).runs(10s));
  h.at(4s).evict(0);
  h.run();
  EXPECT_EQ(h.lines("starting"),
            (Lines{"0.000000000 task 1.0#1 starting n0", "0.000000000 task 1.1#1 starting n1",
                   "4.000000000 task 1.0#2 starting n1", "4.000000000 task 1.1#2 starting n2"}));
  EXPECT_EQ(h.lines("job 1").back(), "14.000000000 job 1 succeeded");
}

TEST(CoreRequests, WhatSucceedsWhileBeingEvictedHasSucceeded) {
  Harness h(cluster().nodes(2, cores(1)));
  h.at(0s).submit(job("a").runs(10s).obliging());
  h.at(4s).evict(0);
  h.run();
  EXPECT_EQ(h.lines("4."), (Lines{"4.000000000 node n0 ready draining", "4.000000000 task 1.0#1 stopping n0",
                                  "4.000000000 task 1.0#1 succeeded n0", "4.000000000 job 1 succeeded"}));
}

TEST(CoreIdempotency, I13_ARepeatedSubmissionIsTheSameJob) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).once(job("a").runs(5s), "k").once(job("a").runs(5s), "k");
  h.at(3s).once(job("a").runs(5s), "k");
  h.at(4s).once(job("b").runs(5s), "k", 2).once(job("b").runs(5s), "other", 2);
  h.at(20s).replace_controller().once(job("a").runs(5s), "k").once(job("b").runs(5s), "k", 2);
  h.run_until(30s);
  const std::string used = "the idempotency key 'k' is that of job 1, which was submitted differently";
  EXPECT_EQ(h.replies(), (Lines{
                             "0.000000000 reply 1 job 1",
                             "0.000000000 reply 2 job 1",
                             "3.000000000 reply 3 job 1",
                             "4.000000000 reply 4 refused: " + used,
                             "4.000000000 reply 5 job 2",
                             "20.000000000 reply 6 job 1",
                             "20.000000000 reply 7 refused: " + used,
                         }));
  EXPECT_EQ(h.starts().size(), 2U);
  EXPECT_EQ(h.store().keys(), 2U);
}

TEST(CoreIdempotency, I13_WhatIsRefusedUsesUpNoKey) {
  Harness h(cluster().nodes(1, cores(1)));
  h.at(0s).once(job("a").tasks(0), "k").once(job("a").runs(1s), "k", 2);
  h.at(0s).once(job("a"), "").once(job("a"), std::string(256, 'x')).once(job("a"), std::string(255, 'x'));
  h.run();
  EXPECT_EQ(h.replies(), (Lines{"0.000000000 reply 1 refused: a group needs at least one task",
                                "0.000000000 reply 2 job 1",
                                "0.000000000 reply 3 refused: an idempotency key has 1 to 255 bytes",
                                "0.000000000 reply 4 refused: an idempotency key has 1 to 255 bytes",
                                "0.000000000 reply 5 job 2"}));
}

TEST(CoreIdempotency, I13_KeysAreForgottenWhenTheirTimeIsOverAndTheirJobHasEnded) {
  ClusterBuilder builder = cluster().nodes(1, cores(2));
  builder.controller.keys_kept = 100s;
  Harness h(builder);
  h.at(0s).once(job("long").runs(150s), "long").once(job("short").runs(1s), "short");
  h.at(99s).once(job("short").runs(1s), "short");  // Still known.
  h.at(100s).once(job("short").runs(1s), "short").once(job("long").runs(150s), "long");
  h.at(120s).replace_controller();
  h.at(149s).once(job("long").runs(150s), "long");  // It lives.
  h.at(199s).once(job("short").runs(1s), "short");  // Known for 100 s again.
  h.at(200s).once(job("long").runs(1s), "long", 2);
  h.run_until(300s);
  EXPECT_EQ(h.replies(), (Lines{"0.000000000 reply 1 job 1", "0.000000000 reply 2 job 2",
                                "99.000000000 reply 3 job 2", "100.000000000 reply 4 job 3",
                                "100.000000000 reply 5 job 1", "149.000000000 reply 6 job 1",
                                "199.000000000 reply 7 job 3", "200.000000000 reply 8 job 4"}));
  // At 200 s that of the third job is forgotten, in the store as well.
  EXPECT_EQ(h.store().keys(), 1U);
}

TEST(CoreIdempotency, I13_AKeyThatIsNotKeptStandsAsLongAsItsJobLives) {
  ClusterBuilder builder = cluster().nodes(1, cores(2));
  builder.controller.keys_kept = 0s;
  Harness h(builder);
  h.at(0s).once(job("a").runs(5s), "k");
  h.at(3s).once(job("a").runs(5s), "k");
  h.at(6s).once(job("a").runs(5s), "k");
  h.run_until(30s);
  EXPECT_EQ(h.replies(),
            (Lines{"0.000000000 reply 1 job 1", "3.000000000 reply 2 job 1", "6.000000000 reply 3 job 2"}));
}

}  // namespace
}  // namespace duet::test
