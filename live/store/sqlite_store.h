// The durable store: one SQLite file, written by a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "live/asio.h"
#include "live/store/store.h"

namespace duet::live {

/// The format of its file that this code writes.
inline constexpr std::int64_t kStoreFormat = 2;

struct SqliteOptions {
  StoreLimits limits{};
  /// Its log is emptied when it has so many pages (4 KiB) and nobody waits, or four times as many.
  std::uint64_t checkpoint_pages = 1'000;
  std::string vfs{};  ///< SQLite's name of a file system; empty: the system's.
};

/// A store in the file `path`, which is made by load() if it is not there. Beside it lie SQLite's log,
/// `path`-wal, and `path`.lock: as long as this store lives, no other one gets the same file; the Problem
/// says which process has it. The folder must exist. A batch is one transaction, synced before `done` is
/// called. `io` must outlive the store; its destructor waits until a batch under way is written.
Result<std::unique_ptr<Store>> open_sqlite_store(asio::io_context& io, const std::string& path,
                                                 SqliteOptions options = {});

}  // namespace duet::live
