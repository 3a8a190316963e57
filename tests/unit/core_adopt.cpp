// A controller without a store takes over what its agents keep of the one before.
#include <gtest/gtest.h>

#include "tests/harness/harness.h"
#include "tests/harness/notices.h"

namespace duet::test {
namespace {

using namespace std::chrono_literals;

ClusterBuilder without_store(std::uint32_t nodes, std::uint32_t each) {
  return cluster().nodes(nodes, cores(each)).adopts(10s);
}

std::size_t all_starts(const Harness& h) {
  std::size_t n = 0;
  for (const auto& [attempt, count] : h.starts()) n += count;
  return n;
}

/// What agents sent, of one kind, so far.
template <class T>
std::size_t sent(const Harness& h) {
  std::size_t n = 0;
  for (const Letter& letter : h.letters()) n += letter.as<T>() != nullptr;
  return n;
}

TEST(CoreAdopt, TasksRunOnUnderTheirIdsAndNewJobsComeAfterThem) {
  Harness h(without_store(2, 2));
  for (int i = 0; i < 3; ++i) h.at(0s).submit(job("early").runs(1s));
  h.at(2s).submit(job("a").runs(60s)).submit(job("b").runs(90s));
  h.at(10s).forget_all();
  h.at(30s).submit(job("later").runs(1s));
  h.run();
  EXPECT_EQ(all_starts(h), 6U) << "nothing runs twice";
  EXPECT_EQ(h.lines("task 4.0#1").back(), "62.000000000 task 4.0#1 succeeded n0");
  EXPECT_EQ(h.lines("task 5.0#1").back(), "92.000000000 task 5.0#1 succeeded n0");
  EXPECT_EQ(h.lines("job 6").back(), "31.000000000 job 6 succeeded");
  EXPECT_EQ(h.store().jobs() + h.store().tasks(), 0U);
}

TEST(CoreAdopt, WithADurableStoreWhatIsUnknownIsEndedAndNothingIsLeftWithAgents) {
  Harness h(cluster().nodes(1, cores(2)));
  h.at(0s).submit(job("a").runs(60s));
  h.at(10s).forget_all();
  h.run_until(40s);
  EXPECT_EQ(h.running(), 0U);
  EXPECT_EQ(sent<msg::Keep>(h) + sent<msg::Rejoin>(h), 0U);
}

TEST(CoreAdopt, StoppingAndEndsAndRetriesGoOnAsBefore) {
  Harness h(without_store(1, 4));
  h.at(0s).submit(job("stopped").runs(900s));
  h.at(0s).submit(job("fails").runs(20s).fails(2).retries(2));
  h.at(25s).forget_all();  // In its second attempt.
  h.at(50s).cancel(1);
  h.run();
  EXPECT_EQ(h.lines("job 1").back(), "50.000000000 job 1 cancelled");
  EXPECT_EQ(h.lines("task 2.0#3").back(), "60.000000000 task 2.0#3 succeeded n0");
  EXPECT_EQ(h.starts().size(), 4U);
}

TEST(CoreAdopt, TheNextLifeOfAnAgentGivesItBackToo) {
  Harness h(without_store(1, 2));
  h.at(0s).submit(job("a").runs(60s)).submit(job("ends meanwhile").runs(15s).fails(1).retries(1));
  h.at(10s).kill_agent(0).forget_all();
  h.at(20s).boot(0);
  h.run();
  EXPECT_EQ(h.lines("task 1.0#1").back(), "60.000000000 task 1.0#1 succeeded n0");
  EXPECT_EQ(h.lines("task 2.0#1").back(), "20.000000000 task 2.0#1 pending n0 failed");
  EXPECT_EQ(h.lines("job 2").back(), "35.000000000 job 2 succeeded");
}

TEST(CoreAdopt, WhatWasToldToEndIsNotTakenOver) {
  Harness h(without_store(1, 2));
  h.at(0s).submit(job("a").runs(900s).stubborn());
  h.at(5s).cancel(1);
  h.at(6s).forget_all();
  h.run_until(60s);
  EXPECT_EQ(h.running(), 0U);
  EXPECT_EQ(h.starts().size(), 1U);
  EXPECT_EQ(h.lines("task 1.0#1").back(), "5.000000000 task 1.0#1 stopping n0");
}

TEST(CoreAdopt, AServiceIsWholeAgainWithItsVersionAndItsNumber) {
  Harness h(without_store(3, 4).scheduler("spread"));
  h.at(0s).submit(job("web").service(2).runs(900s));
  h.at(5s).update(1, job("web").service(2).runs(901s));
  h.at(8s).scale(1, 5);
  h.at(10s).forget_all();
  h.run_until(60s);
  const LiveJob* service = h.controller().jobs().find(JobId{1});
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->desired(), 5U);
  EXPECT_EQ(service->version, 1U);
  EXPECT_EQ(service->spec->groups.back().spec.work.duration, Duration(901s));
  EXPECT_EQ(service->active, 5U);
  EXPECT_EQ(all_starts(h), 7U) << "two of the first version, five of the second";
  // A replica that nobody told of runs anew when the others have had their time.
  h.at(70s).crash(2).forget_all();
  h.run_until(120s);
  service = h.controller().jobs().find(JobId{1});
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->active, 5U);
  EXPECT_EQ(h.lines("80.000000000 task").size(), 2U) << "one, that starts and runs";
}

TEST(CoreAdopt, TasksThatNobodyReportsDoNotRunAgainAndTheirJobFails) {
  Harness h(without_store(2, 1));
  h.at(0s).submit(job("bag").bag().tasks(4).runs(30s));
  h.at(40s).forget_all();  // Two were done, two run.
  h.run();
  EXPECT_EQ(h.starts().size(), 4U);
  EXPECT_EQ(h.lines("task 1.2#1").back(), "60.000000000 task 1.2#1 succeeded n0");
  EXPECT_EQ(h.lines("cancelled").size(), 2U);
  EXPECT_EQ(h.lines("job 1").back(), "60.000000000 job 1 failed");
}

TEST(CoreAdopt, AgentsMayReportOneAfterTheOther) {
  Harness h(without_store(3, 1));
  h.at(0s).submit(job("first").runs(100s));
  h.at(0s).submit(job("bag").bag().tasks(2).runs(100s));
  // The first node is heard last, and the lowest id with it.
  h.at(5s).cut(0).cut(1).forget_all();
  h.at(17s).heal(1);
  h.at(19s).heal(0);
  h.run();
  EXPECT_EQ(all_starts(h), 3U);
  for (const auto& [id, state] : verdicts(h)) EXPECT_EQ(state, "succeeded") << id;
}

TEST(CoreAdopt, AnIdThatWasGivenAnewStaysWithTheNewJob) {
  Harness h(without_store(1, 2));
  h.at(0s).submit(job("old").runs(100s));
  h.at(5s).cut(0).forget_all();
  h.at(6s).submit(job("new").runs(10s));
  h.at(20s).heal(0);
  h.run_until(60s);
  EXPECT_EQ(h.lines("job 1").back(), "30.000000000 job 1 succeeded");
  EXPECT_EQ(h.running(), 0U) << "the old one was ended";
}

msg::FromAgent rejoin(const std::string& name, std::uint64_t nonce, const msg::Keep& keep) {
  const AttemptId attempt{keep.task.task, keep.task.attempt};
  return {{}, BootNonce{nonce}, {}, msg::Rejoin{{name, 1, cores(2).offer(), {attempt}}, {keep}}};
}

msg::Keep kept(std::uint64_t id, const JobBuilder& of, std::uint32_t index = 0) {
  msg::Keep keep;
  keep.job.job = keep.task.task.job = JobId{id};
  keep.job.spec = of.spec();
  keep.task.task.index = index;
  keep.task.attempt = 1;
  keep.task.threads.insert(0);
  return keep;
}

TEST(CoreAdopt, OfTwoThatHoldOneAttemptTheSecondIsToldToEndIt) {
  Harness h(without_store(2, 2));
  h.at(1s).deliver(0, rejoin("n0", 77, kept(1, job("a").runs(50s))));
  h.at(2s).deliver(1, rejoin("n1", 78, kept(1, job("a").runs(50s))));
  h.run_until(3s);
  std::vector<std::uint32_t> killed;
  for (const Letter& letter : h.letters())
    if (letter.as<msg::Kill>() != nullptr) killed.push_back(letter.node);
  EXPECT_EQ(killed, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(h.lines("task 1.0#1").front(), "1.000000000 task 1.0#1 starting n0");
  EXPECT_EQ(h.controller().cluster().node(NodeId{1}).state, NodeState::kFenced);
}

TEST(CoreAdopt, WhatCannotBeIsEnded) {
  msg::Keep other_job = kept(1, job("a"));
  other_job.job.job = JobId{2};
  msg::Keep no_spec = kept(1, job("a"));
  no_spec.job.spec = nullptr;
  msg::Keep no_thread = kept(1, job("a"));
  no_thread.task.threads.insert(99);
  msg::Keep version = kept(1, job("a").service(1));
  version.task.version = 3;
  for (const msg::Keep& keep :
       {other_job, no_spec, no_thread, version, kept(0, job("a")), kept(1, job("a"), 1),
        kept(1, job("a").cores(3)), kept(1, job("a").in_pool("none")), kept(1, job("a").service(1), 1)}) {
    Harness h(without_store(1, 2));
    h.at(1s).deliver(0, rejoin("n0", 77, keep));
    h.run_until(2s);
    EXPECT_EQ(sent<msg::Kill>(h), 1U);
    EXPECT_EQ(h.controller().jobs().live(), 0U);
  }
}

TEST(CoreAdopt, OperationsComeWithTheirWorkers) {
  Harness h(without_store(2, 2));
  h.at(0s).submit(job("pool").service(2).workers_of("p", 4).runs(900s));
  h.at(1s).submit(job("op").in_pool("p").runs(60s).estimate(60s));
  h.at(10s).forget_all();
  h.run_until(100s);
  EXPECT_EQ(all_starts(h), 3U);
  EXPECT_EQ(h.lines("job 2").back(), "61.000000000 job 2 succeeded");
}

TEST(CoreAdopt, AfterEveryStepNothingStartsTwice) {
  const auto script = [](Harness& h) {
    h.at(0s).submit(job("plain").runs(20s));
    h.at(1s).submit(job("retried").runs(8s).fails(1).retries(2).backoff(2s));
    h.at(2s).submit(job("gang").tasks(2).runs(15s).fails(1).only_task(1).after(4s).retries(1));
    h.at(3s).submit(job("web").service(2).runs(900s));
    h.at(14s).update(4, job("web").service(2).runs(901s));
    h.at(40s).cancel(4);
  };
  Duration at{0};
  for (int k = 0; k < 90; ++k, at += 500ms) {
    Harness h(without_store(2, 4).latency(30ms));
    script(h);
    h.at(at + 7ms).forget_all();
    for (std::uint64_t id = 1; id <= 6; ++id)
      h.at(100s).cancel(id);  // What was forgotten early has another id.
    h.run_until(130s);
    EXPECT_EQ(h.running(), 0U) << "at " << time_text(Instant(at));
    EXPECT_EQ(h.collisions(), Lines{}) << "at " << time_text(Instant(at));
    EXPECT_EQ(h.store().jobs() + h.store().tasks(), 0U) << "at " << time_text(Instant(at));
  }
}

}  // namespace
}  // namespace duet::test
