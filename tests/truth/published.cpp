// Schedules that nobody here computed: real job logs go in by `duet import`, `duet sim` runs them on both
// engines, and every start time equals an independently computed or published one. The logs are not part of
// the project: where they are not beside it, these tests are skipped.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "core/codec/hash.h"

namespace duet::test {
namespace {

namespace fs = std::filesystem;

/// The folder with the logs, or empty.
fs::path data_folder() {
  const char* given = std::getenv("DUET_SHARED");
  const fs::path shared = given != nullptr ? fs::path(given) : fs::path(DUET_SOURCE_DIR) / "../shared";
  return fs::exists(shared / "data/truth") ? fs::canonical(shared / "data") : fs::path();
}

/// How a log is simulated.
struct Engine {
  std::string name;
  std::string import;  ///< Further options of `duet import`.
  std::string sim;     ///< Options of `duet sim`.
};

const std::vector<Engine>& engines() {
  static const std::vector<Engine> all = [] {
    std::vector<Engine> engines{{"loop", "", "--engine loop"}};
    if (fs::exists(fs::path(DUET_BUILD_DIR) / "libexec/duet-sim")) {
      engines.push_back({"simgrid", "", "--engine simgrid"});
      engines.push_back({"simgrid_work", "--as work", "--engine simgrid"});
    }
    return engines;
  }();
  return all;
}

struct Started {
  std::string job;
  std::string start_s;  ///< As jobs.csv prints it.
  std::string resources;
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',')
      cells.emplace_back();
    else if (c != '\r' && c != '"')
      cells.back() += c;
  }
  return cells;
}

/// Rows of a CSV file by column name.
std::vector<std::map<std::string, std::string>> read_csv(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> names = split(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> cells = split(line);
    for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i) {
      if (i == 0) rows.emplace_back();
      rows.back()[names[i]] = cells[i];
    }
  }
  return rows;
}

/// "12.345600" in units of 10^-decimals; fails the test if it is not a whole number of them.
std::int64_t exactly(const std::string& seconds, std::size_t decimals) {
  const std::size_t point = seconds.find('.');
  std::string fraction = point == std::string::npos ? "" : seconds.substr(point + 1);
  fraction.resize(std::max(fraction.size(), decimals), '0');
  EXPECT_EQ(fraction.find_first_not_of('0', decimals), std::string::npos)
      << seconds << " has a finer fraction";
  return std::stoll(seconds.substr(0, point) + fraction.substr(0, decimals));
}

/// A folder that goes with the test.
class WorkFolder {
 public:
  WorkFolder() : path_(fs::temp_directory_path() / ("duet-truth-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~WorkFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Runs a command line of ours; paths in it have no spaces. Expects it to succeed.
bool succeeds(const std::string& command, const fs::path& folder) {
  const std::string log = (folder / "log").string();
  const int status = std::system((command + " > " + log + " 2>&1").c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  std::ifstream in(log);
  std::stringstream said;
  said << in.rdbuf();
  ADD_FAILURE() << command << "\nended with " << status << "\n" << said.str();
  return false;
}

std::vector<Started> simulate(const Engine& engine, const std::string& import, const std::string& queue) {
  const WorkFolder folder;
  const std::string scenario = (folder.path() / "scenario.json").string();
  const std::string out = (folder.path() / "out").string();
  const std::string program = DUET_PROGRAM;
  std::vector<Started> starts;
  if (!succeeds(program + " import " + import + " " + engine.import + " -o " + scenario, folder.path()))
    return starts;
  if (!succeeds(program + " sim " + scenario + " " + engine.sim + " --queue " + queue + " --out " + out,
                folder.path()))
    return starts;
  for (auto& row : read_csv(fs::path(out) / "jobs.csv"))
    starts.push_back({row["job_id"], row["starting_time"], row["allocated_resources"]});
  return starts;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

struct Log {
  std::string name;
  std::string import;  ///< Format, file below the data folder, and shape.
  std::string file;
  std::string shape;
  std::string truth;  ///< Beginning and end of the truth's name, the policy goes between.
  std::string truth_end;
  std::size_t decimals;
};

class Published : public testing::TestWithParam<std::tuple<std::size_t, std::string>> {
 protected:
  void SetUp() override {
    if (data_folder().empty()) GTEST_SKIP() << "the job logs are not beside the project (set DUET_SHARED)";
  }
};

const std::vector<Log>& logs() {
  static const std::vector<Log> all{
      {"hpc2n", "swf", "traces/hpc2n_alea.swf", "--pool 240", "hpc2n_alea_", "_cap240.csv", 0},
      {"lublin", "swf", "traces/lublin_256.swf", "--pool 256", "lublin_256_", "_cap256.csv", 0},
      {"medium_late", "batsim", "batsim/medium_late.json", "--pool 32", "batsim_medium_late_counting_easy_",
       "_cap32.csv", 6},
  };
  return all;
}

TEST_P(Published, StartTimesAreEqual) {
  const Log& log = logs()[std::get<0>(GetParam())];
  const std::string& policy = std::get<1>(GetParam());
  const fs::path data = data_folder();
  const auto truth = read_csv(data / "truth" / (log.truth + policy + log.truth_end));
  ASSERT_GT(truth.size(), 500U);
  for (const Engine& engine : engines()) {
    SCOPED_TRACE(engine.name);
    const std::string import = log.import + " " + (data / log.file).string() + " " + log.shape;
    const std::vector<Started> starts = simulate(engine, import, lower(policy));
    ASSERT_EQ(starts.size(), truth.size());
    std::size_t equal = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const bool same = starts[i].job == truth[i].at("job") &&
                        exactly(starts[i].start_s, log.decimals) == std::stoll(truth[i].at("start"));
      if (!same && equal == i)
        ADD_FAILURE() << "job " << truth[i].at("job") << " starts at " << truth[i].at("start") << ", not "
                      << starts[i].start_s << " (row of job " << starts[i].job << ")";
      equal += same;
    }
    EXPECT_EQ(equal, truth.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Logs, Published,
                         testing::Combine(testing::Range<std::size_t>(0, 3),
                                          testing::Values("FCFS", "SJF", "EASY")),
                         [](const auto& chosen) {
                           return logs()[std::get<0>(chosen.param)].name + "_" + std::get<1>(chosen.param);
                         });

class PublishedHash : public testing::TestWithParam<std::string> {};

TEST_P(PublishedHash, HalfTheMachine) {
  const fs::path data = data_folder();
  if (data.empty()) GTEST_SKIP() << "the job logs are not beside the project (set DUET_SHARED)";
  std::ifstream in(data / "truth/hpc2n_alea.json");
  const auto truth = nlohmann::json::parse(in);
  std::string expected;
  for (const auto& run : truth.at("runs"))
    if (run.at("capacity") == 120) expected = run.at("policies").at(GetParam()).at("schedule_sha256");
  ASSERT_EQ(expected.size(), 64U);
  for (const Engine& engine : engines()) {
    SCOPED_TRACE(engine.name);
    const std::string import = "swf " + (data / "traces/hpc2n_alea.swf").string() + " --pool 120";
    std::string schedule;
    for (const Started& job : simulate(engine, import, lower(GetParam())))
      schedule += job.job + "," + std::to_string(exactly(job.start_s, 0)) + "\n";
    EXPECT_EQ(codec::sha256_hex(schedule), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, PublishedHash, testing::Values("FCFS", "SJF", "EASY"),
                         [](const auto& chosen) { return chosen.param; });

/// Batsim's own schedule of 801 jobs: when each starts, and on which machines.
TEST(PublishedMachines, BatsimEasy) {
  const fs::path data = data_folder();
  if (data.empty()) GTEST_SKIP() << "the job logs are not beside the project (set DUET_SHARED)";
  // Batsim prints jobs as they end.
  std::map<std::string, std::pair<std::int64_t, std::string>> published;
  for (auto& row : read_csv(data / "batsim/published_easy_out_jobs.csv"))
    published[row["job_id"]] = {exactly(row["starting_time"], 6), row["allocated_resources"]};
  ASSERT_EQ(published.size(), 801U);
  for (const Engine& engine : engines()) {
    SCOPED_TRACE(engine.name);
    const std::string import = "batsim " + (data / "batsim/medium_late.json").string() + " --hosts 32";
    std::size_t equal = 0;
    for (const Started& job : simulate(engine, import, "easy_machines")) {
      const auto it = published.find(job.job);
      ASSERT_NE(it, published.end()) << job.job;
      const bool same = it->second.first == exactly(job.start_s, 6) && it->second.second == job.resources;
      equal += same;
    }
    EXPECT_EQ(equal, 801U);
  }
}

}  // namespace
}  // namespace duet::test
