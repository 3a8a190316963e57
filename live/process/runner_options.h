// What a runner is told when it is started.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "live/process/output.h"

namespace duet::live {

struct RunnerOptions {
  std::string folder;  ///< Its socket, lock, logs and working folders are there; one runner each.
  std::string node;    ///< DUET_NODE of its tasks.
  /// Of tasks: "same" as the runner's, a name, or numbers "UID" or "UID:GID"; empty: nobody (65534) where the
  /// runner is root, else the same.
  std::string user{};
  std::string cgroups = "auto";       ///< Or "v2", "v1", "none".
  std::vector<std::uint32_t> cpus{};  ///< Processors that the runner itself keeps to; empty: all.
  std::uint32_t port_base = 8000;     ///< Tasks get ports from there on.
  std::int64_t processes = 4096;      ///< That an attempt may have at once, threads included; 0: no limit.
  std::int64_t memory_bytes = 0;      ///< That an attempt may have; 0: no limit.
  LogLimits logs{};
  std::int64_t linger_s = 60;  ///< How long it stays without a client and without anything that runs.
};

/// As `duet-runner` takes them, without the program's name.
std::vector<std::string> to_arguments(const RunnerOptions& options);

struct TaskUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};
/// Nothing: tasks run as the runner does.
Result<std::optional<TaskUser>> find_user(const std::string& user);

/// Names the runner's control groups: of the node and the folder, so that no two runners share one.
std::string group_name(const RunnerOptions& options);

}  // namespace duet::live
