// What tests of stores share: a folder, batches that a controller could have written, and contents to
// compare.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/record_store.h"
#include "core/rng.h"
#include "live/store/memory_store.h"
#include "live/store/record_row.h"
#include "live/store/sqlite_store.h"

namespace duet::test {

/// A folder of its own for each test, gone afterwards; in memory where there is such a place: what is tested
/// is what is written and when, not a disk.
class TempFolder {
 public:
  TempFolder() {
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    const std::filesystem::path where = memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string name = (where / "duet_XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline std::string file_text(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}
inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

inline JobSpecPtr service_of(std::uint32_t tasks, const std::string& user) {
  auto spec = std::make_shared<JobSpec>();
  spec->user = user;
  spec->kind = JobKind::kBag;
  TaskGroup group;
  group.count = tasks;
  group.spec.need.cpu_m = kThread;
  group.spec.work.payload = std::make_shared<const std::string>("sleep 1");
  spec->groups.push_back(group);
  return spec;
}

/// Batches as a controller makes them: jobs come, their tasks are placed again and again, jobs end.
class StoreScript {
 public:
  explicit StoreScript(std::uint64_t seed) : rng_(seed) {}

  live::Batch next() {
    live::Batch batch;
    const std::uint64_t records = 1 + rng_.below(4);
    for (std::uint64_t i = 0; i < records; ++i) add(batch);
    return batch;
  }

 private:
  void add(live::Batch& batch) {
    now_ += Duration(1'000'000);
    const std::uint64_t what = rng_.below(10);
    if (alive_.empty() || what == 0) {
      const JobId job{++jobs_};
      alive_.push_back(job);
      batch.records.emplace_back(JobRecord{job, now_, false, 0, service_of(3, "ann")});
      batch.records.emplace_back(KeyRecord{"key" + std::to_string(job.value), job, job.value * 7, now_});
      return;
    }
    const std::size_t at = static_cast<std::size_t>(rng_.below(alive_.size()));
    const JobId job = alive_[at];
    if (what == 1) {
      batch.records.emplace_back(EndRecord{job, JobState::kSucceeded});
      batch.history.push_back({job, now_, "{\"job\":" + std::to_string(job.value) + "}"});
      alive_.erase(alive_.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (what == 2) {
      const NodeId node{rng_.below(4)};
      NodeRecord record{node, "node" + std::to_string(node.value), Epoch{++epoch_}, false, {}};
      record.offer.capacity.cpu_m = kThread;
      batch.records.emplace_back(record);
    } else if (what == 3) {
      batch.records.emplace_back(KeyRecord{"key" + std::to_string(1 + rng_.below(jobs_)), {}, 0, {}});
    } else {
      TaskRecord task;
      task.task = {job, static_cast<std::uint32_t>(rng_.below(3))};
      task.state = TaskState::kRunning;
      task.attempt = ++attempt_;
      task.node = NodeId{rng_.below(4)};
      task.threads.insert(static_cast<std::uint32_t>(rng_.below(64)));
      task.placed = now_;
      batch.records.emplace_back(task);
    }
  }

  Rng rng_;
  Instant now_{};
  std::vector<JobId> alive_;
  std::uint64_t jobs_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint32_t attempt_ = 0;
};

/// What a store holds, as bytes that are equal if it is.
inline std::string content(const std::vector<Record>& records, const std::vector<live::HistoryRow>& history) {
  std::string all;
  for (const Record& record : records) {
    const live::RowKey key = live::row_key(record);
    all += static_cast<char>(key.kind);
    all += key.bytes + '\0';
    live::append_row_value(all, record);
  }
  for (const live::HistoryRow& row : history)
    all += std::to_string(row.job.value) + "@" + std::to_string(to_ns(row.ended)) + row.json;
  return all;
}
inline std::string content(const live::Loaded& loaded) { return content(loaded.records, loaded.history); }

/// What should be in a store after each batch of a script; the first is that of an empty one.
inline std::vector<std::string> contents_after(std::uint64_t seed, std::size_t batches) {
  StoreScript script(seed);
  RecordStore records;
  std::map<JobId, live::HistoryRow> history;
  std::vector<std::string> all;
  for (std::size_t i = 0;; ++i) {
    std::vector<live::HistoryRow> rows;
    for (const auto& [job, row] : history) rows.push_back(row);
    all.push_back(content(records.records(), rows));
    if (i == batches) return all;
    const live::Batch batch = script.next();
    for (const Record& record : batch.records) records.put(record);
    for (const auto& row : batch.history) history[row.job] = row;
  }
}

/// Commits and waits for the answer.
inline Problems commit(live::asio::io_context& io, live::Store& store, live::Batch batch) {
  std::optional<Problems> answer;
  bool inside = true;
  store.commit(std::move(batch), [&](Problems problems) {
    EXPECT_FALSE(inside) << "never from within commit()";
    answer = std::move(problems);
  });
  inside = false;
  io.restart();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!answer && std::chrono::steady_clock::now() < deadline) io.run_one_until(deadline);
  EXPECT_TRUE(answer) << "no answer";
  return answer.value_or(Problems{{"", "no answer", ""}});
}

inline std::string words(const Problems& problems) {
  std::string all;
  for (const Problem& p : problems) all += p.where + ": " + p.what + (p.right.empty() ? "" : "; " + p.right);
  return all;
}

/// No file may grow beyond this, as on a disk that is full.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace duet::test
