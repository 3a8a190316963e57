// What a task runs, as its payload carries it: the core does not look into it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace duet::live {

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
  std::vector<std::string> argv{};  ///< The program, looked up in PATH if it has no slash, and its arguments.
  std::vector<std::pair<std::string, std::string>> env{};  ///< Ascending by name, each once.
  std::string directory{};        ///< Where it runs; empty: a fresh folder of its own.
  std::string image{};            ///< Of a container; empty: a process.
  std::uint32_t ports = 0;        ///< TCP ports that it wants: PORT, PORT1, ... in its environment.
  std::int64_t memory_bytes = 0;  ///< That all its processes may have together; 0: no limit.
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
