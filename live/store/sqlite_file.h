// The file of a durable store, as whoever has it to himself uses it: every call blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "live/store/record_row.h"
#include "live/store/sqlite.h"
#include "live/store/sqlite_store.h"
#include "live/store/store.h"

namespace duet::live {

/// Tables: `store` says the format; `records` has a row for each (record_row.h), with its hash, and one, the
/// head, that tells how many they are and what their hashes come to: so neither a changed record nor a
/// missing one goes unnoticed. `history` has its rows by job.
class SqliteFile {
 public:
  SqliteFile(std::string path, SqliteOptions options);
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  /// Opens or makes the file, checks all of it, and puts what the log holds into it: whatever this returns is
  /// durable, even where a sync had failed before.
  Result<Loaded> load();
  /// After a Problem the file is closed, and only load() helps.
  Problems commit(const Batch& batch);
  Result<std::vector<HistoryRow>> history(JobId before, std::size_t count);

  /// The log has grown so far that it is worth emptying when there is time, or in any case.
  bool checkpoint_due() const { return wal_pages_ >= options_.checkpoint_pages; }
  bool checkpoint_urgent() const { return wal_pages_ >= 4 * options_.checkpoint_pages; }
  /// Moves what the log holds into the file. If that fails, the next commit does.
  void checkpoint();

 private:
  /// What the records come to, as the head says.
  struct Head {
    std::uint64_t commits = 0;
    std::uint64_t records = 0;
    std::uint64_t sum = 0;  ///< Of their hashes, modulo 2^64.
    bool operator==(const Head&) const = default;
  };
  struct Statements {
    Statement hash, put, remove, remove_tasks, has_history, put_history, trim_history, read_history;
  };

  std::optional<Problem> make();
  std::optional<Problem> open();
  std::optional<Problem> check_format();
  std::optional<Problem> prepare();
  Result<std::vector<Record>> read_records();
  bool put(const Record& record);
  bool put_row(const RowKey& key, std::string_view value);
  bool put_end(const EndRecord& record);
  bool put_history(const std::vector<HistoryRow>& rows);
  bool put_head();
  bool forget_rows(Statement& removal);
  bool apply(const Batch& batch);
  Problems give_up(Problem problem);
  Problem damaged(const std::string& what) const;

  std::string path_;
  SqliteOptions options_;
  std::optional<Database> database_;  ///< Before what depends on it.
  std::optional<Statements> statements_;
  std::optional<Problem> failure_;  ///< Why it is closed.
  Head head_;
  JobId last_end_;
  std::uint64_t history_rows_ = 0;
  std::uint64_t wal_pages_ = 0;
  std::string scratch_;
};

}  // namespace duet::live
