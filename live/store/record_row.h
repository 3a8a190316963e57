// A record as a row of a table: its key in bytes that sort as the records do, its value, and the hash of
// both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/model.h"
#include "core/time.h"

namespace duet::live {

/// In the order in which Restore gets them. Numbers are part of the format of stores.
enum class RowKind : std::uint8_t {
  kHead = 0,
  kNode = 1,
  kEnd = 2,
  kJob = 3,
  kTask = 4,
  kKey = 5,
  kHistory = 6
};

struct RowKey {
  RowKind kind = RowKind::kHead;
  /// Node, job: 8 bytes; task: those of its job and 4; numbers are big endian. Idempotency key: itself. Of
  /// the end that is kept, the one with the highest id: nothing.
  std::string bytes;
  bool operator==(const RowKey&) const = default;
};

RowKey row_key(const Record& record);
/// Of a row of the history, for its hash: the job's id and the instant, 8 bytes each.
RowKey history_key(JobId job, Instant ended);
/// The first key of a task of this job; that of the next job is the first that is none.
std::string first_task_key(JobId job);

/// Appends the record's value, as the trace codec writes it by itself, to `to`.
void append_row_value(std::string& to, const Record& record);
/// Nothing if the bytes are no record of this key.
std::optional<Record> record_of_row(const RowKey& key, std::string_view value);

/// XXH3-64 of kind, key and value.
std::uint64_t row_hash(RowKind kind, std::string_view key, std::string_view value);

/// "job 17", "task 17.0", "node 3", "key \"abc\"": for people.
std::string row_name(const RowKey& key);

}  // namespace duet::live
