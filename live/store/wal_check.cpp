#include "live/store/wal_check.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

namespace duet::live {
namespace {

constexpr std::size_t kWalHeader = 32;
constexpr std::size_t kWalFrame = 24;

using WalBytes = std::span<const std::uint8_t>;
/// Two running sums.
using WalSums = std::array<std::uint32_t, 2>;

std::uint32_t be32(WalBytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
}
std::uint32_t le32(WalBytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at + 3]} << 24 | std::uint32_t{bytes[at + 2]} << 16 |
         std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at]};
}

WalSums summed(WalBytes bytes, bool big, WalSums sums) {
  const auto word = big ? be32 : le32;
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    sums[0] += word(bytes, at) + sums[1];
    sums[1] += word(bytes, at + 4) + sums[0];
  }
  return sums;
}

WalSums sums_at(WalBytes bytes, std::size_t at) { return {be32(bytes, at), be32(bytes, at + 4)}; }

struct WalHeader {
  bool big = false;  ///< How sums are made.
  std::size_t page = 0;
  std::array<std::uint32_t, 2> salt{};
  WalSums sums{};
};

/// Nothing if the header is not one.
std::optional<WalHeader> wal_header(WalBytes bytes) {
  const std::uint32_t magic = be32(bytes, 0);
  WalHeader header{(magic & 1) != 0, be32(bytes, 8), {be32(bytes, 16), be32(bytes, 20)}, sums_at(bytes, 24)};
  const bool page_possible =
      header.page >= 512 && header.page <= 65536 && (header.page & (header.page - 1)) == 0;
  if ((magic & ~1U) != 0x377f0682 || be32(bytes, 4) != 3007000 || !page_possible) return std::nullopt;
  if (summed(bytes.first(24), header.big, {}) != header.sums) return std::nullopt;
  return header;
}

/// Takes the frames one after the other.
class WalWalk {
 public:
  explicit WalWalk(const WalHeader& header) : header_(header), chain_(header.sums) {}

  void take(WalBytes frame) {
    const std::uint64_t number = ++frames_;
    const bool of_salt = header_.salt[0] == be32(frame, 8);
    const bool of_both = of_salt && header_.salt[1] == be32(frame, 12);
    const bool ours = of_salt || header_.salt[1] == be32(frame, 12);  // An older log shares neither.
    const bool ends = be32(frame, 4) != 0;
    const WalSums said = sums_at(frame, 16);
    const auto sums_after = [&](WalSums before) {
      return summed(frame.subspan(kWalFrame), header_.big, summed(frame.first(8), header_.big, before));
    };
    if (!broken_ && of_both && sums_after(chain_) == said) {
      chain_ = said;
      if (ends) whole_ = number;
      return;
    }
    if (ours && broken_) {
      // Right as far as can be told: it continues the one before, whose content or whose sums may be wrong.
      const bool right = sums_after(said_before_) == said || sums_after(made_before_) == said;
      if (ended_ && right) damaged_ = true;
    }
    made_before_ = sums_after(broken_ ? said_before_ : chain_);
    said_before_ = said;
    if (!broken_) broken_ = number;
    if (ours) ++beyond_;
    if (ours && ends) ended_ = true;
  }

  bool damaged() const { return damaged_; }
  std::uint64_t broken() const { return broken_.value_or(0); }
  WalState state(bool cut) const {
    const std::uint64_t good = broken_ ? *broken_ - 1 : frames_;
    return {whole_, good - whole_ + beyond_ + (cut ? 1 : 0)};
  }

 private:
  const WalHeader& header_;
  WalSums chain_;          ///< Of the last frame in an unbroken row.
  WalSums said_before_{};  ///< Behind the break: what the frame before says that its sums are, ...
  WalSums made_before_{};  ///< ... and what they are, if the frame before that one says the truth.
  std::uint64_t frames_ = 0;
  std::uint64_t whole_ = 0;              ///< Up to the end of the last whole transaction.
  std::uint64_t beyond_ = 0;             ///< Of this log, in or behind the break.
  std::optional<std::uint64_t> broken_;  ///< Where the row breaks.
  bool ended_ = false;                   ///< The transaction that is broken has ended.
  bool damaged_ = false;
};

constexpr std::string_view kWalRemedy =
    "a copy of the folder from before the damage; or move this file away to go on with what was stored "
    "before "
    "it";

}  // namespace

Result<WalState> check_wal(const std::string& path) {
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) {
    if (errno == ENOENT) return WalState{};
    return Problem{path, "cannot be read: " + std::generic_category().message(errno), {}};
  }
  std::vector<std::uint8_t> bytes(kWalHeader);
  const auto read = [&] { return std::fread(bytes.data(), 1, bytes.size(), file.get()); };
  const auto unreadable = [&] {
    return Problem{path, "cannot be read: " + std::generic_category().message(errno), {}};
  };
  std::size_t n = read();
  if (std::ferror(file.get()) != 0) return unreadable();
  if (n < kWalHeader) return WalState{0, n == 0 ? 0U : 1U};
  const auto header = wal_header(bytes);
  if (!header) {
    // Its first write of all may be torn; then nothing follows.
    bytes.resize(1);
    if (read() == 0) return WalState{0, 1};
    return Problem{path, "at byte 0: the log's header is damaged", std::string(kWalRemedy)};
  }
  WalWalk walk(*header);
  bytes.resize(kWalFrame + header->page);
  while ((n = read()) == bytes.size()) walk.take(bytes);
  if (std::ferror(file.get()) != 0) return unreadable();
  if (walk.damaged()) {
    const std::uint64_t at = kWalHeader + (walk.broken() - 1) * bytes.size();
    return Problem{path,
                   "at byte " + std::to_string(at) + ": page " + std::to_string(walk.broken()) +
                       " of the log is damaged, and what was stored after it is not",
                   std::string(kWalRemedy)};
  }
  return walk.state(n != 0);
}

}  // namespace duet::live
