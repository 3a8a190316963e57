// One attempt's group.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "live/process/cgroup_files.h"
#include "live/process/cgroups.h"
#include "live/process/topology.h"

namespace duet::live {
namespace {

/// Over which a share of processor time is measured out.
constexpr std::int64_t kPeriodUs = 100'000;
constexpr std::int64_t kLeastQuotaUs = 1'000;

}  // namespace

ControlGroup::ControlGroup(const GroupRoots& roots, const std::string& name, const GroupLimits& limits)
    : name_(name), processes_(limits.processes) {
  const auto use = [&](const std::string& root, bool wanted) -> std::string {
    if (root.empty() || !wanted || problem_) return {};
    const std::string folder = root + "/" + name;
    if (std::ranges::find(folders_, folder) != folders_.end()) return folder;
    if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
      problem_ = Problem{folder, std::string("cannot be made: ") + std::strerror(errno), ""};
      return {};
    }
    folders_.push_back(folder);
    return folder;
  };
  unified_ = use(roots.unified, true);
  pids_ = use(roots.pids, true);
  memory_ = use(roots.memory, limits.memory_bytes > 0);
  use(roots.cpu, limits.cpu_m > 0);
  const std::string counted_in = use(roots.cpuacct, true);
  if (problem_) return;
  set_limits(roots, limits);
  if (problem_) return;
  for (const std::string& folder : folders_) {
    join_.emplace_back(open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!join_.back())
      problem_ = Problem{folder, std::string("cannot be joined: ") + std::strerror(errno), ""};
  }
  if (!unified_.empty()) {
    usage_ = Fd(open((unified_ + "/cpu.stat").c_str(), O_RDONLY | O_CLOEXEC));
    usage_in_us_ = true;
    populated_ = Fd(open((unified_ + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  } else if (!counted_in.empty()) {
    usage_ = Fd(open((counted_in + "/cpuacct.usage").c_str(), O_RDONLY | O_CLOEXEC));
  }
}

ControlGroup::~ControlGroup() {
  for (const std::string& folder : folders_) rmdir(folder.c_str());
}

void ControlGroup::limit(const std::string& folder, const char* file, const std::string& text, bool needed) {
  if (folder.empty() || write_small(folder + "/" + file, text) || !needed || problem_) return;
  problem_ = Problem{folder + "/" + file, "does not take " + text + ": " + std::strerror(errno), ""};
}

void ControlGroup::set_limits(const GroupRoots& roots, const GroupLimits& limits) {
  const auto in = [&](const std::string& root) { return root + "/" + name_; };
  const bool two = !roots.unified.empty();
  if (!pids_.empty() && limits.processes > 0) limit(pids_, "pids.max", std::to_string(limits.processes));
  if (!limits.cpus.empty() && two && roots.cpuset == roots.unified)
    limit(in(roots.cpuset), "cpuset.cpus", processor_list(limits.cpus));
  set_share(roots, limits.cpu_m);
  if (!memory_.empty()) {
    const std::string bytes = std::to_string(limits.memory_bytes);
    if (memory_ == unified_) {
      limit(memory_, "memory.max", bytes);
      limit(memory_, "memory.swap.max", "0", false);
      limit(memory_, "memory.oom.group", "1", false);
    } else {
      limit(memory_, "memory.limit_in_bytes", bytes);
      limit(memory_, "memory.memsw.limit_in_bytes", bytes, false);
    }
  }
}

void ControlGroup::set_share(const GroupRoots& roots, std::int64_t cpu_m) {
  if (roots.cpu.empty() || cpu_m == cpu_m_) return;
  const std::string folder = roots.cpu + "/" + name_;
  const std::string quota = std::to_string(std::max(cpu_m * kPeriodUs / 1000, kLeastQuotaUs));
  if (roots.cpu == roots.unified) {
    limit(folder, "cpu.max", quota + " " + std::to_string(kPeriodUs));
  } else {
    if (cpu_m_ == 0) limit(folder, "cpu.cfs_period_us", std::to_string(kPeriodUs));
    limit(folder, "cpu.cfs_quota_us", quota);
  }
  cpu_m_ = cpu_m;
}

std::vector<int> ControlGroup::join_files() const {
  std::vector<int> out;
  for (const Fd& fd : join_) out.push_back(fd.get());
  return out;
}

bool ControlGroup::empty() const {
  if (populated_) return number_of_key(read_again(populated_.get()), "populated") == 0;
  return members().empty();
}

std::vector<std::int64_t> ControlGroup::members() const {
  if (folders_.empty()) return {};
  return numbers_in(read_small(folders_.front() + "/cgroup.procs"));
}

void ControlGroup::kill() {
  if (!unified_.empty() && write_small(unified_ + "/cgroup.kill", "1")) return;
  // Without new ones, killing one by one comes to an end.
  if (!pids_.empty()) killed_ = write_small(pids_ + "/pids.max", "0") || killed_;
  if (!folders_.empty()) kill_members(folders_.front());
}

std::optional<std::int64_t> ControlGroup::counted() const {
  const std::string text = read_again(usage_.get());
  if (usage_in_us_) {
    const auto us = number_of_key(text, "usage_usec");
    return us ? std::optional(*us * 1000) : std::nullopt;
  }
  const auto numbers = numbers_in(text);
  return numbers.empty() ? std::nullopt : std::optional(numbers.front());
}

std::optional<std::int64_t> ControlGroup::cpu_ns() const {
  const auto now = counted();
  return now ? std::optional(*now - used_before_) : std::nullopt;
}

std::int64_t ControlGroup::out_of_memory() const {
  if (memory_.empty()) return 0;
  const char* const file = memory_ == unified_ ? "/memory.events" : "/memory.oom_control";
  return number_of_key(read_small(memory_ + file), "oom_kill").value_or(0);
}

bool ControlGroup::renew(const GroupRoots& roots, const GroupLimits& limits) {
  used_before_ = counted().value_or(0);
  if (std::exchange(killed_, false) && processes_ > 0)
    write_small(pids_ + "/pids.max", std::to_string(processes_));
  set_share(roots, limits.cpu_m);
  return !problem_;
}

}  // namespace duet::live
