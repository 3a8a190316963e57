// SQLite with its failures as Problems: a connection, and statements that are compiled once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace duet::live {

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* raw) : raw_(raw) {}

  /// Parameters count from 1, columns from 0. What is bound is not copied: it must live until reset().
  void bind(int parameter, std::int64_t number);
  void bind(int parameter, std::string_view blob);
  /// 1: there is a row; 0: there is none (any more); -1: it failed, and the connection knows why.
  int step();
  /// Makes it ready to be bound and stepped anew.
  void reset();
  /// Binds, steps to the end, and resets. False if it failed.
  template <class... Values>
  bool run(const Values&... values) {
    int parameter = 0;
    (bind(++parameter, values), ...);
    int more = step();
    while (more > 0) more = step();
    reset();
    return more == 0;
  }
  std::int64_t number(int column);
  /// Valid until the next step() or reset().
  std::string_view blob(int column);

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* raw) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> raw_;
};

/// One connection, for one thread at a time.
class Database {
 public:
  /// Of a file that is there, or is made if `create`. `vfs`: SQLite's name of a file system; empty: the
  /// system's.
  static Result<Database> open(const std::string& path, const std::string& vfs, bool create);

  bool run(const char* sql);
  /// An SQL error here would be a bug, a failure to read the file is not: nothing, and failure() says why.
  std::optional<Statement> prepare(std::string_view sql);
  /// The first column of the first row.
  std::optional<std::int64_t> number(std::string_view sql);
  /// Likewise, as text.
  std::optional<std::string> text(std::string_view sql);

  /// Why the last call failed. `action`: what was tried, such as "cannot be read".
  Problem failure(const std::string& action) const;
  sqlite3* raw() const { return raw_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* raw) const;
  };
  Database(sqlite3* raw, std::string path) : raw_(raw), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> raw_;
  std::string path_;
};

}  // namespace duet::live
