// One file of a flight recorder while it is written: what was handed over survives this process, what was
// synced survives the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/codec/frame_encoder.h"
#include "core/codec/hash.h"
#include "core/result.h"

namespace duet::live {

class SegmentWriter {
 public:
  /// Makes FOLDER/NNNNNN.duet.part, which must not exist, with its header, and syncs it and the folder.
  static Result<SegmentWriter> create(const std::string& folder, std::uint64_t file,
                                      const codec::TraceHeader& header);
  SegmentWriter(SegmentWriter&& other) noexcept;
  SegmentWriter& operator=(SegmentWriter&& other) noexcept;
  ~SegmentWriter();

  /// Whole frames, behind those before. All of these return what went wrong.
  std::optional<Problem> write(std::span<const std::uint8_t> frames);
  /// Returns when what was written is on the disk.
  std::optional<Problem> sync();
  /// Writes the end, for so many steps in this file, the last with this chain value; syncs; and gives the
  /// file its final name.
  std::optional<Problem> finish(std::uint64_t steps, std::uint64_t chain);

  std::uint64_t file() const { return file_; }
  /// Of the body.
  std::uint64_t bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  SegmentWriter(int fd, std::string folder, std::uint64_t file);
  std::optional<Problem> put(std::span<const std::uint8_t> bytes);
  std::optional<Problem> sync_folder() const;
  Problem problem(const char* action, int error) const;

  int fd_ = -1;
  std::string folder_;
  std::uint64_t file_ = 0;
  std::string path_;
  std::uint64_t bytes_ = 0;
  bool dirty_ = false;
  codec::Sha256 sha_;
};

}  // namespace duet::live
