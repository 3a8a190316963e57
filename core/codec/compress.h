// Compression, for traces that are kept: piece by piece, so that their size does not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

struct ZSTD_DCtx_s;

namespace duet::codec {

/// How everything begins that is compressed.
inline constexpr std::string_view kCompressedMagic = "\x28\xb5\x2f\xfd";

/// Compresses the file `from` into the file `to`, with zstd. Returns the size of that.
Result<std::uint64_t> compress_file(const std::string& from, const std::string& to);

/// Undoes compression, for bytes that may come from anywhere. Takes a few megabytes at most.
class Decompression {
 public:
  Decompression();
  /// Takes what it needs off the front of `in` and puts what comes of it, at most `room` bytes, at `to`.
  /// Returns their number: 0 only if it needs more input, or damaged().
  std::size_t put(std::string_view& in, std::uint8_t* to, std::size_t room);
  bool damaged() const { return damaged_; }

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  bool damaged_ = false;
};

}  // namespace duet::codec
