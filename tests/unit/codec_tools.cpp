// What is read out of traces: replay, difference, statistics, filtered lines.
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/codec/cat.h"
#include "core/codec/cluster_view.h"
#include "core/codec/diff.h"
#include "core/codec/perfetto.h"
#include "core/codec/replay.h"
#include "core/codec/stats.h"
#include "tests/unit/codec_support.h"

namespace duet::test {
namespace codec_tools {

TEST(CodecReplay, ARunReplays) {
  const std::string bytes = run_trace();
  codec::TraceReader reader = reader_of(bytes);
  const auto report = codec::replay(reader);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->divergence) << to_text(*report);
  EXPECT_EQ(report->exit_status(), 0);
  EXPECT_EQ(report->controller_steps + report->agent_steps, report->summary->steps);
  EXPECT_NE(to_text(*report).find("every command as recorded"), std::string::npos);
}

TEST(CodecReplay, EveryChangedCommandIsFound) {
  const std::string bytes = run_trace();
  std::uint64_t tried = 0;
  for (std::uint64_t step = 1; step < 200; ++step) {
    bool touched = false;
    const std::string bad =
        altered(bytes, [&](std::uint64_t number, const auto&, controller::Commands& commands) {
          if (number != step || commands.empty()) return;
          commands.pop_back();
          touched = true;
        });
    if (!touched) continue;
    ++tried;
    codec::TraceReader reader = reader_of(bad);
    const auto report = codec::replay(reader);
    ASSERT_TRUE(report);
    ASSERT_TRUE(report->divergence) << step;
    EXPECT_EQ(report->divergence->step, step);
    EXPECT_EQ(report->divergence->machine, 0U);
    EXPECT_EQ(report->divergence->recorded.size() + 1, report->divergence->recomputed.size());
    EXPECT_EQ(report->exit_status(), 1);
  }
  EXPECT_GT(tried, 20U);
}

TEST(CodecReplay, AChangedInputIsFound) {
  const std::string bytes = run_trace();
  std::uint64_t changed_at = 0;
  const std::string bad = altered(bytes, [&](std::uint64_t number, controller::Event& event, const auto&) {
    auto* received = std::get_if<controller::Received>(&event);
    if (received == nullptr || changed_at != 0) return;
    auto* ended = std::get_if<msg::AttemptEnded>(&received->message.body);
    if (ended == nullptr || ended->outcome != Outcome::kSucceeded) return;
    ended->outcome = Outcome::kFailed;
    changed_at = number;
  });
  ASSERT_NE(changed_at, 0U);
  codec::TraceReader reader = reader_of(bad);
  const auto report = codec::replay(reader);
  ASSERT_TRUE(report && report->divergence);
  EXPECT_EQ(report->divergence->step, changed_at);
  const std::string text = to_text(*report);
  EXPECT_NE(text.find("the commands differ from the recorded ones"), std::string::npos);
  EXPECT_NE(text.find("\n  recorded  {\"publish\""), std::string::npos) << text;
}

TEST(CodecReplay, ImpossibleTracesAreProblems) {
  codec::TraceHeader header = two_agents();
  std::string bytes;
  auto writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(bytes));
  (*writer)->record(1, instant_ns(5), agent::Event(Wake{}), {}, 0);
  ASSERT_TRUE((*writer)->finish());
  codec::TraceReader early = reader_of(bytes);
  EXPECT_NE(codec::replay(early).problems().front().what.find("this agent acts before its boot"),
            std::string::npos);
  bytes.clear();
  writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(bytes));
  for (const std::int64_t at : {5, 4}) (*writer)->record(0, instant_ns(at), controller::Event(Wake{}), {}, 0);
  ASSERT_TRUE((*writer)->finish());
  codec::TraceReader back = reader_of(bytes);
  EXPECT_NE(codec::replay(back).problems().front().what.find("frame 2 "), std::string::npos);
  bytes.clear();
  writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(bytes));
  (*writer)->record(3, instant_ns(5), agent::Event(Wake{}), {}, 0);
  ASSERT_TRUE((*writer)->finish());
  codec::TraceReader third = reader_of(bytes);  // of two agents
  EXPECT_NE(codec::replay(third).problems().front().what.find("a machine that the header does not list"),
            std::string::npos);
  header.controller.queue.name = "no_such_queue";
  bytes.clear();
  writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(bytes));
  ASSERT_TRUE((*writer)->finish());
  codec::TraceReader unknown = reader_of(bytes);
  EXPECT_FALSE(codec::replay(unknown));
}

TEST(CodecDiff, NoneBetweenATraceAndItself) {
  const std::string bytes = run_trace();
  codec::TraceReader a = reader_of(bytes);
  codec::TraceReader b = reader_of(bytes);
  const auto difference = codec::diff(a, b);
  ASSERT_TRUE(difference);
  EXPECT_TRUE(difference->same_body());
  EXPECT_EQ(to_text(*difference), "");
}

TEST(CodecDiff, HeadersApartFromDecisions) {
  codec::TraceHeader other = two_agents();
  other.duet_version = "9";
  std::string left = run_trace(), right;
  ASSERT_TRUE(traced_run(codec::TraceOutput::memory(right), other));
  codec::TraceReader a = reader_of(left);
  codec::TraceReader b = reader_of(right);
  const auto difference = codec::diff(a, b);
  ASSERT_TRUE(difference);
  EXPECT_TRUE(difference->same_body());
  EXPECT_EQ(to_text(*difference), "header /duet_version: \"0.0.0-test\" | \"9\"\n");
  EXPECT_EQ(a.summary(), b.summary());
}

TEST(CodecDiff, TheFirstStepThatDiffers) {
  const std::string left = run_trace(5), right = run_trace(6);
  codec::TraceReader a = reader_of(left);
  codec::TraceReader b = reader_of(right);
  const auto difference = codec::diff(a, b, 2);
  ASSERT_TRUE(difference && difference->body);
  EXPECT_TRUE(difference->header.empty());
  EXPECT_EQ(difference->body->context.size(), 2U);
  EXPECT_NE(difference->body->left.find("\"duration_ns\":5000000000"), std::string::npos);
  EXPECT_NE(difference->body->right.find("\"duration_ns\":6000000000"), std::string::npos);
  EXPECT_NE(to_text(*difference).find("\n  < {\"step\":"), std::string::npos);
}

TEST(CodecStats, AddUp) {
  const std::string bytes = run_trace();
  codec::TraceReader reader = reader_of(bytes);
  const auto stats = codec::stats(reader);
  ASSERT_TRUE(stats);
  std::uint64_t steps = 0, events = 0, total = stats->frame_bytes;
  for (const auto n : stats->steps) steps += n;
  for (const auto& kind : stats->events) events += kind.count, total += kind.bytes;
  for (const auto& kind : stats->commands) total += kind.bytes;
  EXPECT_EQ(steps, stats->summary.steps);
  EXPECT_EQ(events, stats->summary.steps);
  EXPECT_EQ(total, stats->summary.bytes);
  EXPECT_EQ(stats->steps.size(), 3U);
  const auto json = nlohmann::json::parse(to_json(*stats));
  EXPECT_EQ(json["events"]["submit"]["count"], 3);
  EXPECT_EQ(json["commands"]["publish.job_changed"]["count"].get<int>() > 5, true);
  EXPECT_EQ(json["commands"]["agent.launch"]["count"], json["commands"]["send.launch"]["count"]);
  EXPECT_NE(to_text(*stats).find("received.attempt_ended"), std::string::npos);
}

std::string lines(const std::string& bytes, const codec::TraceFilter& filter) {
  codec::TraceReader reader = reader_of(bytes);
  std::string out;
  codec::StringSink sink(out);
  DUET_CHECK(codec::cat(reader, {.filter = filter, .framed = false}, sink));
  return out;
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++n;
  return n;
}

TEST(CodecCat, Filters) {
  const std::string bytes = run_trace();
  const std::string one = lines(bytes, *codec::filter_by_task("2.1"));
  EXPECT_GT(count_of(one, "\"2.1"), 5U);
  EXPECT_EQ(count_of(one, "\"2.0"), 0U);
  EXPECT_EQ(count_of(one, "\"1.0"), 0U);
  EXPECT_EQ(count_of(one, "\"submit\""), 1U);  // it does not know its job's id yet, but its reply does
  EXPECT_EQ(lines(bytes, *codec::filter_by_task("2.1#1")), one);
  EXPECT_GT(lines(bytes, *codec::filter_by_task("2")).size(), one.size());
  codec::TraceFilter filter;
  filter.machine = 1;
  EXPECT_EQ(count_of(lines(bytes, filter), "\"machine\":1,"), count_of(lines(bytes, filter), "\n"));
  filter = {};
  filter.from = Instant(std::chrono::seconds(1));
  filter.to = filter.from;
  EXPECT_EQ(count_of(lines(bytes, filter), "\"at_ns\":1000000000,"), count_of(lines(bytes, filter), "\n"));
  for (const char* bad :
       {"", "x", "1.", "1.x", "1.2#", "1.2#3x", "-1", "99999999999999999999", "1.4294967296"})
    EXPECT_FALSE(codec::filter_by_task(bad)) << bad;
}

TEST(CodecCat, EveryLineIsJson) {
  std::istringstream in(lines(run_trace(), {}));
  std::string line;
  std::uint64_t n = 0;
  while (std::getline(in, line)) EXPECT_EQ(nlohmann::json::parse(line)["step"], ++n);
  EXPECT_GT(n, 50U);
}

TEST(CodecView, FollowsWhatTheControllerKnows) {
  codec::TraceHeader header = two_agents();
  std::string bytes;
  auto writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(bytes));
  TracedCluster cluster(header, writer->get(), writer->get());
  cluster.submit(std::chrono::seconds(1), some_job("bag", 9, 4, true));
  cluster.run(std::chrono::seconds(2));
  ASSERT_TRUE((*writer)->finish());
  codec::TraceReader reader = reader_of(bytes);
  codec::ClusterView view;
  codec::ClusterListener deaf;
  ASSERT_TRUE(codec::follow(reader, kNever, view, deaf));
  EXPECT_EQ(view.nodes().size(), 2U);
  EXPECT_EQ(view.nodes().at(NodeId{1}).name, "b");
  EXPECT_EQ(view.nodes().at(NodeId{1}).offer.cores, 2U);
  EXPECT_EQ(view.attempts().size(), 4U);  // one per core
  EXPECT_EQ(view.waiting(), 5U);
  for (const auto& [task, attempt] : view.attempts()) {
    EXPECT_EQ(attempt.threads.size(), 2U);
    EXPECT_TRUE(attempt.started.has_value());
  }
}

TEST(CodecPerfetto, SlicesOfATrackDoNotOverlap) {
  const std::string bytes = run_trace();
  codec::TraceReader reader = reader_of(bytes);
  std::string text;
  codec::StringSink sink(text);
  const auto events = codec::perfetto(reader, sink);
  ASSERT_TRUE(events);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["traceEvents"].size(), *events);
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> tracks;
  std::map<std::string, int> phases;
  for (const auto& event : json["traceEvents"]) {
    ++phases[event["ph"]];
    if (event["ph"] == "X") {
      const double from = event["ts"];
      tracks[{event["pid"], event["tid"]}].emplace_back(from, from + event["dur"].get<double>());
    }
  }
  for (auto& [track, slices] : tracks) {
    std::sort(slices.begin(), slices.end());
    for (std::size_t i = 1; i < slices.size(); ++i) EXPECT_LE(slices[i - 1].second, slices[i].first);
  }
  EXPECT_GE(phases["X"], 9);  // seven tasks, two of which fail once
  EXPECT_EQ(phases["s"], phases["f"]);
  EXPECT_GE(phases["s"], 2);
  EXPECT_EQ(phases["b"], phases["e"]);
  EXPECT_GT(phases["C"], 4);
}

}  // namespace codec_tools
}  // namespace duet::test
