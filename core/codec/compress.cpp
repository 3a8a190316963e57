#include "core/codec/compress.h"

#include <zstd.h>

#include "core/check.h"

namespace duet::codec {

namespace {

constexpr int kLevel = 19;  // 1 MB a second: for what is written once and kept

}  // namespace

std::string compressed(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  DUET_CHECK(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

Result<std::string> decompressed(std::string_view bytes, const std::string& name, std::uint64_t most) {
  // Both errors that this can be are huge numbers.
  const std::uint64_t size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size > most) return Problem{name, "is no compressed trace", ""};
  std::string out(size, '\0');
  const std::size_t got = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) != 0) return Problem{name, std::string("is damaged: ") + ZSTD_getErrorName(got), ""};
  if (got != size) return Problem{name, "is damaged: it ends early", ""};
  return out;
}

}  // namespace duet::codec
