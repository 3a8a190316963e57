// What a runner is told when it is started.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "live/process/output.h"

namespace duet::live {

/// A task whose program has this name runs what its node has been given as the workload.
inline constexpr std::string_view kWorkloadProgram = "duet:workload";

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
  /// Tasks are plain programs: on any processor, unfiltered, in no control group.
  bool plain = false;
  /// What the program name kWorkloadProgram stands for here, with its arguments; `{port}` in one becomes the
  /// task's first port. Empty: nothing.
  std::vector<std::string> workload{};
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
