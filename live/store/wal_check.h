// A look at SQLite's write-ahead log before SQLite has one: it takes a damaged log for a short one.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace duet::live {

struct WalState {
  std::uint64_t frames = 0;  ///< Pages of whole transactions, which SQLite takes over.
  std::uint64_t torn = 0;    ///< Pages behind them, of a transaction that was being written, which it leaves.
};

/// SQLite reads its log up to the first page whose checksum is wrong. Behind the last transaction that was
/// acknowledged that is right: something was being written when the power went. In front of one that was
/// acknowledged it is damage, which would silently undo that one. A transaction is synced before the next one
/// is begun; so a page that is wrong, and pages that are right behind the end of its transaction, are damage.
/// Problems name the byte. A file that is missing or empty is a short log.
/// Source: SQLite, "Database File Format", section 4.
Result<WalState> check_wal(const std::string& path);

}  // namespace duet::live
