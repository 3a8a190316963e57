// Processes as /proc shows them: what came of a process, where control groups do not say so, and orphans.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace duet::live {

/// Children of all threads of a process.
std::vector<std::int64_t> children_of(std::int64_t pid);
/// Children, their children, and so on; not `pid` itself.
std::vector<std::int64_t> descendants_of(std::int64_t pid);
/// True if it runs no more: gone, or a zombie.
bool is_gone(std::int64_t pid);
/// True if the process began with this "NAME=VALUE" in its environment.
bool has_variable(std::int64_t pid, const std::string& variable);
/// What the process began with, "NAME=VALUE" each; empty if it is gone or its secret.
std::vector<std::string> variables_of(std::int64_t pid);
/// Bytes in memory; 0 if it is gone.
std::int64_t resident_bytes(std::int64_t pid);
/// Whether each of its threads may run on these processors only; true if it is gone.
bool keeps_to(std::int64_t pid, const std::vector<std::uint32_t>& cpus);
/// Processor time of all threads of a process; not of its children. 0 if it is gone.
std::int64_t cpu_ns_of(std::int64_t pid);

/// Takes away children of this process that have ended and are not `known`: orphans that it inherited.
void reap_orphans(const std::function<bool(std::int64_t)>& known);

/// All processes of this host that began with this variable.
std::vector<std::int64_t> processes_with(const std::string& variable);
/// Kills one that is still the process that it was when it was listed.
void kill_listed(const std::vector<std::int64_t>& pids, const std::function<bool(std::int64_t)>& still);

}  // namespace duet::live
