#include "sim/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <zlib.h>

namespace duet::sim {
namespace {

constexpr unsigned kBlock = 256U << 10;

struct Close {
  void operator()(gzFile file) const { gzclose(file); }
};
using Handle = std::unique_ptr<gzFile_s, Close>;

/// What stands in the way of opening `path`; nothing if a read may be tried.
std::optional<Problem> obstacle(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    const bool missing = !error || error == std::errc::no_such_file_or_directory;
    return Problem{path, missing ? "there is no such file" : error.message(), {}};
  }
  if (std::filesystem::is_directory(status)) return Problem{path, "is a directory", "the name of a file"};
  const bool device = std::filesystem::is_block_file(status) || std::filesystem::is_character_file(status);
  if (device) return Problem{path, "is a device", "the name of a file"};
  return std::nullopt;
}

Result<Handle> open_file(const std::string& path) {
  if (path.find('\0') != path.npos) return Problem{{}, "a file name cannot hold a NUL byte", {}};
  if (auto problem = obstacle(path)) return *std::move(problem);
  errno = 0;
  Handle file(gzopen(path.c_str(), "rb"));
  if (!file) {
    const std::string why = errno != 0 ? std::generic_category().message(errno) : "not enough memory";
    return Problem{path, "cannot be read: " + why, {}};
  }
  gzbuffer(file.get(), kBlock);
  return file;
}

/// Reads up to `size` bytes. -1: damaged, and `why` says how. zlib reports a cut archive only when asked.
int read_some(gzFile file, char* to, unsigned size, std::string& why) {
  errno = 0;
  const int got = gzread(file, to, size);
  int code = Z_OK;
  const char* message = gzerror(file, &code);
  if (got > 0) return got;  // what was read before the damage still counts: it tells the line
  if (code == Z_BUF_ERROR) {
    why = "the compressed file is cut short";
  } else if (code == Z_ERRNO) {
    why = "cannot be read: " + std::generic_category().message(errno);
  } else if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    why = std::string("the compressed file is damaged: ") + (message != nullptr ? message : "unknown error");
  }
  return why.empty() ? got : -1;
}

}  // namespace

std::string_view foreign_encoding(std::string_view text) {
  const bool marked = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
  if (text.starts_with(std::string_view("\xff\xfe\0\0", 4)) ||
      text.starts_with(std::string_view("\0\0\xfe\xff", 4)))
    return "this is UTF-32 text; Duet reads UTF-8";
  // Without a mark: of an ASCII character one of the two bytes is zero.
  const bool halves = text.size() > 3 && (text[0] == '\0') != (text[1] == '\0') &&
                      (text[0] == '\0') == (text[2] == '\0') && (text[1] == '\0') == (text[3] == '\0');
  if (marked || halves) return "this is UTF-16 text; Duet reads UTF-8";
  return {};
}

struct LineReader::File {
  Handle handle;
};

LineReader::LineReader(std::string path, TextLimits limits, std::unique_ptr<File> file)
    : path_(std::move(path)), limits_(limits), file_(std::move(file)), buffer_(kBlock) {}
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

Result<LineReader> LineReader::open(const std::string& path, TextLimits limits) {
  auto file = open_file(path);
  if (!file) return file.problems();
  return LineReader(path, limits, std::make_unique<File>(File{std::move(*file)}));
}

std::string LineReader::where() const { return path_ + ":" + std::to_string(line_number_); }

bool LineReader::fail(std::string what, std::string right) {
  failure_ = Problem{where(), std::move(what), std::move(right)};
  return false;
}

/// Appends a block to the unread text. False: nothing more came, and the file has ended or failed.
bool LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kBlock) buffer_.resize(end_ + kBlock);
  std::string why;
  const int got = read_some(file_->handle.get(), buffer_.data() + end_, kBlock, why);
  if (got < 0) return fail(std::move(why));
  at_end_ = got == 0;
  end_ += static_cast<std::size_t>(got);
  read_ += static_cast<std::uint64_t>(got);
  if (read_ > limits_.bytes) {
    return fail("the text is longer than " + std::to_string(limits_.bytes) + " bytes", "a smaller file");
  }
  return got > 0;
}

bool LineReader::next(std::string_view& line) {
  if (failure_) return false;
  ++line_number_;  // whatever fails from here on, fails in this line
  std::size_t searched = 0;
  const char* newline = nullptr;
  for (;;) {
    const std::size_t unread = end_ - begin_;
    if (unread > searched) {
      newline =
          static_cast<const char*>(std::memchr(buffer_.data() + begin_ + searched, '\n', unread - searched));
    }
    searched = newline != nullptr ? static_cast<std::size_t>(newline - buffer_.data()) - begin_ : unread;
    if (searched > limits_.line_bytes) {
      return fail("a line is longer than " + std::to_string(limits_.line_bytes) + " bytes: not a text file?");
    }
    if (newline != nullptr || at_end_) break;
    if (!fill() && failure_) return false;
  }
  if (newline == nullptr && searched == 0) {
    --line_number_;
    return false;
  }
  line = std::string_view(buffer_.data() + begin_, searched);
  begin_ += searched + (newline != nullptr ? 1 : 0);
  if (line_number_ == 1)
    if (const std::string_view what = foreign_encoding(line); !what.empty())
      return fail(std::string(what), "the same saved as UTF-8");
  if (line.find('\0') != line.npos) return fail("holds a NUL byte: not a text file");
  if (line_number_ == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

Result<std::string> read_text(const std::string& path, std::uint64_t max_bytes) {
  auto file = open_file(path);
  if (!file) return file.problems();
  std::string text;
  for (;;) {
    const std::size_t size = text.size();
    text.resize(size + kBlock);
    std::string why;
    const int got = read_some(file->get(), text.data() + size, kBlock, why);
    if (got < 0) return Problem{path, std::move(why), {}};
    text.resize(size + static_cast<std::size_t>(got));
    if (got == 0) return text;
    if (text.size() > max_bytes) {
      return Problem{path, "the text is longer than " + std::to_string(max_bytes) + " bytes",
                     "a smaller file"};
    }
  }
}

}  // namespace duet::sim
