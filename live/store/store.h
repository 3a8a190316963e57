// Durable truth of a live controller: its records, and what people may want to find again of ended jobs.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/result.h"
#include "core/time.h"

namespace duet::live {

/// What is kept of an ended job for people.
struct HistoryRow {
  JobId job;
  Instant ended;
  std::string json;  ///< One object; opaque here.
  bool operator==(const HistoryRow&) const = default;
};

/// What becomes durable together, or not at all.
struct Batch {
  std::vector<Record>
      records;  ///< In the order of their Persist commands: a later one replaces an earlier one.
  std::vector<HistoryRow> history;
  bool empty() const { return records.empty() && history.empty(); }
};

struct Loaded {
  std::vector<Record> records;        ///< For Restore: nodes, ends, jobs, tasks, keys; each kind by its key.
  std::vector<HistoryRow> history;    ///< Ascending by job; the latest ones only (see the store's limit).
  std::vector<std::string> warnings;  ///< What was mended, in words for the log: a torn end that was cut.
};

/// Of the history. Rows beyond `kept` go, those first that ended first.
struct StoreLimits {
  std::size_t kept = 100'000;  ///< At least 1.
  std::size_t loaded = 1'000;  ///< By load(): those with the highest ids.
};

class Store {
 public:
  virtual ~Store() = default;
  /// "memory", "sqlite".
  virtual std::string_view name() const = 0;

  /// Everything. Blocks. To be called at first, and again before the next commit() after a failed one: what
  /// a failed commit left behind is unknown until then. Problems name the file, the place and the remedy.
  virtual Result<Loaded> load() = 0;

  /// Makes `batch` durable and calls `done`, with nothing or with what went wrong, on the io_context's
  /// thread, never from within commit(). One at a time: not before the last one's `done`.
  virtual void commit(Batch batch, std::function<void(Problems)> done) = 0;

  /// Ended jobs with ids below `before`, descending, at most `count`: what load() left out. Blocks.
  virtual Result<std::vector<HistoryRow>> history(JobId before, std::size_t count) = 0;
};

}  // namespace duet::live
