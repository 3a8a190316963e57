#include "live/recorder/segment_writer.h"

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "core/codec/segments.h"

namespace duet::live {

SegmentWriter::SegmentWriter(int fd, std::string folder, std::uint64_t file)
    : fd_(fd), folder_(std::move(folder)), file_(file) {}

SegmentWriter::SegmentWriter(SegmentWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      folder_(std::move(other.folder_)),
      file_(other.file_),
      path_(std::move(other.path_)),
      bytes_(other.bytes_),
      dirty_(other.dirty_),
      sha_(std::move(other.sha_)) {}

SegmentWriter& SegmentWriter::operator=(SegmentWriter&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(folder_, other.folder_);
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  std::swap(dirty_, other.dirty_);
  std::swap(sha_, other.sha_);
  return *this;
}

SegmentWriter::~SegmentWriter() {
  if (fd_ >= 0) ::close(fd_);
}

Result<SegmentWriter> SegmentWriter::create(const std::string& folder, std::uint64_t file,
                                            const codec::TraceHeader& header) {
  SegmentWriter writer(-1, folder, file);
  writer.path_ = folder + "/" + codec::segment_name(file) + std::string(codec::kPartSuffix);
  writer.fd_ = ::open(writer.path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (writer.fd_ < 0) return writer.problem("cannot be made", errno);
  const std::string start = codec::trace_start(header);
  if (auto problem = writer.put(codec::as_bytes(start))) return *problem;
  if (auto problem = writer.sync()) return *problem;
  if (auto problem = writer.sync_folder()) return *problem;
  return writer;
}

Problem SegmentWriter::problem(const char* action, int error) const {
  return {path_, std::string(action) + ": " + std::generic_category().message(error),
          error == ENOSPC || error == EDQUOT ? "room on the disk that holds it" : ""};
}

std::optional<Problem> SegmentWriter::put(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return problem("cannot be written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    dirty_ = true;
  }
  return std::nullopt;
}

std::optional<Problem> SegmentWriter::write(std::span<const std::uint8_t> frames) {
  sha_.update(frames);
  bytes_ += frames.size();
  return put(frames);
}

std::optional<Problem> SegmentWriter::sync() {
  if (!std::exchange(dirty_, false)) return std::nullopt;
  if (::fdatasync(fd_) != 0) return problem("cannot be synced", errno);
  return std::nullopt;
}

std::optional<Problem> SegmentWriter::finish(std::uint64_t steps, std::uint64_t chain) {
  const auto end = codec::trace_end(steps, bytes_, sha_.finish(), chain);
  if (auto problem = put(end)) return problem;
  if (auto problem = sync()) return problem;
  const std::string whole = path_.substr(0, path_.size() - codec::kPartSuffix.size());
  if (std::rename(path_.c_str(), whole.c_str()) != 0) return problem("cannot be renamed", errno);
  path_ = whole;
  ::close(std::exchange(fd_, -1));
  return sync_folder();
}

std::optional<Problem> SegmentWriter::sync_folder() const {
  const int fd = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (synced) return std::nullopt;
  return problem("cannot be synced with its folder", error);
}

}  // namespace duet::live
