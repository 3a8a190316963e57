#include "live/store/record_row.h"

#include <algorithm>
#include <variant>

#include "core/codec/decode.h"
#include "core/codec/encode.h"
#include "core/codec/hash.h"
#include "core/codec/json_text.h"

namespace duet::live {
namespace {

void append_big_endian(std::string& to, std::uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to += static_cast<char>(number >> shift);
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string key_of(std::uint64_t id) {
  std::string key;
  append_big_endian(key, id, 8);
  return key;
}

}  // namespace

RowKey history_key(JobId job, Instant ended) {
  RowKey key{RowKind::kHistory, key_of(job.value)};
  append_big_endian(key.bytes, static_cast<std::uint64_t>(to_ns(ended)), 8);
  return key;
}

RowKey row_key(const Record& record) {
  struct Keys {
    RowKey operator()(const NodeRecord& r) const { return {RowKind::kNode, key_of(r.node.value)}; }
    RowKey operator()(const EndRecord&) const { return {RowKind::kEnd, {}}; }
    RowKey operator()(const JobRecord& r) const { return {RowKind::kJob, key_of(r.job.value)}; }
    RowKey operator()(const TaskRecord& r) const {
      RowKey key{RowKind::kTask, key_of(r.task.job.value)};
      append_big_endian(key.bytes, r.task.index, 4);
      return key;
    }
    RowKey operator()(const KeyRecord& r) const { return {RowKind::kKey, r.key}; }
  };
  return std::visit(Keys{}, record);
}

std::string first_task_key(JobId job) {
  std::string key = key_of(job.value);
  append_big_endian(key, 0, 4);
  return key;
}

void append_row_value(std::string& to, const Record& record) {
  static thread_local codec::ByteBuffer buffer;
  buffer.clear();
  codec::Encoder encoder(buffer);
  encoder.put(record);
  encoder.finish();
  to.append(reinterpret_cast<const char*>(buffer.data()), buffer.size());
}

std::optional<Record> record_of_row(const RowKey& key, std::string_view value) {
  Record record;
  if (!codec::decode_exactly(codec::as_bytes(value), record) || row_key(record) != key) return std::nullopt;
  const auto* job = std::get_if<JobRecord>(&record);
  if (job != nullptr && job->spec == nullptr) return std::nullopt;
  return record;
}

std::uint64_t row_hash(RowKind kind, std::string_view key, std::string_view value) {
  static thread_local std::string row;
  row.clear();
  row += static_cast<char>(kind);
  append_big_endian(row, key.size(), 4);
  row += key;
  row += value;
  return codec::xxh3(codec::as_bytes(row));
}

std::string row_name(const RowKey& key) {
  const std::string_view bytes = key.bytes;
  switch (key.kind) {
    case RowKind::kHead:
      return "the head";
    case RowKind::kNode:
      return "node " + std::to_string(big_endian(bytes));
    case RowKind::kEnd:
      return "the last end of a job";
    case RowKind::kJob:
      return "job " + std::to_string(big_endian(bytes));
    case RowKind::kTask:
      return "task " + std::to_string(big_endian(bytes.substr(0, 8))) + "." +
             std::to_string(big_endian(bytes.substr(std::min<std::size_t>(bytes.size(), 8))));
    case RowKind::kHistory:
      return "the history of job " + std::to_string(big_endian(bytes.substr(0, 8)));
    case RowKind::kKey: {
      std::string name = "key ";
      codec::append_string(name, bytes);
      return name;
    }
  }
  return "a row of kind " + std::to_string(static_cast<int>(key.kind));
}

}  // namespace duet::live
