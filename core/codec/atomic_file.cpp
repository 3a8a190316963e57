#include "core/codec/atomic_file.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace duet::codec {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBuffer = 256 * 1024;

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

AtomicFile::AtomicFile(std::string path, std::string part, std::FILE* stream)
    : path_(std::move(path)), part_(std::move(part)), stream_(stream) {
  std::setvbuf(stream_, nullptr, _IONBF, 0);  // the buffer is ours
  buffer_.reserve(kBuffer);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      part_(std::exchange(other.part_, {})),
      buffer_(std::move(other.buffer_)),
      written_(other.written_),
      stream_(std::exchange(other.stream_, nullptr)),
      failure_(std::move(other.failure_)) {}

AtomicFile::~AtomicFile() { abandon(); }

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status))
    return Problem{path, "cannot be written: it is a directory", "the name of a file"};
  // Renaming over a device would replace the device.
  const bool direct = fs::exists(status) && !fs::is_regular_file(status);
  const std::string part = direct ? std::string() : path + ".part";
  std::FILE* stream = std::fopen(direct ? path.c_str() : part.c_str(), "wb");
  if (stream == nullptr) return Problem{path, "cannot be written: " + reason(errno), ""};
  return AtomicFile(path, part, stream);
}

void AtomicFile::write(std::string_view text) {
  if (failure_) return;
  if (buffer_.size() + text.size() > kBuffer) flush();
  if (text.size() >= kBuffer) {
    write_through(text);
  } else {
    buffer_.append(text);
  }
}

void AtomicFile::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void AtomicFile::write_through(std::string_view text) {
  if (failure_ || text.empty()) return;
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size())
    return fail("cannot be written", errno);
  written_ += text.size();
}

void AtomicFile::fail(const char* action, int error) {
  if (!failure_) failure_ = Problem{path_, std::string(action) + ": " + reason(error), ""};
  abandon();
}

void AtomicFile::abandon() {
  if (stream_ != nullptr) std::fclose(std::exchange(stream_, nullptr));
  std::error_code ignored;
  if (!part_.empty()) fs::remove(std::exchange(part_, {}), ignored);
}

Result<std::uint64_t> AtomicFile::commit() {
  flush();
  if (!failure_ && std::fclose(std::exchange(stream_, nullptr)) != 0) fail("cannot be written", errno);
  std::error_code error;
  if (!failure_ && !part_.empty()) fs::rename(part_, path_, error);
  if (error) fail("cannot be renamed", error.value());
  if (failure_) return *failure_;
  part_.clear();
  return written_;
}

Result<std::uint64_t> write_file(const std::string& path, std::string_view text) {
  auto file = AtomicFile::create(path);
  if (!file) return file.problems();
  file->write(text);
  return file->commit();
}

}  // namespace duet::codec
