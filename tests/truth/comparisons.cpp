// Which queue is better on a real log, and by how much: `duet compare` against what an independent simulator
// found. The logs are not part of the project: where they are not beside it, these tests are skipped.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace duet::test {
namespace {
namespace comparisons {

namespace fs = std::filesystem;

fs::path truth_folder() {
  const char* given = std::getenv("DUET_SHARED");
  const fs::path shared = given != nullptr ? fs::path(given) : fs::path(DUET_SOURCE_DIR) / "../shared";
  return fs::exists(shared / "data/truth") ? fs::canonical(shared / "data") : fs::path();
}

nlohmann::json read_json(const fs::path& path) {
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

/// The truth's words for metrics of ours.
const std::vector<std::pair<std::string, std::string>> kSame = {
    {"makespan_s", "makespan"},
    {"mean_wait_s", "mean_wait"},
    {"max_wait_s", "max_wait"},
    {"mean_turnaround_s", "mean_turnaround"},
    {"mean_bounded_slowdown", "mean_bounded_slowdown_tau10"},
    {"max_bounded_slowdown", "max_bounded_slowdown_tau10"},
    {"utilization", "utilization"}};

class QueuesOnHpc2n : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    data_ = truth_folder();
    if (data_.empty()) GTEST_SKIP() << "the job logs are not beside the project (set DUET_SHARED)";
    std::string pattern = (fs::temp_directory_path() / "duet-truth-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    const std::string cores = std::to_string(GetParam());
    const std::string program = DUET_PROGRAM;
    const std::string scenario = (folder_ / "log.json").string();
    const std::string quiet = " > " + (folder_ / "said").string() + " 2>&1";
    ASSERT_EQ(std::system((program + " import swf " + (data_ / "traces/hpc2n_alea.swf").string() +
                           " --pool " + cores + " -o " + scenario + quiet)
                              .c_str()),
              0);
    ASSERT_EQ(std::system((program + " compare " + scenario +
                           " --axis queue=fcfs,easy,sjf --engine loop --out " + folder_.string() + quiet)
                              .c_str()),
              0);
    found_ = read_json(folder_ / "comparison.json");
    const nlohmann::json truth = read_json(data_ / "truth/hpc2n_alea.json");
    for (const auto& run : truth.at("runs"))
      if (run.at("capacity") == GetParam()) truth_ = run;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  double metric(std::size_t variant, const std::string& name) const {
    return found_.at("runs").at(variant).at("metrics").at(name);
  }

  fs::path data_;
  fs::path folder_;
  nlohmann::json found_;
  nlohmann::json truth_;
};

TEST_P(QueuesOnHpc2n, TheMarginsAreThoseOfTheTruth) {
  const std::vector<std::string> names = {"FCFS", "EASY", "SJF"};
  for (std::size_t v = 0; v < names.size(); ++v)
    for (const auto& [ours, theirs] : kSame) {
      const double expected = truth_.at("policies").at(names[v]).at(theirs);
      EXPECT_NEAR(metric(v, ours) / expected, 1, 1e-12) << names[v] << ' ' << ours;
    }
  const double bound = truth_.at("statistics").at("makespan_lower_bound");
  EXPECT_NEAR(metric(0, "makespan_bound_s") / bound, 1, 1e-12);
  // EASY beats FCFS, by this much, and the comparison says so.
  const double margin = truth_.at("policies").at("FCFS").at("mean_wait").get<double>() -
                        truth_.at("policies").at("EASY").at("mean_wait").get<double>();
  EXPECT_GT(margin, 0);
  int told = 0;
  for (const auto& cell : found_.at("cells"))
    if (cell.at("metric") == "mean_wait_s" && cell.at("variant") == 1) {
      ++told;
      EXPECT_NEAR(cell.at("difference").get<double>() / -margin, 1, 1e-12);
    }
  EXPECT_EQ(told, 1);
}

TEST_P(QueuesOnHpc2n, SjfStarves) {
  EXPECT_GT(metric(2, "max_wait_s"), 1.3 * metric(1, "max_wait_s"));
  EXPECT_GT(metric(2, "max_wait_s"), metric(0, "max_wait_s"));
}

INSTANTIATE_TEST_SUITE_P(Cores, QueuesOnHpc2n, testing::Values(120, 240),
                         [](const auto& chosen) { return std::to_string(chosen.param); });

}  // namespace comparisons
}  // namespace
}  // namespace duet::test
