// The flight recorder: what it leaves is the trace of the run, in segments, whatever ends it.
#include <csignal>
#include <functional>

#include <sys/resource.h>
#include <sys/wait.h>

#include "core/codec/compress.h"
#include "core/codec/replay.h"
#include "core/codec/segments.h"
#include "core/codec/walk.h"
#include "live/log.h"
#include "live/recorder/flight_recorder.h"
#include "live/recorder/segment_writer.h"
#include "tests/live/store_support.h"
#include "tests/unit/codec_support.h"

namespace duet::test {
namespace {

using live::FlightOptions;
using live::FlightRecorder;

/// Syncs after each step, so that segments end where a test expects them to.
class EachStep final : public StepSink<Controller>, public StepSink<Agent> {
 public:
  explicit EachStep(FlightRecorder& recorder) : recorder_(recorder) {}
  void record(MachineIndex machine, Instant now, const controller::Event& event,
              const controller::Commands& commands, std::size_t first) override {
    recorder_.record(machine, now, event, commands, first);
    problems_ = recorder_.sync();
  }
  void record(MachineIndex machine, Instant now, const agent::Event& event, const agent::Commands& commands,
              std::size_t first) override {
    recorder_.record(machine, now, event, commands, first);
    problems_ = recorder_.sync();
  }
  const Problems& problems() const { return problems_; }

 private:
  FlightRecorder& recorder_;
  Problems problems_;
};

class Flight : public testing::Test {
 protected:
  /// The steps of codec_support.h's run, into a recorder.
  static void fly(StepSink<Controller>& controller, StepSink<Agent>& agent) {
    TracedCluster cluster(two_agents(), &controller, &agent);
    cluster.submit(std::chrono::seconds(1), some_job("first", 1, 3, false));
    cluster.submit(std::chrono::seconds(1), some_job("bag", 5, 4, true));
    cluster.drain(std::chrono::seconds(6), 1);
    cluster.submit(std::chrono::seconds(8), some_job("last", 1, 5, false));
    cluster.run(std::chrono::seconds(60));
  }
  FlightOptions options(std::uint64_t segment_bytes = 1 << 20) const {
    FlightOptions options;
    options.folder = folder_.path("flight");
    options.segment_bytes = segment_bytes;
    options.run = "r1";
    return options;
  }
  static std::unique_ptr<FlightRecorder> open(const FlightOptions& options) {
    auto opened = FlightRecorder::open(two_agents(), options);
    EXPECT_TRUE(opened) << words(opened.problems());
    return std::move(*opened);
  }
  /// A run in segments of about so many bytes, ended.
  codec::TraceSummary segments_of(const FlightOptions& options) {
    auto recorder = open(options);
    EachStep each(*recorder);
    fly(each, each);
    const auto summary = recorder->finish();
    EXPECT_TRUE(summary);
    return *summary;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& file : codec::segment_files(folder_.path("flight")))
      names.push_back(std::filesystem::path(file.path).filename().string());
    return names;
  }
  /// How a replay of the folder ends, in words.
  std::string replayed(const std::string& path) const {
    auto reader = codec::open_trace(path);
    if (!reader) return words(reader.problems());
    const auto report = codec::replay(*reader);
    return report ? codec::to_text(*report) : words(report.problems());
  }
  std::string replayed() const { return replayed(folder_.path("flight")); }

  static codec::TraceSummary whole_run() { return *traced_run(codec::TraceOutput::digest_only()); }

  TempFolder folder_;
};

constexpr const char* kReplayed =
    "104 steps of the controller and 182 of agents replayed: every command as recorded\n";

TEST_F(Flight, LeavesTheTraceThatAFileWouldHold) {
  auto recorder = open(options());
  fly(*recorder, *recorder);
  EXPECT_EQ(files(), std::vector<std::string>{"000001.duet.part"}) << "not ended yet";
  const auto summary = recorder->finish();
  ASSERT_TRUE(summary);
  EXPECT_EQ(*summary, whole_run());
  EXPECT_EQ(files(), std::vector<std::string>{"000001.duet"});
  EXPECT_EQ(recorder->state().steps, summary->steps);
  recorder.reset();
  EXPECT_EQ(replayed(), kReplayed);
  auto reader = codec::open_trace(folder_.path("flight"));
  codec::Frame frame;
  while (*reader->next(frame)) continue;
  EXPECT_EQ(reader->summary(), whole_run());
}

TEST_F(Flight, SegmentsAreOneTrace) {
  for (const bool compress : {false, true}) {
    FlightOptions small = options(1000);
    small.folder += compress ? "-packed" : "";
    small.compress = compress;
    const auto summary = segments_of(small);
    EXPECT_EQ(summary, whole_run()) << "the digest does not depend on where segments end";
    EXPECT_GT(codec::segment_files(small.folder).size(), 5U);
    EXPECT_EQ(replayed(small.folder), kReplayed);
    auto reader = codec::open_trace(small.folder);
    codec::Frame frame;
    std::uint64_t steps = 0;
    while (*reader->next(frame)) EXPECT_EQ(frame.number, ++steps);
    EXPECT_EQ(reader->summary(), summary);
    EXPECT_FALSE(reader->unfinished());
    const std::string first = file_text(codec::segment_files(small.folder).front().path);
    EXPECT_EQ(first.starts_with(codec::kCompressedMagic), compress);
  }
}

TEST_F(Flight, AMissingOrAlteredSegmentIsTold) {
  FlightOptions small = options(1000);
  small.compress = false;
  segments_of(small);
  const std::string flight = folder_.path("flight");
  const std::string third = flight + "/000003.duet";
  const std::string fourth = flight + "/000004.duet";
  const std::string bytes = file_text(third);
  std::filesystem::remove(third);
  EXPECT_EQ(replayed(), fourth + ": is segment 4 of its run, and segment 3 is missing");
  std::string turned = bytes;
  turned[turned.size() - 200] ^= 1;
  write_text(third, turned);
  EXPECT_NE(replayed().find(third + ": frame "), std::string::npos) << replayed();
  EXPECT_NE(replayed().find("the chain of hashes breaks here"), std::string::npos);
  // One that is whole, and of another run or place.
  write_text(third, file_text(fourth));
  EXPECT_EQ(replayed(), third + ": is segment 4 of its run, and segment 3 is missing");
  write_text(third, bytes);
  EXPECT_EQ(replayed(), kReplayed);
  // Another run of the same length, so that only what it continues differs.
  FlightOptions other = small;
  other.folder = folder_.path("other");
  {
    auto recorder = open(other);
    EachStep each(*recorder);
    TracedCluster cluster(two_agents(), &each, &each);
    cluster.submit(std::chrono::seconds(2), some_job("other", 5, 4, true));
    cluster.run(std::chrono::seconds(60));
    ASSERT_TRUE(recorder->finish());
  }
  write_text(third, file_text(other.folder + "/000003.duet"));
  EXPECT_EQ(replayed(), third + ": does not continue " + flight + "/000002.duet: one of them was altered");
}

TEST_F(Flight, EachLifeIsARun) {
  segments_of(options());
  FlightOptions second = options();
  second.run = "r2";
  EXPECT_EQ(segments_of(second), whole_run());
  EXPECT_EQ(files(), (std::vector<std::string>{"000001.duet", "000002.duet"}));
  const auto runs = codec::runs_in(folder_.path("flight"));
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 2U);
  EXPECT_EQ((*runs)[1].run, "r2");
  const auto opened = codec::open_trace(folder_.path("flight"));
  EXPECT_EQ(opened->header().segment->run, "r2") << "a folder stands for its last run";
  const auto first = codec::open_trace(folder_.path("flight/000001.duet"));
  EXPECT_EQ(first->header().segment->run, "r1");
  EXPECT_EQ(replayed(folder_.path("flight/000001.duet")), kReplayed);
}

/// A controller that hands over to another life of itself in the middle, recorded step by step.
void fly_over(StepSink<Controller>& sink) {
  RecordStore store;
  std::int64_t now = 0;
  std::uint64_t requests = 0;
  std::unique_ptr<Traced<Controller>> controller;
  const auto step = [&](controller::Event event) {
    controller::Commands commands;
    controller->step(instant_ns(now += 1'000'000), event, commands);
    for (const auto& command : commands)
      if (const auto* persist = std::get_if<controller::Persist>(&command)) store.put(persist->record);
  };
  for (int life = 0; life < 2; ++life) {
    controller = std::make_unique<Traced<Controller>>(Controller(two_agents().controller), 0, &sink);
    if (life > 0) step(controller::Restore{store.records()});
    for (int i = 0; i < 20; ++i) {
      step(controller::Submit{RequestId{++requests}, some_job("j", 2, 1, false)});
      step(Wake{});
    }
  }
}

TEST_F(Flight, WhatIsLeftOfARunIsReadFromTheNextRestore) {
  FlightOptions small = options(600);
  small.compress = false;
  {
    auto recorder = open(small);
    EachStep each(*recorder);
    fly_over(each);
    ASSERT_TRUE(recorder->finish());
  }
  EXPECT_EQ(replayed(), "81 steps of the controller and 0 of agents replayed: every command as recorded\n");
  std::filesystem::remove(folder_.path("flight/000001.duet"));
  std::filesystem::remove(folder_.path("flight/000002.duet"));
  const auto reader = codec::open_trace(folder_.path("flight"));
  const std::uint64_t gone = reader->steps_before();
  EXPECT_GT(gone, 0U);
  EXPECT_EQ(replayed(), "41 steps of the controller and 0 of agents replayed: every command as recorded\n" +
                            std::to_string(40 - gone) +
                            " steps before them could not be: they go on from segments that are gone\n");
  auto walk = codec::Walk::open(folder_.path("flight"));
  ASSERT_TRUE(walk);
  ASSERT_TRUE(*walk->next());
  EXPECT_EQ(walk->number(), 41U);
  EXPECT_FALSE(walk->take());
  EXPECT_EQ(walk->controller()->jobs().live(), 20U);
}

TEST_F(Flight, TheOldestGoAndAHandoverIsWished) {
  FlightOptions small = options(600);
  small.compress = false;
  small.total_bytes = 8000;
  auto recorder = open(small);
  EachStep each(*recorder);
  fly_over(each);
  ASSERT_TRUE(recorder->finish());
  recorder.reset();  // Its last files are looked after.
  std::uint64_t bytes = 0;
  const auto kept = codec::segment_files(small.folder);
  for (const auto& file : kept) bytes += std::filesystem::file_size(file.path);
  EXPECT_LE(bytes, small.total_bytes);
  EXPECT_GT(bytes, small.total_bytes / 2);
  EXPECT_GT(kept.front().file, 1U);
  EXPECT_TRUE(codec::open_trace(small.folder));

  // Files are looked after in a thread of their own: it is waited for.
  live::SegmentKeeper keeper(small.folder, 100'000, false);
  const auto looked = [&](std::uint64_t from) {
    keeper.readable_from(from);
    keeper.look();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (keeper.bytes() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return keeper.crowded();
  };
  EXPECT_FALSE(looked(1));
  live::SegmentKeeper tight(small.folder, bytes, false);
  tight.look();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!tight.crowded() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(tight.crowded()) << "all of them are needed, and they are more than half";
  tight.readable_from(kept.back().file);
  tight.look();
  while (tight.crowded() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(tight.crowded()) << "a Restore came";
}

/// The bytes of a run that lacks its end.
std::string unfinished_bytes(const FlightOptions& options) {
  auto recorder = FlightRecorder::open(two_agents(), options);
  EXPECT_TRUE(recorder);
  fly_over(**recorder);
  EXPECT_EQ((*recorder)->sync(), Problems{});
  return file_text(options.folder + "/000001.duet.part");
}

/// Steps that can be read, and how that ended: "" if with the word that the run had not ended.
std::pair<std::uint64_t, std::string> read_unfinished(const std::string& folder) {
  auto reader = codec::open_trace(folder);
  if (!reader) return {0, words(reader.problems())};
  codec::Frame frame;
  std::uint64_t steps = 0;
  for (;;) {
    const auto more = reader->next(frame);
    if (!more) return {steps, words(more.problems())};
    if (!*more) break;
    ++steps;
  }
  EXPECT_EQ(reader->unfinished(), "the run did not end: read up to step " + std::to_string(steps));
  return {steps, ""};
}

TEST_F(Flight, EveryCutOfAnUnfinishedTraceIsReadUpToItsLastWholeStep) {
  const std::string bytes = unfinished_bytes(options());
  const std::string path = folder_.path("flight/000001.duet.part");
  const std::size_t body = bytes.find('\n', bytes.find('\n') + 1) + 1;
  std::vector<std::size_t> ends = {body};
  {
    auto reader = codec::TraceReader::from_memory(bytes, "t", {.unfinished = true});
    codec::Frame frame;
    while (*reader->next(frame)) ends.push_back(static_cast<std::size_t>(frame.offset) + frame.size);
  }
  ASSERT_EQ(ends.size(), 82U);
  ASSERT_EQ(ends.back(), bytes.size());
  for (std::size_t size = body; size <= bytes.size(); size += size % 7 == 0 ? 1 : 3) {
    const auto whole = static_cast<std::uint64_t>(std::ranges::upper_bound(ends, size) - ends.begin()) - 1;
    write_text(path, bytes.substr(0, size));
    EXPECT_EQ(read_unfinished(folder_.path("flight")), std::pair(whole, std::string())) << size;
    // As some file systems leave it: long enough, and zeros where the bytes did not come.
    write_text(path, bytes.substr(0, size) + std::string(700, '\0'));
    const auto padded = read_unfinished(folder_.path("flight"));
    EXPECT_EQ(padded.second, "") << size;
    EXPECT_GE(padded.first, whole) << size;
    EXPECT_LE(padded.first, whole + 1) << "a last byte may have been a zero";
  }
  write_text(path, bytes.substr(0, body - 5));
  EXPECT_EQ(read_unfinished(folder_.path("flight")).second,
            folder_.path("flight") + ": holds no trace; a folder with 000001.duet, and so on");
  // The same name without its suffix is a file that must be whole.
  std::filesystem::remove(path);
  write_text(folder_.path("flight/000001.duet"), bytes);
  EXPECT_NE(read_unfinished(folder_.path("flight")).second.find("the trace is cut off here"),
            std::string::npos);
}

TEST_F(Flight, ATurnedBitInAnUnfinishedTraceIsSeen) {
  const std::string bytes = unfinished_bytes(options());
  const std::string path = folder_.path("flight/000001.duet.part");
  const std::size_t body = bytes.find('\n', bytes.find('\n') + 1) + 1;
  int told = 0;
  for (std::size_t at = body; at < bytes.size(); at += 5) {
    std::string turned = bytes;
    turned[at] = static_cast<char>(turned[at] ^ (1 << at % 8));
    write_text(path, turned);
    const auto [steps, why] = read_unfinished(folder_.path("flight"));
    EXPECT_LT(steps, 81U) << at;
    told += !why.empty();
  }
  // A length that was made so great that the file ends before it looks like a cut, and ends the reading too.
  EXPECT_GT(told * 10, static_cast<int>((bytes.size() - body) / 5) * 8);
}

TEST_F(Flight, AFullDiskStopsTheRecorderAndNothingElse) {
  FlightOptions small = options(1 << 20);
  auto recorder = open(small);
  EachStep each(*recorder);
  live::log::set_up({.level = live::log::Level::kError, .format = {}, .program = {}, .fd = -1});
  {
    const FileLimit limit(3000);
    fly(each, each);
  }
  live::log::set_up({});
  ASSERT_EQ(each.problems().size(), 1U);
  EXPECT_EQ(each.problems().front().where, small.folder + "/000001.duet.part");
  EXPECT_EQ(each.problems().front().what, "cannot be written: File too large");
  EXPECT_EQ(recorder->state().stopped, each.problems().front());
  EXPECT_FALSE(recorder->finish());
  recorder.reset();
  const std::string end = "; its recorder had stopped: " + small.folder +
                          "/000001.duet.part: cannot be written: File too large\n";
  EXPECT_TRUE(replayed().ends_with(end)) << replayed();
  EXPECT_NE(replayed().find("every command as recorded\nthe run did not end: read up to step "),
            std::string::npos);
}

TEST_F(Flight, ADiskThatFallsBehindStopsTheRecorder) {
  FlightOptions tight = options();
  tight.buffer_bytes = 0;
  live::log::set_up({.level = live::log::Level::kError, .format = {}, .program = {}, .fd = -1});
  auto recorder = open(tight);
  fly(*recorder, *recorder);
  live::log::set_up({});
  EXPECT_EQ(words(recorder->sync()),
            tight.folder +
                ": the disk does not keep up: more than 0 bytes of trace wait for it; "
                "a faster disk, or a bigger buffer");
  EXPECT_GE(recorder->state().steps, 2U);  // One step alone may be longer than the buffer.
}

TEST_F(Flight, OneRecorderForAFolder) {
  auto recorder = open(options());
  const auto second = FlightRecorder::open(two_agents(), options());
  ASSERT_FALSE(second);
  EXPECT_EQ(words(second.problems()),
            folder_.path("flight") + ": is in use by another flight recorder; a folder of its own for each");
  const auto nowhere = FlightRecorder::open(two_agents(), {.folder = "/proc/none"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.problems().front().where, "/proc/none");
}

/// Records for ever, and says so when a step is with the system.
[[noreturn]] void record_and_tell(const FlightOptions& options, int fd) {
  auto recorder = FlightRecorder::open(two_agents(), options);
  if (!recorder) ::_exit(1);
  Traced<Controller> controller(Controller(two_agents().controller), 0, recorder->get());
  for (std::uint64_t n = 1;; ++n) {
    controller::Commands commands;
    controller.step(instant_ns(static_cast<std::int64_t>(n)),
                    controller::Submit{RequestId{n}, some_job("j", 1, 1, false)}, commands);
    if (!(*recorder)->sync().empty() || ::write(fd, "!", 1) != 1) ::_exit(2);
  }
}

/// Between two segments: the next file is made before the one before it is whole.
TEST_F(Flight, WhatWasKilledWhileItChangedFilesReplays) {
  FlightOptions plain = options(3000);
  plain.compress = false;
  segments_of(plain);
  const auto first = codec::segment_files(folder_.path("flight"));
  const std::string last = first.back().path;
  const auto next = [&](std::uint64_t after) {
    return folder_.path("flight") + "/" + codec::segment_name(first.back().file + after) + ".part";
  };
  // It had made the next file, and nothing was in it; the one before lacks its end.
  std::filesystem::rename(last, last + ".part");
  std::filesystem::resize_file(last + ".part", std::filesystem::file_size(last + ".part") - 3);
  std::ofstream(next(1)).flush();
  const auto is_unfinished = [&] {
    auto reader = codec::open_trace(folder_.path("flight"));
    EXPECT_TRUE(reader) << words(reader.problems());
    const auto report = codec::replay(*reader);
    EXPECT_TRUE(report) << words(report.problems());
    return report && report->unfinished && report->controller_steps == 104;
  };
  EXPECT_TRUE(is_unfinished());
  // Its start was in it already.
  std::filesystem::remove(next(1));
  {
    codec::TraceHeader header = two_agents();
    header.segment = codec::TraceSegment{.run = "r1"};
    EXPECT_TRUE(live::SegmentWriter::create(folder_.path("flight"), first.back().file + 1, header));
  }
  EXPECT_TRUE(is_unfinished());
  // What the controller's next life records is a run of its own, whatever lies between.
  std::ofstream(next(2)).flush();
  FlightOptions second = options();
  second.run = "r2";
  segments_of(second);
  EXPECT_EQ(replayed(), kReplayed);
  const auto runs = codec::runs_in(folder_.path("flight"));
  ASSERT_TRUE(runs) << words(runs.problems());
  ASSERT_EQ(runs->size(), 2U);
  EXPECT_TRUE(runs->front().part);
  EXPECT_FALSE(runs->back().part);
}

TEST_F(Flight, WhatAKilledControllerRecordedReplays) {
  for (int round = 1; round <= 4; ++round) {
    int pipe[2] = {};
    ASSERT_EQ(::pipe(pipe), 0);
    FlightOptions small = options(3000);
    small.run = "round" + std::to_string(round);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) record_and_tell(small, pipe[1]);
    ::close(pipe[1]);
    char told = 0;
    std::uint64_t steps = 0;
    while (steps < 40U * static_cast<unsigned>(round) && ::read(pipe[0], &told, 1) == 1) ++steps;
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &told, 1) == 1) ++steps;
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    auto reader = codec::open_trace(folder_.path("flight"));
    ASSERT_TRUE(reader) << words(reader.problems());
    EXPECT_EQ(reader->header().segment->run, small.run);
    const auto report = codec::replay(*reader);
    ASSERT_TRUE(report) << words(report.problems());
    EXPECT_FALSE(report->divergence);
    EXPECT_GE(report->controller_steps, steps);
    EXPECT_TRUE(report->unfinished);
    const auto runs = codec::runs_in(folder_.path("flight"));
    EXPECT_EQ(runs->size(), static_cast<std::size_t>(round));
  }
}

}  // namespace
}  // namespace duet::test
