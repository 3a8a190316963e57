// What a worker answers to its manager, read strictly: a worker may be anybody's program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/lifecycle.h"
#include "live/cube/documents.h"

namespace duet::live::cube {

/// Of GET /stats.
struct WorkerStats {
  std::uint32_t cores = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t memory_kb = 0;    ///< Of the machine.
  std::uint64_t disk_bytes = 0;  ///< Of the machine.
  Json shown;                    ///< An object, as it was told.
};

/// One of GET /tasks.
struct WorkerTask {
  std::string id;
  std::string event;  ///< Empty if it was told of none.
  CubeState state = CubeState::kPending;
  Outcome outcome = Outcome::kSucceeded;  ///< Once it has ended.
  std::optional<std::int32_t> exit_code{};
  std::vector<std::uint32_t> ports{};
  std::string reason{};
  /// As it was told; if they are there, its HealthCheck is a path, its PortBindings an object.
  Json shown;

  bool over() const { return state == CubeState::kCompleted || state == CubeState::kFailed; }
};

/// Problems: it is no JSON, too deep, of wrong types, or numbers are out of range; `where` is a JSON pointer.
Result<WorkerStats> read_worker_stats(std::string_view body);
/// `null` is no tasks: so Go writes a list without any.
Result<std::vector<WorkerTask>> read_worker_tasks(std::string_view body);
/// A single one, of GET /tasks/{id}.
Result<WorkerTask> read_worker_task(std::string_view body);
/// Why it refused, in its words if it has any; UTF-8, 500 bytes at most.
std::string read_refusal(unsigned status, std::string_view body);

}  // namespace duet::live::cube
