#include "live/process/process_tree.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <sstream>
#include <system_error>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/process/cgroup_files.h"

namespace duet::live {

namespace fs = std::filesystem;

std::vector<std::int64_t> children_of(std::int64_t pid) {
  std::vector<std::int64_t> out;
  std::error_code gone;
  for (fs::directory_iterator it("/proc/" + std::to_string(pid) + "/task", gone), end; !gone && it != end;
       it.increment(gone))
    for (const std::int64_t child : numbers_in(read_small(it->path().string() + "/children")))
      out.push_back(child);
  std::ranges::sort(out);
  return out;
}

std::vector<std::int64_t> descendants_of(std::int64_t pid) {
  std::vector<std::int64_t> out = children_of(pid);
  for (std::size_t i = 0; i < out.size(); ++i)
    for (const std::int64_t child : children_of(out[i]))
      if (std::ranges::find(out, child) == out.end()) out.push_back(child);
  return out;
}

bool is_gone(std::int64_t pid) {
  // "PID (NAME) STATE ...", where a name may hold any character; a dead one shows X while it is taken away.
  const std::string stat = read_small("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_ends = stat.rfind(')');
  if (name_ends == std::string::npos || name_ends + 2 >= stat.size()) return true;
  return stat[name_ends + 2] == 'Z' || stat[name_ends + 2] == 'X';
}

bool has_variable(std::int64_t pid, const std::string& variable) {
  const std::string environment = '\0' + read_small("/proc/" + std::to_string(pid) + "/environ");
  return environment.find('\0' + variable + '\0') != std::string::npos;
}

std::vector<std::string> variables_of(std::int64_t pid) {
  std::vector<std::string> all;
  std::istringstream environment(read_small("/proc/" + std::to_string(pid) + "/environ"));
  for (std::string variable; std::getline(environment, variable, '\0');) all.push_back(std::move(variable));
  return all;
}

std::int64_t resident_bytes(std::int64_t pid) {
  const auto pages = numbers_in(read_small("/proc/" + std::to_string(pid) + "/statm"));
  return pages.size() < 2 ? 0 : pages[1] * sysconf(_SC_PAGESIZE);
}

bool keeps_to(std::int64_t pid, const std::vector<std::uint32_t>& cpus) {
  cpu_set_t meant;
  CPU_ZERO(&meant);
  for (const std::uint32_t cpu : cpus) CPU_SET(cpu, &meant);
  std::error_code gone;
  for (fs::directory_iterator it("/proc/" + std::to_string(pid) + "/task", gone), end; !gone && it != end;
       it.increment(gone)) {
    cpu_set_t allowed;
    cpu_set_t both;
    const auto thread = static_cast<pid_t>(std::atoi(it->path().filename().c_str()));
    if (sched_getaffinity(thread, sizeof allowed, &allowed) != 0) continue;
    CPU_AND(&both, &allowed, &meant);
    if (!CPU_EQUAL(&both, &allowed)) return false;
  }
  return true;
}

std::int64_t cpu_ns_of(std::int64_t pid) {
  clockid_t clock = 0;
  timespec used{};
  if (clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

void reap_orphans(const std::function<bool(std::int64_t)>& known) {
  for (const std::int64_t child : children_of(getpid()))
    if (!known(child)) waitpid(static_cast<pid_t>(child), nullptr, WNOHANG);
}

std::vector<std::int64_t> processes_with(const std::string& variable) {
  std::vector<std::int64_t> out;
  std::error_code gone;
  for (fs::directory_iterator it("/proc", gone), end; !gone && it != end; it.increment(gone)) {
    const std::string name = it->path().filename().string();
    if (!std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    const std::int64_t pid = std::stoll(name);
    if (pid != getpid() && has_variable(pid, variable)) out.push_back(pid);
  }
  std::ranges::sort(out);
  return out;
}

void kill_listed(const std::vector<std::int64_t>& pids, const std::function<bool(std::int64_t)>& still) {
  for (const std::int64_t pid : pids) kill_if(pid, [&] { return still(pid); });
}

}  // namespace duet::live
