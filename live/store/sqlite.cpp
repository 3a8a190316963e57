#include "live/store/sqlite.h"

#include <system_error>
#include <utility>

#include <sqlite3.h>

#include "core/check.h"

namespace duet::live {
namespace {

/// What a user can do about it; empty if nothing but a new disk helps.
std::string remedy(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "room on the disk that holds it";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "nobody else who has it open";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return "a folder that exists and that Duet may write to";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "a copy of the file from before the damage; or move it away to start with an empty store";
    default:
      return {};
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* raw) const { sqlite3_finalize(raw); }

void Statement::bind(int parameter, std::int64_t number) {
  DUET_CHECK(sqlite3_bind_int64(raw_.get(), parameter, number) == SQLITE_OK);
}
void Statement::bind(int parameter, std::string_view blob) {
  // Without a pointer SQLite would bind NULL.
  const char* at = blob.empty() ? "" : blob.data();
  DUET_CHECK(sqlite3_bind_blob64(raw_.get(), parameter, at, blob.size(), SQLITE_STATIC) == SQLITE_OK);
}

int Statement::step() {
  const int code = sqlite3_step(raw_.get());
  return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}
void Statement::reset() { sqlite3_reset(raw_.get()); }

std::int64_t Statement::number(int column) { return sqlite3_column_int64(raw_.get(), column); }
std::string_view Statement::blob(int column) {
  const auto* at = static_cast<const char*>(sqlite3_column_blob(raw_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw_.get(), column));
  return at == nullptr ? std::string_view() : std::string_view(at, size);
}

void Database::Close::operator()(sqlite3* raw) const {
  // Statements go first: they are declared behind their connection.
  DUET_CHECK(sqlite3_close(raw) == SQLITE_OK);
}

Result<Database> Database::open(const std::string& path, const std::string& vfs, bool create) {
  sqlite3* raw = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, vfs.empty() ? nullptr : vfs.c_str());
  Database database(raw, path);
  if (raw == nullptr) return Problem{path, "cannot be opened: no memory", {}};
  if (code != SQLITE_OK) return database.failure("cannot be opened");
  // What a damaged or forged file may make SQLite do is to fail, and nothing else.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

bool Database::run(const char* sql) {
  return sqlite3_exec(raw_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::optional<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(raw_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &statement, nullptr) != SQLITE_OK)
    return std::nullopt;
  return Statement(statement);
}

std::optional<std::int64_t> Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement || statement->step() != 1) return std::nullopt;
  return statement->number(0);
}
std::optional<std::string> Database::text(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement || statement->step() != 1) return std::nullopt;
  return std::string(statement->blob(0));
}

Problem Database::failure(const std::string& action) const {
  const int code = sqlite3_extended_errcode(raw_.get());
  std::string what = action + ": " + sqlite3_errmsg(raw_.get());
  const int error = sqlite3_system_errno(raw_.get());
  const bool of_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if (of_system && error != 0) what += " (" + std::generic_category().message(error) + ")";
  return {path_, std::move(what), remedy(code)};
}

}  // namespace duet::live
