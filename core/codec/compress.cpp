#include "core/codec/compress.h"

#include <fstream>
#include <vector>

#include <zstd.h>

#include "core/check.h"
#include "core/codec/atomic_file.h"

namespace duet::codec {

namespace {

constexpr int kLevel = 12;      // 20 MB a second: for what is written once and kept
constexpr int kWindowLog = 23;  // 8 MB, more than that level uses

}  // namespace

Result<std::uint64_t> compress_file(const std::string& from, const std::string& to) {
  std::ifstream file(from, std::ios::binary);
  auto target = AtomicFile::create(to);
  if (!target) return target.problems();
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  DUET_CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel)) == 0);
  std::vector<char> read(ZSTD_CStreamInSize());
  std::vector<char> packed(ZSTD_CStreamOutSize());
  bool more = file.is_open();
  if (!more) return Problem{from, "cannot be read", ""};
  while (more) {
    file.read(read.data(), static_cast<std::streamsize>(read.size()));
    if (file.bad()) return Problem{from, "cannot be read", ""};
    more = !file.eof();
    ZSTD_inBuffer in{read.data(), static_cast<std::size_t>(file.gcount()), 0};
    for (bool done = false; !done;) {
      ZSTD_outBuffer out{packed.data(), packed.size(), 0};
      const std::size_t left =
          ZSTD_compressStream2(context.get(), &out, &in, more ? ZSTD_e_continue : ZSTD_e_end);
      DUET_CHECK(ZSTD_isError(left) == 0);
      target->write({packed.data(), out.pos});
      done = more ? in.pos == in.size : left == 0;
    }
  }
  return target->commit();
}

void Decompression::Free::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

Decompression::Decompression() : context_(ZSTD_createDCtx()) {
  DUET_CHECK(ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLog)) == 0);
}

std::size_t Decompression::put(std::string_view& in, std::uint8_t* to, std::size_t room) {
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  ZSTD_outBuffer out{to, room, 0};
  while (!damaged_ && out.pos == 0) {
    const std::size_t before = from.pos;
    damaged_ = ZSTD_isError(ZSTD_decompressStream(context_.get(), &out, &from)) != 0;
    if (from.pos == before) break;
  }
  in.remove_prefix(from.pos);
  return out.pos;
}

}  // namespace duet::codec
