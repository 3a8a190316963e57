// The folder of a run as somebody else may have written it: what is beyond reason is refused with its place,
// and takes neither memory nor time first.
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sim/compare/comparison_json.h"
#include "sim/report/report.h"
#include "sim/report/svg.h"
#include "tests/unit/compare_support.h"
#include "tests/unit/report_support.h"

namespace duet::sim {
namespace {
namespace report_hostile {

namespace fs = std::filesystem;
using namespace report;  // NOLINT: it is what is tested

const char* const kTaskHead = "task_id,job_id,node,slot,attempts,state,outcome,start,end,threads,kind\n";

/// The folder of a run of two jobs on one node.
class RunFolder {
 public:
  RunFolder() {
    fs::create_directories(folder_);
    write("summary.json", R"({"scenario": "s", "end_s": 9})");
    write("nodes.csv", "node,type,cores,threads_per_core,reserved_cores,zones\nn0,t,4,1,0,\n");
    write("jobs.csv", "job_id,submission_time,final_state,waiting_time\na,0.0,COMPLETED_SUCCESSFULLY,0.0\n");
    write("tasks.csv", std::string(kTaskHead) + "1.0,a,n0,0-3,1,succeeded,succeeded,0.0,9.0,4,rigid\n");
    write("attempts.csv", "task_id,attempt,node,slot,outcome,start,end,threads\n");
    write("node_states.csv", "time,node,state\n0.0,n0,ready\n");
  }
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder() { fs::remove_all(folder_); }

  void write(const char* name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  /// "file:line: what | what would be right"; empty if all is well.
  std::string refusal() {
    const auto view = load_run_view(folder_.string());
    if (view) return "";
    const Problem& problem = view.problems().front();
    return fs::path(problem.where).filename().string() + ": " + problem.what + " | " + problem.right;
  }

 private:
  fs::path folder_ = fs::path(testing::TempDir()) / ("duet-hostile-" + std::to_string(::getpid()));
};

std::string task(const std::string& slot) {
  return "1.0,a,n0," + slot + ",1,succeeded,succeeded,0.0,9.0,4,rigid\n";
}

TEST(ReportHostile, ARunIsRead) { EXPECT_EQ(RunFolder().refusal(), ""); }

TEST(ReportHostile, SlotsNameNoMoreThreadsThanAreToldApart) {
  EXPECT_EQ(threads_of_slot("0-255")->size(), 256U);
  EXPECT_FALSE(threads_of_slot("0-256"));
  EXPECT_FALSE(threads_of_slot("0-200 A:300-355,7"));
  RunFolder run;
  // A few hundred bytes that were 4 MB each.
  std::string slot = "0-1000000";
  for (int i = 0; i < 9; ++i) slot += ' ' + slot;
  run.write("tasks.csv", kTaskHead + task(slot));
  EXPECT_EQ(run.refusal(),
            "tasks.csv:2: slot is `" + slot.substr(0, 60) + "...` | at most 256 threads, as 0-3 or A:1,5");
}

TEST(ReportHostile, AllAttemptsHoldNoMoreThreadsThanFitInMemory) {
  RunFolder run;
  std::string rows = kTaskHead;
  for (int i = 0; i < 62'500; ++i) rows += task("0-255");
  run.write("tasks.csv", rows + task("7"));
  EXPECT_EQ(run.refusal(),
            "tasks.csv:62502: slot is `7` | at most 16 million threads held by all attempts together");
}

TEST(ReportHostile, NamesAndRowsHaveAnEnd) {
  RunFolder run;
  const std::string head = "job_id,submission_time,final_state,waiting_time\n";
  run.write("jobs.csv", head + std::string(256, 'x') + ",0.0,COMPLETED_SUCCESSFULLY,0.0\n");
  EXPECT_EQ(run.refusal(), "");
  run.write("jobs.csv", head + std::string(257, 'x') + ",0.0,COMPLETED_SUCCESSFULLY,0.0\n");
  EXPECT_EQ(run.refusal(),
            "jobs.csv:2: job_id is `" + std::string(60, 'x') + "...` | a name of at most 256 bytes");
  // Quotes that are not closed: each line was counted again for every line after it.
  std::string open = head + "\"a,0.0,";
  for (int i = 0; i < 400'000; ++i) open += "row\n";
  run.write("jobs.csv", open);
  EXPECT_EQ(run.refusal(), "jobs.csv:2: this row is longer than 1 MiB | quotes that are closed");
}

TEST(ReportHostile, AxesOfWhatIsNoMeasurementHaveAnEnd) {
  EXPECT_EQ(round_up(std::numeric_limits<double>::infinity()), 1);
  EXPECT_EQ(round_up(std::numeric_limits<double>::denorm_min()), 1);
  EXPECT_DOUBLE_EQ(round_up(9e300), 1e301);
  std::string text;
  Comparison comparison = report_tests::small_comparison(2, 3);
  comparison.runs.front().metrics["mean_wait_s"] = 2e300;
  write_comparison(comparison, [&](std::string_view piece) { text += piece; });
  const auto read = parse_comparison(text, "c.json");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.problems().front().what, "this is too large for a measurement");
}

TEST(ReportHostile, OfManyVariantsThePageShowsTheBestAndSaysSo) {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;
  for (int v = 0; v < 210; ++v) {
    names.push_back("v" + std::to_string(v));
    values.push_back({1000.0 - v, 1001.0 - v});  // the later, the better
  }
  const Comparison comparison = compare_test::made(names, "mean_wait_s", values);
  EXPECT_THAT(best_variants(comparison, 0, 3), testing::ElementsAre(0U, 208U, 209U)) << "and the baseline";
  const std::string page = report_html(comparison, {}, {{}, false});
  const auto holds = [&](const char* part) { return page.find(part) != std::string::npos; };
  EXPECT_TRUE(holds("Drawn are the best 8 of 209 variants."));
  EXPECT_TRUE(holds("<figcaption>v202</figcaption>"));
  EXPECT_FALSE(holds("<figcaption>v201</figcaption>"));
  EXPECT_TRUE(
      holds("These are 200 of 210 variants: the baseline and the best; comparison.json has all of them."));
  EXPECT_FALSE(holds("of 420 runs; results.csv"));
  EXPECT_EQ(
      compare_test::made({"a", "b", "c", "d", "e", "f"}, "mean_wait_s", {{1}, {1}, {1}, {1}, {1}, {1}})
          .verdicts.front(),
      "day: a tie: a, b, c, d and 2 others have the same mean_wait_s, 1 s, with the one seed that all have.");
}

}  // namespace report_hostile
}  // namespace
}  // namespace duet::sim
