// What a task runs, as its payload carries it: the core does not look into it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace duet::live {

/// The task is a worker: it executes operations that it is given over HTTP, on its first port.
struct WorkerCommand {
  bool pull = false;       ///< It asks for an operation whenever it has none.
  bool slot_port = false;  ///< Its first port is the first of its node, plus 1, plus the number of its slot.
  bool operator==(const WorkerCommand&) const = default;
};

/// What a task is asked to prove that it works. When and how often, its TaskSpec says.
struct HealthQuestion {
  enum class Kind : std::uint8_t {
    kNone,
    kHttp,  ///< GET of `path` on one of its ports: 200 to 299 is healthy.
    kTcp,   ///< A connection to one of its ports.
    kExec,  ///< A program beside it, in the same confinement: exit code 0 is healthy.
  };
  Kind kind = Kind::kNone;
  std::uint32_t port = 0;           ///< Which of its ports: 0 is PORT, 1 is PORT1.
  std::string path{};               ///< Of kHttp; begins with /.
  std::vector<std::string> argv{};  ///< Of kExec.
  bool operator==(const HealthQuestion&) const = default;
};

struct TaskCommand {
  /// The program, looked up in PATH if it has no slash, and its arguments. Of a worker it may be empty: then
  /// it is duet-worker, which lies beside the node's own programs.
  std::vector<std::string> argv{};
  std::vector<std::pair<std::string, std::string>> env{};  ///< Ascending by name, each once.
  std::string directory{};        ///< Where it runs; empty: a fresh folder of its own.
  std::string image{};            ///< Of a container; empty: a process.
  std::uint32_t ports = 0;        ///< TCP ports that it wants: PORT, PORT1, ... in its environment.
  std::int64_t memory_bytes = 0;  ///< That all its processes may have together; 0: no limit.
  /// What others want to find again; means nothing to whoever runs it. Ascending by name, each once.
  std::vector<std::pair<std::string, std::string>> labels{};
  std::optional<WorkerCommand>
      worker{};  ///< Nothing: it is none. A worker has a port, whatever `ports` says.
  HealthQuestion health{};
  std::uint32_t balance = 0;  ///< Of a service: the port of its controller's balancer for it; 0: none.
  bool operator==(const TaskCommand&) const = default;
};

/// JSON with its members in alphabetical order, without what says nothing: {"argv":["sleep","60"]}.
std::string to_payload(const TaskCommand& command);
/// The inverse. Strict: unknown members, wrong types, an empty argv without an image, bytes 0 in words, more
/// than 1 MiB are Problems, with a JSON pointer each, all at once.
Result<TaskCommand> command_from_payload(std::string_view payload);

}  // namespace duet::live
