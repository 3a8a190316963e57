#include "live/recorder/segment_keeper.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "core/codec/compress.h"
#include "core/codec/segments.h"
#include "live/log.h"

namespace duet::live {
namespace {

namespace fs = std::filesystem;

bool is_compressed(const std::string& path) {
  std::string magic(codec::kCompressedMagic.size(), '\0');
  std::ifstream(path, std::ios::binary).read(magic.data(), static_cast<std::streamsize>(magic.size()));
  return magic == codec::kCompressedMagic;
}

}  // namespace

SegmentKeeper::SegmentKeeper(std::string folder, std::uint64_t total_bytes, bool compress)
    : folder_(std::move(folder)),
      total_bytes_(total_bytes),
      compress_(compress),
      thread_([this] { run(); }) {}

SegmentKeeper::~SegmentKeeper() {
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void SegmentKeeper::look() {
  {
    const std::lock_guard hold(mutex_);
    wanted_ = true;
  }
  changed_.notify_one();
}

void SegmentKeeper::run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);  // Of this thread alone, on Linux.
  for (;;) {
    {
      std::unique_lock hold(mutex_);
      changed_.wait(hold, [this] { return wanted_ || closing_; });
      if (!std::exchange(wanted_, false)) return;
    }
    if (compress_) compress_all();
    remove_oldest();
  }
}

/// Under another name first, so that a segment is always there whole.
void SegmentKeeper::compress_all() {
  const fs::path work = fs::path(folder_) / ".compressed";
  for (const codec::SegmentFile& file : codec::segment_files(folder_)) {
    if (file.part || is_compressed(file.path)) continue;
    const auto packed = codec::compress_file(file.path, work.string());
    std::error_code error;
    if (packed) fs::rename(work, file.path, error);
    if (!packed) return log::write(log::Level::kWarn, "trace not compressed", packed.problems());
    if (error) return log::warn("trace not compressed", {{"file", file.path}, {"why", error.message()}});
  }
}

void SegmentKeeper::remove_oldest() {
  const auto files = codec::segment_files(folder_);
  std::vector<std::uint64_t> sizes;
  std::uint64_t total = 0;
  std::uint64_t needed = 0;
  for (const codec::SegmentFile& file : files) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file.path, error);
    sizes.push_back(error ? 0 : size);
    total += sizes.back();
    if (file.file >= readable_from_) needed += sizes.back();
  }
  for (std::size_t i = 0; i + 2 < files.size() && total > total_bytes_; ++i) {
    std::error_code error;
    if (!fs::remove(files[i].path, error) || error) continue;
    fs::remove(fs::path(folder_) / codec::stopped_name(files[i].file), error);
    total -= sizes[i];
  }
  bytes_ = total;
  crowded_ = needed > total_bytes_ / 2;
}

}  // namespace duet::live
