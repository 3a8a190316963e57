// Proves the importers before any engine: schedules computed here, as plainly as can be, from imported jobs
// must equal schedules that were computed by others from the logs themselves.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include "sim/import_batsim.h"
#include "sim/import_swf.h"
#include "tests/unit/import_support.h"

namespace duet::sim::import_test {
namespace truth {

enum class Policy { kFcfs, kSjf, kEasy };

std::string name(Policy policy) {
  return policy == Policy::kFcfs ? "FCFS" : policy == Policy::kSjf ? "SJF" : "EASY";
}

/// One pool of identical cores. At one instant all ends, then all submissions, then one scheduling pass.
class Pool {
 public:
  Pool(const std::vector<TableJob>& jobs, std::int64_t cores, Policy policy)
      : jobs_(jobs), free_(cores), policy_(policy), starts_(jobs.size(), -1) {}

  std::vector<std::int64_t> run() {
    std::size_t arrived = 0;
    while (arrived < jobs_.size() || !running_.empty()) {
      std::int64_t now = running_.empty() ? jobs_[arrived].submit_ns : running_.begin()->first;
      if (arrived < jobs_.size()) now = std::min(now, jobs_[arrived].submit_ns);
      while (!running_.empty() && running_.begin()->first == now) {
        free_ += need(running_.begin()->second);
        running_.erase(running_.begin());
      }
      for (; arrived < jobs_.size() && jobs_[arrived].submit_ns == now; ++arrived) enqueue(arrived);
      pass(now);
    }
    return starts_;
  }

 private:
  std::int64_t need(std::size_t i) const { return std::int64_t{jobs_[i].tasks} * jobs_[i].cores; }
  std::int64_t length(std::size_t i) const {
    const std::int64_t run = jobs_[i].duration_ns + jobs_[i].operations;  // one of them is 0
    return jobs_[i].timeout_ns > 0 ? std::min(run, jobs_[i].timeout_ns) : run;
  }

  /// SJF orders by estimate; else, and among equals, the order is that of the log.
  void enqueue(std::size_t i) {
    auto place = queue_.end();
    if (policy_ == Policy::kSjf) {
      place = std::upper_bound(queue_.begin(), queue_.end(), i, [&](std::size_t a, std::size_t b) {
        return jobs_[a].estimate_ns < jobs_[b].estimate_ns;
      });
    }
    queue_.insert(place, i);
  }

  void start(std::size_t i, std::int64_t now) {
    starts_[i] = now;
    free_ -= need(i);
    running_.emplace(now + length(i), i);
  }

  void pass(std::int64_t now) {
    while (!queue_.empty() && need(queue_.front()) <= free_) {
      start(queue_.front(), now);
      queue_.erase(queue_.begin());
    }
    if (policy_ == Policy::kEasy && queue_.size() > 1 && free_ > 0) backfill(now);
  }

  /// The head of the queue gets a reservation; others start if they do not delay it.
  void backfill(std::int64_t now) {
    std::multimap<std::int64_t, std::size_t> ends;
    for (const auto& [end, i] : running_) ends.emplace(starts_[i] + jobs_[i].estimate_ns, i);
    std::int64_t shadow = -1;
    std::int64_t available = free_;
    for (auto it = ends.begin(); it != ends.end() && available < need(queue_.front());) {
      shadow = it->first;
      for (; it != ends.end() && it->first == shadow; ++it) available += need(it->second);
    }
    std::int64_t extra = available - need(queue_.front());
    std::vector<std::size_t> rest{queue_.front()};
    for (std::size_t k = 1; k < queue_.size(); ++k) {
      const std::size_t i = queue_[k];
      const bool in_time = now + jobs_[i].estimate_ns <= shadow;
      if (need(i) <= free_ && (in_time || need(i) <= extra)) {
        if (!in_time) extra -= need(i);
        start(i, now);
      } else {
        rest.push_back(i);
      }
    }
    queue_ = std::move(rest);
  }

  const std::vector<TableJob>& jobs_;
  std::int64_t free_;
  Policy policy_;
  std::vector<std::int64_t> starts_;
  std::multimap<std::int64_t, std::size_t> running_;
  std::vector<std::size_t> queue_;
};

/// The schedule as "job,start" lines, times in units of `unit_ns`.
std::string schedule(const Imported& imported, std::int64_t cores, Policy policy, std::int64_t unit_ns) {
  const auto starts = Pool(jobs(imported), cores, policy).run();
  std::string text;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    EXPECT_EQ(starts[i] % unit_ns, 0);
    text += jobs(imported)[i].id + "," + std::to_string(starts[i] / unit_ns) + "\n";
  }
  return text;
}

/// Lines that differ, and how many there are in the longer text.
std::pair<std::size_t, std::size_t> differences(const std::string& got, const std::string& want) {
  std::istringstream a(got);
  std::istringstream b(want);
  std::string x;
  std::string y;
  std::size_t wrong = 0;
  std::size_t lines = 0;
  for (;; ++lines) {
    const bool more_a = static_cast<bool>(std::getline(a, x));
    const bool more_b = static_cast<bool>(std::getline(b, y));
    if (!more_a && !more_b) return {wrong, lines};
    if (more_a != more_b || x != y) ++wrong;
  }
}

std::string sha256(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

/// The folder with public job logs and their known schedules, which is not part of this repository.
std::filesystem::path data() {
  const char* shared = std::getenv("DUET_SHARED");
  return (shared != nullptr ? std::filesystem::path(shared) : kSource / "../shared") / "data";
}

#define SKIP_WITHOUT(file)                       \
  if (!std::filesystem::exists(data() / (file))) \
  GTEST_SKIP() << "needs " << (data() / (file)).string() << ": set DUET_SHARED to the folder above data/"

void expect_schedules(const Imported& imported, std::int64_t cores, std::int64_t unit_ns,
                      const std::string& csv) {
  for (const Policy policy : {Policy::kFcfs, Policy::kSjf, Policy::kEasy}) {
    const std::string path =
        data() / "truth" / (csv + "_" + name(policy) + "_cap" + std::to_string(cores) + ".csv");
    const std::string want = file_text(path);
    ASSERT_FALSE(want.empty()) << path;
    const auto [wrong, lines] = differences("job,start\n" + schedule(imported, cores, policy, unit_ns), want);
    EXPECT_EQ(wrong, 0U) << name(policy);
    EXPECT_EQ(lines, jobs(imported).size() + 1);
  }
}

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMicrosecond = 1000;

TEST(ImportTruth, OwnLogByHand) {
  const auto imported = import_swf(own_log("backfill.swf"), pool(4));
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(schedule(*imported, 4, Policy::kFcfs, kSecond), "1,0\n2,10\n3,15\n4,15\n5,15\n8,24\n");
  EXPECT_EQ(schedule(*imported, 4, Policy::kSjf, kSecond), "1,0\n2,16\n3,24\n4,3\n5,10\n8,21\n");
  EXPECT_EQ(schedule(*imported, 4, Policy::kEasy, kSecond), "1,0\n2,10\n3,15\n4,3\n5,15\n8,24\n");
}

TEST(ImportTruth, Hpc2n) {
  SKIP_WITHOUT("traces/hpc2n_alea.swf");
  for (const ImportOptions& options : {pool(240), hosts(240)}) {
    const auto imported = import_swf(data() / "traces/hpc2n_alea.swf", options);
    ASSERT_TRUE(imported) << complaints(imported);
    EXPECT_EQ(imported->report.kept, 3145U);
    EXPECT_EQ(imported->report.total_dropped(), 25U);
    expect_schedules(*imported, 240, kSecond, "hpc2n_alea");
  }
}

TEST(ImportTruth, Hpc2nOnHalfTheMachine) {
  SKIP_WITHOUT("truth/hpc2n_alea.json");
  const auto imported = import_swf(data() / "traces/hpc2n_alea.swf", pool(120));
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(imported->report.kept, 3129U);
  const auto known = nlohmann::json::parse(file_text(data() / "truth/hpc2n_alea.json"));
  const auto& run = known.at("runs").at(1);
  ASSERT_EQ(run.at("capacity"), 120);
  for (const Policy policy : {Policy::kFcfs, Policy::kSjf, Policy::kEasy}) {
    EXPECT_EQ(sha256(schedule(*imported, 120, policy, kSecond)),
              run.at("policies").at(name(policy)).at("schedule_sha256").get<std::string>());
  }
}

TEST(ImportTruth, Lublin) {
  SKIP_WITHOUT("traces/lublin_256.swf");
  ImportOptions options = pool(256);
  options.as_work = true;
  const auto imported = import_swf(data() / "traces/lublin_256.swf", options);
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(imported->report.kept, 10000U);
  expect_schedules(*imported, 256, kSecond, "lublin_256");
}

TEST(ImportTruth, BatsimWorkload) {
  SKIP_WITHOUT("batsim/medium_late.json");
  for (const auto overrun : {ImportOptions::Overrun::kExtend, ImportOptions::Overrun::kKill}) {
    ImportOptions options = pool(32);
    options.overrun = overrun;  // no job of this workload overruns, so both rules must give the same
    const auto imported = import_batsim(data() / "batsim/medium_late.json", options);
    ASSERT_TRUE(imported) << complaints(imported);
    EXPECT_EQ(imported->report.kept, 801U);
    EXPECT_EQ(jobs(*imported).back().id, "424242");
    expect_schedules(*imported, 32, kMicrosecond, "batsim_medium_late_counting_easy");
  }
}

/// 4709164 us -> "4.709164", as Batsim prints.
std::string printed(std::int64_t ns) {
  std::string fraction = std::to_string(ns % kSecond / kMicrosecond);
  fraction.insert(0, 6 - fraction.size(), '0');
  return std::to_string(ns / kSecond) + "." + fraction;
}

TEST(ImportTruth, BatsimPrintsTheSameTimes) {
  SKIP_WITHOUT("batsim/published_easy_out_jobs.csv");
  const auto imported = import_batsim(data() / "batsim/medium_late.json", hosts(32));
  ASSERT_TRUE(imported) << complaints(imported);
  std::set<std::string> got;
  for (const TableJob& job : jobs(*imported)) {
    EXPECT_EQ(job.submit_ns % kMicrosecond, 0);
    got.insert(job.id + "," + printed(job.submit_ns) + "," + std::to_string(job.tasks) + "," +
               printed(job.estimate_ns) + "," + printed(job.duration_ns));
  }
  std::set<std::string> want;  // job_id, submission_time, requested resources, requested_time, execution_time
  std::istringstream published(file_text(data() / "batsim/published_easy_out_jobs.csv"));
  std::string line;
  std::getline(published, line);
  while (std::getline(published, line)) {
    std::vector<std::string> cells;
    std::istringstream cut(line);
    for (std::string cell; std::getline(cut, cell, ',');) cells.push_back(cell);
    ASSERT_GE(cells.size(), 9U);
    want.insert(cells[0] + "," + cells[3] + "," + cells[4] + "," + cells[5] + "," + cells[8]);
  }
  EXPECT_EQ(want.size(), 801U);
  EXPECT_EQ(got, want);
}

}  // namespace truth
}  // namespace duet::sim::import_test
