// Files that appear whole or not at all: written beside their final name and renamed when complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace duet::codec {

/// Takes text piece by piece. An implementation remembers its first failure and ignores what follows.
class TextSink {
 public:
  virtual ~TextSink() = default;
  virtual void write(std::string_view text) = 0;
};

class StringSink : public TextSink {
 public:
  explicit StringSink(std::string& to) : to_(to) {}
  void write(std::string_view text) override { to_.append(text); }

 private:
  std::string& to_;
};

/// Writes `PATH.part`, and renames it to PATH in commit(). Without a successful commit nothing is left
/// behind. If PATH is a device or a pipe, it is written directly. No fsync: these are results, which can be
/// computed again.
class AtomicFile : public TextSink {
 public:
  /// Where `path` cannot be written, a Problem with the path and the system's reason.
  static Result<AtomicFile> create(const std::string& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() override;

  void write(std::string_view text) override;
  /// The first failure so far, if any: worth asking now and then in a long run.
  const std::optional<Problem>& failure() const { return failure_; }
  /// Makes the file appear under its name. Returns its size in bytes, or the first failure.
  Result<std::uint64_t> commit();

 private:
  AtomicFile(std::string path, std::string part, std::FILE* stream);
  void flush();
  void write_through(std::string_view text);
  void fail(const char* action, int error);
  void abandon();

  std::string path_;
  std::string part_;  ///< Empty if `path_` is written directly.
  std::string buffer_;
  std::uint64_t written_ = 0;
  std::FILE* stream_ = nullptr;
  std::optional<Problem> failure_;
};

/// Writes a whole file at once. Returns its size in bytes.
Result<std::uint64_t> write_file(const std::string& path, std::string_view text);

}  // namespace duet::codec
