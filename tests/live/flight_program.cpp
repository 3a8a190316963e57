// The command line on what a flight recorder left: a run that goes on, ended, was killed, or was damaged.
#include <memory>

#include "core/codec/segments.h"
#include "live/recorder/flight_recorder.h"
#include "tests/golden/program.h"
#include "tests/live/store_support.h"
#include "tests/unit/codec_support.h"

namespace duet::test {
namespace {

using program_tests::duet;

/// Steps into a recorder with small segments; its run is ended or not.
void record(const std::string& folder, bool ended, const std::string& run) {
  live::FlightOptions options;
  options.folder = folder;
  options.segment_bytes = 1000;
  options.run = run;
  auto recorder = live::FlightRecorder::open(two_agents(), options);
  ASSERT_TRUE(recorder);
  TracedCluster cluster(two_agents(), recorder->get(), recorder->get());
  cluster.submit(std::chrono::seconds(1), some_job("first", 1, 3, false));
  cluster.run(std::chrono::seconds(2));
  ASSERT_EQ((*recorder)->sync(), Problems{});
  cluster.submit(std::chrono::seconds(8), some_job("last", 1, 5, false));
  cluster.run(std::chrono::seconds(60));
  ASSERT_EQ((*recorder)->sync(), Problems{});
  cluster.submit(std::chrono::seconds(61), some_job("in the last file", 1, 5, false));
  cluster.run(std::chrono::seconds(61));
  if (ended) {
    ASSERT_TRUE((*recorder)->finish());
  } else {
    ASSERT_EQ((*recorder)->sync(), Problems{});
  }
}

TEST(FlightProgram, ReadsAFolderOfLiveRuns) {
  const TempFolder folder;
  record(folder.path("flight"), true, "one");
  record(folder.path("flight"), false, "two");
  const auto files = codec::segment_files(folder.path("flight"));
  ASSERT_GT(files.size(), 2U);
  ASSERT_TRUE(files.back().part);
  // As kill -9 may leave it.
  const std::string bytes = file_text(files.back().path);
  write_text(files.back().path, bytes.substr(0, bytes.size() - 3));

  // The data folder and the folder of the segments stand for the same; the last run counts.
  for (const std::string& given : {folder.path(), folder.path("flight")}) {
    const auto replay = duet({"replay", given, "--verify"});
    EXPECT_EQ(replay.code, 0) << replay.err;
    EXPECT_NE(replay.out.find("every command as recorded\nthe run did not end: read up to step "),
              std::string::npos)
        << replay.out;
  }
  const auto cat = duet({"trace", "cat", folder.path()});
  EXPECT_EQ(cat.code, 0);
  EXPECT_TRUE(cat.out.starts_with("{\"header\":")) << cat.out;
  EXPECT_EQ(cat.out.find("{\"end\":"), std::string::npos);
  EXPECT_NE(cat.err.find("note: " + files.back().path + ": the run did not end: read up to step "),
            std::string::npos)
      << cat.err;
  const auto stats = duet({"trace", "stats", folder.path()});
  EXPECT_EQ(stats.code, 0);
  EXPECT_NE(stats.err.find("the run did not end"), std::string::npos) << stats.err;
  const auto explain = duet({"explain", folder.path(), "1.0"});
  EXPECT_EQ(explain.code, 0) << explain.err;
  EXPECT_NE(explain.out.find("first"), std::string::npos) << explain.out;
  EXPECT_NE(explain.err.find("the run did not end"), std::string::npos) << explain.err;
  // The first run, by its first file, ended.
  const auto first = duet({"replay", folder.path("flight/000001.duet")});
  EXPECT_EQ(first.code, 0);
  EXPECT_TRUE(first.out.ends_with("every command as recorded\n")) << first.out;

  // Both runs are checked; a damaged one is named.
  const auto whole = duet({"trace", "verify", folder.path(), "-o", "csv"});
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_EQ(std::ranges::count(whole.out, '\n'), 3) << whole.out;
  std::string turned = file_text(files[1].path);
  turned[turned.size() - 70] ^= 1;
  write_text(files[1].path, turned);
  const auto damaged = duet({"trace", "verify", folder.path(), "-o", "csv"});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_NE(damaged.out.find(files[1].path + ": "), std::string::npos) << damaged.out;

  const auto none = duet({"replay", folder.path("none")});
  EXPECT_EQ(none.code, 2);
}

}  // namespace
}  // namespace duet::test
