// Text files as users have them: plain or gzip-compressed, read within limits, with errors that name file and
// line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace duet::sim {

/// What a file may hold, so that a broken or hostile one (a few kilobytes can unpack to many gigabytes)
/// cannot fill the memory.
struct TextLimits {
  std::uint64_t bytes = std::uint64_t{8} << 30;  ///< Of the unpacked text.
  std::size_t line_bytes = std::size_t{1} << 20;
};

/// What is wrong with the encoding of a text that begins so, as a sentence without its end; empty if it may
/// be UTF-8.
std::string_view foreign_encoding(std::string_view text);

/// Reads a file line by line; memory holds one line. Compression is told by content, not by the file's name.
class LineReader {
 public:
  /// Refuses what cannot be opened, directories, and devices that never end.
  static Result<LineReader> open(const std::string& path, TextLimits limits = {});
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  /// The next line, without its end ("\n" or "\r\n") and without a byte order mark; valid until the next
  /// call. False at the end of the file or after a failure: damaged or cut compression, a NUL byte, a limit
  /// exceeded.
  bool next(std::string_view& line);
  const std::optional<Problem>& failure() const { return failure_; }

  /// Of the line that next() gave last, from 1.
  std::uint64_t line_number() const { return line_number_; }
  /// "file:line" of that line.
  std::string where() const;

 private:
  struct File;
  LineReader(std::string path, TextLimits limits, std::unique_ptr<File> file);
  bool fill();
  bool fail(std::string what, std::string right = {});

  std::string path_;
  TextLimits limits_;
  std::unique_ptr<File> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  ///< Unread text is buffer_[begin_, end_).
  std::size_t end_ = 0;
  bool at_end_ = false;
  std::uint64_t read_ = 0;
  std::uint64_t line_number_ = 0;
  std::optional<Problem> failure_;
};

/// A whole file of at most `max_bytes` bytes after unpacking, byte for byte.
Result<std::string> read_text(const std::string& path, std::uint64_t max_bytes);

}  // namespace duet::sim
