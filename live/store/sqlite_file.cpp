#include "live/store/sqlite_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <set>
#include <system_error>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "core/codec/bytes.h"
#include "live/store/wal_check.h"

namespace duet::live {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadSize = 24;

constexpr const char* kSchema =
    "CREATE TABLE store(format INTEGER NOT NULL) STRICT;"
    "CREATE TABLE records(kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " hash INTEGER NOT NULL, PRIMARY KEY(kind, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE history(job INTEGER PRIMARY KEY, ended INTEGER NOT NULL, json BLOB NOT NULL,"
    " hash INTEGER NOT NULL) STRICT;"
    "CREATE INDEX history_by_end ON history(ended, job);";

std::int64_t number_of(RowKind kind) { return static_cast<std::int64_t>(kind); }

std::int64_t signed_of(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

/// Makes a new name in a folder durable.
std::optional<Problem> sync_folder_of(const std::string& path) {
  const fs::path folder = fs::absolute(path).parent_path();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (synced) return std::nullopt;
  return Problem{folder.string(), "cannot be synced: " + std::generic_category().message(error), {}};
}

}  // namespace

SqliteFile::SqliteFile(std::string path, SqliteOptions options)
    : path_(std::move(path)), options_(std::move(options)) {}

Problem SqliteFile::damaged(const std::string& what) const {
  return {path_, "is damaged: " + what,
          "a copy of the file from before the damage; or move it away to start with an empty store"};
}

// ---- Opening

/// Under another name first: a file that has the right one is whole.
std::optional<Problem> SqliteFile::make() {
  const std::string part = path_ + ".part";
  std::error_code error;
  fs::remove(part, error);
  {
    auto database = Database::open(part, options_.vfs, true);
    if (!database) return database.problems().front();
    const std::string format = "INSERT INTO store VALUES(" + std::to_string(kStoreFormat) + "); COMMIT";
    if (!database->run("BEGIN") || !database->run(kSchema) || !database->run(format.c_str()))
      return database->failure("cannot be made");
  }
  fs::rename(part, path_, error);
  if (error) return Problem{path_, "cannot be made: " + error.message(), {}};
  return sync_folder_of(path_);
}

std::optional<Problem> SqliteFile::open() {
  auto database = Database::open(path_, options_.vfs, false);
  if (!database) return database.problems().front();
  database_ = std::move(*database);
  // Exclusive first: then the log needs no shared memory. The log is emptied by checkpoint() alone.
  const bool set = database_->run(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cell_size_check=ON; PRAGMA journal_mode=WAL;"
      "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=16777216;"
      "PRAGMA temp_store=MEMORY");
  if (!set) return database_->failure("cannot be opened");
  const auto mode = database_->text("PRAGMA journal_mode");
  if (mode != "wal") return Problem{path_, "cannot be opened: its file system has no room for a log", {}};
  const auto count_pages = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<SqliteFile*>(self)->wal_pages_ = static_cast<std::uint64_t>(pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_->raw(), count_pages, this);
  return std::nullopt;
}

/// A format that is older than this code's would be brought up to date here. Format 1 was of no release.
std::optional<Problem> SqliteFile::check_format() {
  const auto format = database_->number("SELECT format FROM store");
  if (!format) {
    if (sqlite3_errcode(database_->raw()) == SQLITE_ERROR)
      return Problem{path_, "is not a store of Duet: it lacks its tables", "another file"};
    return database_->failure("cannot be read");
  }
  if (*format == kStoreFormat) return std::nullopt;
  const std::string known = std::to_string(kStoreFormat);
  if (*format > kStoreFormat)
    return Problem{path_, "is a store of format " + std::to_string(*format),
                   "format " + known + ", the newest that this version of Duet reads; or a newer Duet"};
  if (*format >= 1)
    return Problem{path_,
                   "is a store of format " + std::to_string(*format) + ", of an earlier version of Duet",
                   "format " + known + "; that version, or another folder"};
  return damaged("its format is " + std::to_string(*format));
}

std::optional<Problem> SqliteFile::prepare() {
  statements_.emplace();
  Statements& s = *statements_;
  const std::pair<Statement*, std::string_view> texts[] = {
      {&s.hash, "SELECT hash FROM records WHERE kind=?1 AND key=?2"},
      {&s.put,
       "INSERT INTO records VALUES(?1,?2,?3,?4)"
       " ON CONFLICT DO UPDATE SET value=excluded.value, hash=excluded.hash"},
      {&s.remove, "DELETE FROM records WHERE kind=?1 AND key=?2 RETURNING hash"},
      {&s.remove_tasks, "DELETE FROM records WHERE kind=?1 AND key>=?2 AND key<?3 RETURNING hash"},
      {&s.has_history, "SELECT 1 FROM history WHERE job=?1"},
      {&s.put_history, "INSERT OR REPLACE INTO history VALUES(?1,?2,?3,?4)"},
      {&s.trim_history,
       "DELETE FROM history WHERE job IN (SELECT job FROM history ORDER BY ended, job LIMIT ?1)"},
      {&s.read_history,
       "SELECT job, ended, json, hash FROM history WHERE job < ?1 ORDER BY job DESC LIMIT ?2"},
  };
  for (const auto& [statement, text] : texts) {
    auto prepared = database_->prepare(text);
    if (!prepared) return database_->failure("cannot be read");
    *statement = std::move(*prepared);
  }
  return std::nullopt;
}

Problems SqliteFile::give_up(Problem problem) {
  statements_.reset();
  database_.reset();
  failure_ = problem;
  return {std::move(problem)};
}

Result<Loaded> SqliteFile::load() {
  give_up({path_, "is not loaded", {}});
  const std::string log = path_ + "-wal";
  const auto wal = check_wal(log);
  if (!wal) return give_up(wal.problems().front());
  std::error_code ignored;
  if (!fs::exists(path_, ignored)) {
    if (fs::exists(log, ignored))
      return give_up({path_, "is missing, though its log is there: " + log,
                      "the file itself; or move the log away to start with an empty store"});
    if (auto problem = make()) return give_up(*problem);
  } else if (fs::file_size(path_, ignored) == 0 && wal->frames == 0) {
    return give_up(damaged("it is empty"));
  }
  if (auto problem = open()) return give_up(*problem);
  if (auto problem = check_format()) return give_up(*problem);
  const auto verdict = database_->text("PRAGMA integrity_check(1)");
  if (!verdict) return give_up(database_->failure("cannot be read"));
  if (*verdict != "ok") return give_up(damaged(*verdict));
  if (auto problem = prepare()) return give_up(*problem);

  Loaded loaded;
  auto records = read_records();
  if (!records) return give_up(records.problems().front());
  loaded.records = std::move(*records);
  constexpr JobId kAll{static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())};
  auto rows = history(kAll, options_.limits.loaded);
  if (!rows) return give_up(rows.problems().front());
  std::ranges::reverse(*rows);
  loaded.history = std::move(*rows);
  const auto count = database_->number("SELECT count(*) FROM history");
  if (!count) return give_up(database_->failure("cannot be read"));
  history_rows_ = static_cast<std::uint64_t>(*count);
  // What was read may be in the system's memory only, where a sync failed. Now it is written once more.
  if (sqlite3_wal_checkpoint_v2(database_->raw(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr) !=
      SQLITE_OK)
    return give_up(database_->failure("cannot be written"));
  wal_pages_ = 0;
  if (wal->torn > 0)
    loaded.warnings.push_back(log + ": " + std::to_string(wal->torn) +
                              " pages of a change that was not complete when the writing ended were cut off; "
                              "nothing that was acknowledged is lost");
  failure_.reset();
  return loaded;
}

Result<std::vector<Record>> SqliteFile::read_records() {
  auto all = database_->prepare("SELECT kind, key, value, hash FROM records ORDER BY kind, key");
  if (!all) return database_->failure("cannot be read");
  std::vector<Record> records;
  std::set<JobId> jobs;
  std::optional<Head> said;
  head_ = {};
  last_end_ = {};
  int more = all->step();
  for (; more > 0; more = all->step()) {
    const RowKey key{static_cast<RowKind>(all->number(0)), std::string(all->blob(1))};
    const std::string_view value = all->blob(2);
    const std::uint64_t hash = row_hash(key.kind, key.bytes, value);
    if (hash != static_cast<std::uint64_t>(all->number(3)))
      return damaged("the hash of " + row_name(key) + " is wrong");
    if (key.kind == RowKind::kHead && value.size() == kHeadSize) {
      const auto* at = reinterpret_cast<const std::uint8_t*>(value.data());
      said = Head{codec::load_u64(at), codec::load_u64(at + 8), codec::load_u64(at + 16)};
      continue;
    }
    auto record = record_of_row(key, value);
    if (!record) return damaged(row_name(key) + " cannot be decoded");
    if (const auto* job = std::get_if<JobRecord>(&*record)) jobs.insert(job->job);
    if (const auto* end = std::get_if<EndRecord>(&*record)) last_end_ = end->job;
    if (const auto* task = std::get_if<TaskRecord>(&*record); task && !jobs.contains(task->task.job))
      return damaged(row_name(key) + " is there, and its job is not");
    ++head_.records;
    head_.sum += hash;
    records.push_back(std::move(*record));
  }
  if (more < 0) return database_->failure("cannot be read");
  head_.commits = said ? said->commits : 0;
  if (said.value_or(Head{}) == head_) return records;
  return damaged("its " + std::to_string(head_.records) + " records are not the " +
                 std::to_string(said ? said->records : 0) + " of its last change, number " +
                 std::to_string(head_.commits));
}

// ---- Writing

Problems SqliteFile::commit(const Batch& batch) {
  if (!database_) return {failure_.value_or(Problem{path_, "is not loaded", {}})};
  if (batch.empty()) return {};
  if (apply(batch)) return {};
  Problem problem = database_->failure("cannot be written");
  return give_up(std::move(problem));
}

bool SqliteFile::apply(const Batch& batch) {
  if (!database_->run("BEGIN IMMEDIATE")) return false;
  for (const Record& record : batch.records)
    if (!put(record)) return false;
  if (!put_history(batch.history)) return false;
  if (!batch.records.empty() && !put_head()) return false;
  return database_->run("COMMIT");
}

bool SqliteFile::put(const Record& record) {
  if (const auto* end = std::get_if<EndRecord>(&record)) return put_end(*end);
  const RowKey key = row_key(record);
  if (const auto* forgotten = std::get_if<KeyRecord>(&record); forgotten && forgotten->job == JobId{}) {
    Statement& remove = statements_->remove;
    remove.bind(1, number_of(key.kind));
    remove.bind(2, key.bytes);
    return forget_rows(remove);
  }
  scratch_.clear();
  append_row_value(scratch_, record);
  return put_row(key, scratch_);
}

bool SqliteFile::put_row(const RowKey& key, std::string_view value) {
  Statement& old = statements_->hash;
  old.bind(1, number_of(key.kind));
  old.bind(2, key.bytes);
  const int found = old.step();
  if (found > 0) head_.sum -= static_cast<std::uint64_t>(old.number(0));
  if (found == 0) ++head_.records;
  old.reset();
  if (found < 0) return false;
  const std::uint64_t hash = row_hash(key.kind, key.bytes, value);
  head_.sum += hash;
  return statements_->put.run(number_of(key.kind), std::string_view(key.bytes), value, signed_of(hash));
}

/// Runs a bound removal, and takes what it removed out of the head.
bool SqliteFile::forget_rows(Statement& removal) {
  int more = removal.step();
  for (; more > 0; more = removal.step()) {
    --head_.records;
    head_.sum -= static_cast<std::uint64_t>(removal.number(0));
  }
  removal.reset();
  return more == 0;
}

/// Nothing is left of a job that has ended but the highest id of all: no id is ever given again.
bool SqliteFile::put_end(const EndRecord& record) {
  const RowKey job = row_key(JobRecord{record.job, {}, false, 0, nullptr});
  Statement& remove = statements_->remove;
  remove.bind(1, number_of(RowKind::kJob));
  remove.bind(2, job.bytes);
  if (!forget_rows(remove)) return false;
  const std::string from = first_task_key(record.job);
  const std::string to = first_task_key(JobId{record.job.value + 1});
  Statement& remove_tasks = statements_->remove_tasks;
  remove_tasks.bind(1, number_of(RowKind::kTask));
  remove_tasks.bind(2, from);
  remove_tasks.bind(3, to);
  if (!forget_rows(remove_tasks)) return false;
  if (record.job <= last_end_) return true;
  last_end_ = record.job;
  scratch_.clear();
  append_row_value(scratch_, record);
  return put_row(row_key(record), scratch_);
}

bool SqliteFile::put_history(const std::vector<HistoryRow>& rows) {
  for (const HistoryRow& row : rows) {
    const RowKey key = history_key(row.job, row.ended);
    const std::uint64_t hash = row_hash(key.kind, key.bytes, row.json);
    Statement& has = statements_->has_history;
    has.bind(1, signed_of(row.job.value));
    const int found = has.step();
    has.reset();
    if (found < 0) return false;
    history_rows_ += found == 0;
    if (!statements_->put_history.run(signed_of(row.job.value), to_ns(row.ended), std::string_view(row.json),
                                      signed_of(hash)))
      return false;
  }
  if (history_rows_ <= options_.limits.kept) return true;
  const std::uint64_t surplus = history_rows_ - options_.limits.kept;
  history_rows_ -= surplus;
  return statements_->trim_history.run(signed_of(surplus));
}

bool SqliteFile::put_head() {
  ++head_.commits;
  std::uint8_t bytes[kHeadSize];
  codec::store_u64(bytes, head_.commits);
  codec::store_u64(bytes + 8, head_.records);
  codec::store_u64(bytes + 16, head_.sum);
  const std::string_view value(reinterpret_cast<const char*>(bytes), sizeof bytes);
  return statements_->put.run(number_of(RowKind::kHead), std::string_view(), value,
                              signed_of(row_hash(RowKind::kHead, {}, value)));
}

void SqliteFile::checkpoint() {
  if (!database_) return;
  wal_pages_ = 0;
  if (sqlite3_wal_checkpoint_v2(database_->raw(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) !=
      SQLITE_OK)
    give_up(database_->failure("cannot be written"));
}

// ---- Reading on

Result<std::vector<HistoryRow>> SqliteFile::history(JobId before, std::size_t count) {
  if (!database_) return failure_.value_or(Problem{path_, "is not loaded", {}});
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  Statement& read = statements_->read_history;
  read.bind(1, signed_of(std::min(before.value, kMost)));
  read.bind(2, signed_of(std::min<std::uint64_t>(count, kMost)));
  std::vector<HistoryRow> rows;
  int more = read.step();
  std::optional<Problem> problem;
  for (; more > 0 && !problem; more = read.step()) {
    HistoryRow row{JobId{static_cast<std::uint64_t>(read.number(0))}, instant_ns(read.number(1)),
                   std::string(read.blob(2))};
    const RowKey key = history_key(row.job, row.ended);
    if (row_hash(key.kind, key.bytes, row.json) != static_cast<std::uint64_t>(read.number(3)))
      problem = damaged("the hash of " + row_name(key) + " is wrong");
    rows.push_back(std::move(row));
  }
  if (more < 0 && !problem) problem = database_->failure("cannot be read");
  read.reset();
  if (problem) return *problem;
  return rows;
}

}  // namespace duet::live
