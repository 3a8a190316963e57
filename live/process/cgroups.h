// Control groups: what limits an attempt, counts what it uses, and finds all of its processes. Version 2
// where it has the controllers, else version 1, each controller that is there; without either, less is
// limited.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "live/process/fd.h"

namespace duet::live {

/// Where groups of each kind go: a folder of ours in that hierarchy; empty: there is none. In version 2 all
/// are the same folder.
struct GroupRoots {
  std::string unified;  ///< Version 2, whatever controllers it has: ends all of a group at once.
  std::string cpu;
  std::string cpuacct;  ///< Only where there is no version 2, which counts by itself.
  std::string cpuset;
  std::string memory;
  std::string pids;
  bool operator==(const GroupRoots&) const = default;
};

struct GroupLimits {
  std::vector<std::uint32_t> cpus{};  ///< Empty: all.
  std::int64_t cpu_m = 0;             ///< Millicores; 0: no limit, as below.
  std::int64_t memory_bytes = 0;
  std::int64_t processes = 0;  ///< And threads.
};

/// The group of one attempt. Its processes have to be dead before it goes.
class ControlGroup {
 public:
  ControlGroup(const GroupRoots& roots, const std::string& name, const GroupLimits& limits);
  ~ControlGroup();
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  /// Why it could not be made; then it must not be used.
  const std::optional<Problem>& problem() const { return problem_; }
  /// A process joins by writing "0" to each of these.
  std::vector<int> join_files() const;
  bool empty() const;
  std::vector<std::int64_t> members() const;
  /// Kills what is in it. Processes may take a moment to go, so ask empty(), and again if need be.
  void kill();
  /// Processor time used by its processes since it was made, or taken up again.
  std::optional<std::int64_t> cpu_ns() const;
  /// How often the kernel ended one of its processes for want of memory.
  std::int64_t out_of_memory() const;
  /// As new, for another attempt whose limits differ at most in their share of processors. False if the
  /// share is not taken: then it must not be used.
  bool renew(const GroupRoots& roots, const GroupLimits& limits);

 private:
  void limit(const std::string& folder, const char* file, const std::string& text, bool needed = true);
  void set_limits(const GroupRoots& roots, const GroupLimits& limits);
  void set_share(const GroupRoots& roots, std::int64_t cpu_m);
  std::optional<std::int64_t> counted() const;

  std::string name_;
  std::vector<std::string> folders_;  ///< Each once.
  std::vector<Fd> join_;              ///< cgroup.procs of each.
  std::string unified_;               ///< One of folders_, as the next two; empty: none.
  std::string pids_;
  std::string memory_;
  std::int64_t processes_ = 0;
  std::int64_t cpu_m_ = 0;
  bool killed_ = false;  ///< Then nothing can be started in it any more.
  Fd usage_;             ///< cpu.stat, or cpuacct.usage.
  bool usage_in_us_ = false;
  Fd populated_;  ///< cgroup.events of version 2.
  std::int64_t used_before_ = 0;
  std::optional<Problem> problem_;
};

class ControlGroups {
 public:
  /// `name`: of our folder in each hierarchy; unique on this machine, and the same in a later life. What an
  /// earlier life left there is killed and removed. `wanted`: "auto", "v2", "v1" or "none".
  ControlGroups(const std::string& name, const std::string& wanted);
  /// Removes what is empty.
  ~ControlGroups();
  ControlGroups(const ControlGroups&) = delete;
  ControlGroups& operator=(const ControlGroups&) = delete;

  /// "v2", "v1", "mixed" (controllers of version 1, version 2 for the rest) or "none".
  const std::string& mode() const { return mode_; }
  /// The mode, and what it limits, for people.
  const std::string& words() const { return words_; }
  const GroupRoots& roots() const { return roots_; }

  /// A group with these limits, new or taken up again; null in mode "none". May be called on any thread.
  Result<std::shared_ptr<ControlGroup>> make(const GroupLimits& limits);
  /// Gives one back that is empty.
  void put_back(std::shared_ptr<ControlGroup> group, const GroupLimits& limits);
  /// Version 1: the calling thread, and all that it starts, stays on these processors. Any thread; harmless
  /// where it cannot be done.
  void stay_on(const std::vector<std::uint32_t>& cpus);

 private:
  void find(const std::string& name, const std::string& wanted);
  void describe();
  bool reusable(const GroupLimits& limits) const;

  GroupRoots roots_;
  std::string mode_ = "none";
  std::string words_;
  std::mutex mutex_;  ///< For what follows.
  std::uint64_t made_ = 0;
  using Spares = std::vector<std::shared_ptr<ControlGroup>>;
  Spares& spares_for(const GroupLimits& limits) { return limits.cpu_m > 0 ? sharing_ : plain_; }
  /// Making and removing groups costs as much as starting a process: they are kept for the next.
  Spares plain_;
  Spares sharing_;  ///< With a share of processors.
};

/// Where this process stands in the hierarchy of a controller of version 1 ("memory"), or of version 2 (""),
/// as a folder; empty if that is not mounted.
std::string own_group_folder(const std::string& controller);

/// Kills all that is in the groups below this folder and removes them, and it. False if something is left
/// after two seconds.
bool clear_groups(const std::string& folder);

}  // namespace duet::live
