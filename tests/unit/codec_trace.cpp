// Trace files: their bytes are pinned, every alteration is noticed, nothing half-written keeps its final
// name.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/codec/cat.h"
#include "core/codec/trace_file.h"
#include "tests/unit/codec_support.h"

namespace duet::test {
namespace codec_trace {

namespace fs = std::filesystem;

/// A folder of its own for each test, gone afterwards.
class CodecFiles : public testing::Test {
 protected:
  CodecFiles() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        fs::temp_directory_path() / (std::string("duet_") + info->name() + "_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  ~CodecFiles() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string text(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(path(name), std::ios::binary).rdbuf();
    return out.str();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

 private:
  fs::path folder_;
};

/// Reads a trace to its end: empty, or what is wrong with it.
std::string verify(std::string_view bytes, codec::ReadOptions options = {}) {
  auto reader = codec::TraceReader::from_memory(bytes, "t", options);
  if (!reader) return reader.problems().front().what;
  codec::Frame frame;
  for (;;) {
    const auto more = reader->next(frame);
    if (!more) return more.problems().front().what;
    if (!*more) return {};
    std::string line;
    if (!codec::render_frame(line, frame)) return "not a step";
  }
}

/// Four steps, small enough to be pinned.
std::string small_trace() {
  std::string bytes;
  codec::TraceHeader header;
  header.duet_version = "0";
  header.agents.emplace_back().name = "a";
  auto writer = codec::TraceWriter::create(header, codec::TraceOutput::memory(bytes));
  const AttemptId attempt{{JobId{1}, 0}, 1};
  ThreadSet thread;
  thread.insert(2);
  const controller::Commands first{
      controller::Persist{TaskRecord{
          attempt.task, TaskState::kStarting, 1, 0, 0, 0, NodeId{0}, {}, thread, instant_ns(1000)}},
      controller::Publish{
          controller::TaskChanged{attempt, TaskState::kStarting, NodeId{0}, Outcome::kSucceeded}}};
  (*writer)->record(0, instant_ns(0), controller::Submit{RequestId{1}, some_job("k", 1, 1, true)}, {}, 0);
  (*writer)->record(0, instant_ns(1000), Wake{}, first, 0);
  (*writer)->record(1, instant_ns(1000), agent::Started{attempt}, {}, 0);
  (*writer)->record(0, instant_ns(2'000'000'000), Wake{}, first, 1);  // the first command was another step's
  DUET_CHECK((*writer)->finish());
  return bytes;
}

TEST(CodecTrace, BytesArePinned) {
  // If this fails, the format has changed: then kTraceFormat must change too, and traces of the old one are
  // refused.
  const std::string bytes = small_trace();
  const std::size_t body = bytes.find('\n', bytes.find('\n') + 1) + 1;
  EXPECT_EQ(bytes.substr(0, 13), "duet-trace 6 ");
  EXPECT_EQ(codec::hex(codec::as_bytes(bytes).subspan(body)),
            "550101010501036b07616e6e000303421f0101011080b2e60e010300000101010101010301010100000001"
            "f76deff23701421f060500010501010301010101001301030101010301010000a6e09f140f030102050103"
            "0180a2853c2301100664cd1d0603030105010301010000c16f0c8a01040000000000000071000000000000"
            "00eb877885e89550beef5fe6fdda3b8d0a688d8ac8aee504889b51510e153bd0e6fdfc7e689818e3da");
  EXPECT_EQ(verify(bytes), "");
}

TEST(CodecTrace, HeaderAndStepsComeBack) {
  const std::string bytes = run_trace();
  auto reader = codec::TraceReader::from_memory(bytes);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->header(), two_agents());
  codec::Frame frame;
  std::uint64_t steps = 0;
  Instant last{};
  bool submitted = false;
  while (*reader->next(frame)) {
    EXPECT_EQ(frame.number, ++steps);
    EXPECT_GE(frame.now, last);
    last = frame.now;
    codec::Step<Controller> step;
    if (!frame.of_controller()) continue;
    ASSERT_TRUE(codec::decode(frame, step));
    if (const auto* submit = std::get_if<controller::Submit>(&step.event))
      submitted |= submit->spec->key == "bag";
  }
  EXPECT_TRUE(submitted);
  EXPECT_EQ(reader->summary().steps, steps);
  std::string again;
  EXPECT_EQ(*traced_run(codec::TraceOutput::memory(again)), reader->summary());
  EXPECT_EQ(again, bytes);
}

TEST(CodecTrace, EveryFlipDeletionAndCutIsNoticed) {
  const std::string good = small_trace();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      EXPECT_NE(verify(bad), "") << "byte " << at << " bit " << bit;
    }
    std::string shorter = good;
    shorter.erase(at, 1);
    EXPECT_NE(verify(shorter), "") << "byte " << at << " deleted";
    EXPECT_NE(verify(std::string_view(good).substr(0, at)), "") << "cut at " << at;
    std::string doubled = good;
    doubled.insert(at, 1, good[at]);
    EXPECT_NE(verify(doubled), "") << "byte " << at << " doubled";
  }
  EXPECT_NE(verify(good + '\0'), "");
}

TEST(CodecTrace, FramesThatChangePlacesAreNoticed) {
  const std::string good = run_trace();
  auto reader = codec::TraceReader::from_memory(good);
  std::vector<std::pair<std::size_t, std::size_t>> frames;
  codec::Frame frame;
  while (*reader->next(frame)) frames.emplace_back(frame.offset, frame.size);
  ASSERT_GT(frames.size(), 50U);
  for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
    const auto [at, size] = frames[i];
    const auto [next, next_size] = frames[i + 1];
    const std::string a = good.substr(at, size);
    const std::string b = good.substr(next, next_size);
    if (a == b) continue;
    std::string swapped = good;
    swapped.replace(at, size + next_size, b + a);
    EXPECT_NE(verify(swapped).find("frame " + std::to_string(i + 1) + " at byte " + std::to_string(at)),
              std::string::npos)
        << verify(swapped);
    std::string without = good;
    without.erase(at, size);
    EXPECT_NE(verify(without), "");
  }
}

TEST(CodecTrace, WithoutChecksAlteredTracesDoNotCrash) {
  const std::string good = small_trace();
  for (std::size_t at = 0; at < good.size(); ++at)
    for (int b = 0; b < 256; b += 50 / kPasses) {
      std::string bad = good;
      bad[at] = static_cast<char>(b);
      verify(bad, {.check_hashes = false});
    }
}

TEST(CodecTrace, OtherFilesAreRefusedInWords) {
  const std::string good = small_trace();
  const auto problem = [](std::string_view bytes) {
    return codec::TraceReader::from_memory(bytes).problems().front();
  };
  EXPECT_EQ(problem("").what, "is not a trace of Duet");
  EXPECT_EQ(problem("PK\x03\x04").what, "is not a trace of Duet");
  EXPECT_EQ(problem("{\"header\":{}}\n").what, "is a trace in JSON Lines, which is for reading only");
  std::string newer = good;
  newer.replace(0, 13, "duet-trace 7 ");
  EXPECT_EQ(problem(newer).what, "is a trace of format 7");
  EXPECT_EQ(problem(newer).right, "format 6, the only one that this version of Duet reads");
  EXPECT_EQ(problem("duet-trace 6 99999999999999999 0123456789abcdef\n").what,
            "at byte 48: the header is cut off");
}

TEST_F(CodecFiles, EveryOutputTellsTheSame) {
  std::string binary, lines;
  const auto memory = traced_run(codec::TraceOutput::memory(binary));
  const auto jsonl = traced_run(codec::TraceOutput::jsonl_memory(lines));
  EXPECT_EQ(*memory, *jsonl);
  EXPECT_EQ(*memory, *traced_run(codec::TraceOutput::digest_only()));
  EXPECT_EQ(*memory, *traced_run(codec::TraceOutput::file(path("t"))));
  EXPECT_EQ(*memory, *traced_run(codec::TraceOutput::jsonl(path("l"))));
  EXPECT_EQ(text("t"), binary);
  EXPECT_EQ(text("l"), lines);
  EXPECT_EQ(files(), 2U);
  auto reader = codec::TraceReader::open(path("t"));
  std::string cat_out;
  codec::StringSink sink(cat_out);
  EXPECT_EQ(*codec::cat(*reader, {.filter = {}, .framed = true}, sink), memory->steps);
  EXPECT_EQ(cat_out, lines);
}

TEST_F(CodecFiles, BigStepsAndManyStepsSurvive) {
  std::string bytes;
  codec::TraceHeader header = two_agents();
  auto writer = codec::TraceWriter::create(header, codec::TraceOutput::file(path("t")));
  RandomFill random(3);
  std::string expected;
  Instant now{};
  for (std::uint64_t i = 1; i <= 2000; ++i) {
    now += Duration(static_cast<std::int64_t>(i * i));
    controller::Commands commands(i == 1000 ? 5000 : i % 4);
    for (auto& command : commands) command = random.make<controller::Command>();
    const auto event = random.make<controller::Event>();
    (*writer)->record(0, now, event, commands, 0);
    codec::render_step<Controller>(expected, i, 0, now, event, commands);
    expected += '\n';
  }
  const auto summary = (*writer)->finish();
  ASSERT_TRUE(summary);
  auto reader = codec::TraceReader::open(path("t"));
  ASSERT_TRUE(reader);
  codec::StringSink sink(bytes);
  ASSERT_TRUE(codec::cat(*reader, {}, sink));
  EXPECT_TRUE(bytes == expected);
  EXPECT_EQ(reader->summary(), *summary);
}

TEST_F(CodecFiles, NothingAppearsWithoutFinish) {
  {
    auto writer = codec::TraceWriter::create(two_agents(), codec::TraceOutput::file(path("t")));
    (*writer)->record(0, instant_ns(1), controller::Event(Wake{}), {}, 0);
    EXPECT_TRUE(fs::exists(path("t.part")));
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(CodecFiles, AFailedRunKeepsTheOldFile) {
  ASSERT_TRUE(codec::write_file(path("t"), "old"));
  { auto writer = codec::TraceWriter::create(two_agents(), codec::TraceOutput::file(path("t"))); }
  EXPECT_EQ(text("t"), "old");
  EXPECT_EQ(*codec::write_file(path("t"), "newer"), 5U);
  EXPECT_EQ(text("t"), "newer");
  EXPECT_EQ(files(), 1U);
}

TEST_F(CodecFiles, AFullDiskIsSaidInWords) {
  const auto full = traced_run(codec::TraceOutput::file("/dev/full"));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.problems().front().where, "/dev/full");
  EXPECT_EQ(full.problems().front().what, "cannot be written: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(CodecFiles, AFileThatMayNotGrowLeavesNothing) {
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto result = traced_run(codec::TraceOutput::file(path("t")));
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.problems().front().what, "cannot be written: File too large");
  EXPECT_EQ(files(), 0U);
}

TEST_F(CodecFiles, PlacesThatCannotBeWritten) {
  const auto what = [](const std::string& where) {
    const auto writer = codec::TraceWriter::create({}, codec::TraceOutput::file(where));
    return writer ? "written" : writer.problems().front().what;
  };
  EXPECT_EQ(what(path("missing/t")), "cannot be written: No such file or directory");
  EXPECT_EQ(what(path("")), "cannot be written: it is a directory");
  ASSERT_TRUE(codec::write_file(path("file"), ""));
  EXPECT_EQ(what(path("file/t")), "cannot be written: Not a directory");
  EXPECT_EQ(codec::TraceReader::open(path("none")).problems().front().what,
            "cannot be read: No such file or directory");
  EXPECT_EQ(codec::TraceReader::open(path("")).problems().front().what,
            "at byte 0: cannot be read: Is a directory");
}

}  // namespace codec_trace
}  // namespace duet::test
