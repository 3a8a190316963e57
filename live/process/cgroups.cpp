#include "live/process/cgroups.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>
#include <utility>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "live/process/cgroup_files.h"
#include "live/process/topology.h"

namespace duet::live {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSpareGroups = 64;

struct Mount {
  std::string root;  ///< What of the hierarchy is mounted there.
  std::string at;
};

/// Where a hierarchy is mounted: that of a controller of version 1, or of version 2 for "".
std::optional<Mount> find_mount(const std::string& controller) {
  std::istringstream lines(read_small("/proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string ignored;
    Mount mount;
    words >> ignored >> ignored >> ignored >> mount.root >> mount.at;
    while (words >> ignored && ignored != "-") continue;
    std::string type;
    std::string source;
    std::string options;
    words >> type >> source >> options;
    if (controller.empty()
            ? type == "cgroup2"
            : type == "cgroup" && ("," + options + ",").find("," + controller + ",") != std::string::npos)
      return mount;
  }
  return std::nullopt;
}

/// The group of this process in that hierarchy, as /proc/self/cgroup names it.
std::string own_group(const std::string& controller) {
  std::istringstream lines(read_small("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? names.empty()
                           : ("," + names + ",").find("," + controller + ",") != std::string::npos)
      return line.substr(second + 1);
  }
  return {};
}

/// Makes our folder in the group of this process; empty if that cannot be.
std::string make_root(const std::string& parent, const std::string& name) {
  if (parent.empty()) return {};
  const std::string folder = parent + "/" + name;
  clear_groups(folder);
  return mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST ? folder : std::string();
}

bool has_word(const std::string& text, const std::string& word) {
  std::istringstream words(text);
  for (std::string w; words >> w;)
    if (w == word) return true;
  return false;
}

/// Version 2: `parent` gives its children this controller. A group with processes of its own cannot, but for
/// the root: one that only we are in is left for a folder in it.
bool hand_down(const std::string& parent, const std::string& controller) {
  if (!has_word(read_small(parent + "/cgroup.controllers"), controller)) return false;
  if (write_small(parent + "/cgroup.subtree_control", "+" + controller)) return true;
  const bool occupied = errno == EBUSY;
  const auto inside = numbers_in(read_small(parent + "/cgroup.procs"));
  if (!occupied || inside != std::vector<std::int64_t>{getpid()}) return false;
  const std::string leaf = parent + "/duet-runner";
  mkdir(leaf.c_str(), 0755);
  return write_small(leaf + "/cgroup.procs", "0") &&
         write_small(parent + "/cgroup.subtree_control", "+" + controller);
}

void find_version_2(GroupRoots& roots, const std::string& name) {
  // Our own group, or, where that cannot hand controllers down, the top.
  const std::string own = own_group_folder("");
  std::string parent = own;
  const auto mount = find_mount("");
  if (!own.empty() && !hand_down(own, "pids") && mount && hand_down(mount->at, "pids")) parent = mount->at;
  roots.unified = make_root(parent, name);
  if (roots.unified.empty()) return;
  const std::pair<const char*, std::string GroupRoots::*> wanted[] = {{"cpu", &GroupRoots::cpu},
                                                                      {"cpuset", &GroupRoots::cpuset},
                                                                      {"memory", &GroupRoots::memory},
                                                                      {"pids", &GroupRoots::pids}};
  for (const auto& [controller, root] : wanted)
    if (hand_down(parent, controller) && hand_down(roots.unified, controller)) roots.*root = roots.unified;
}

/// A cpuset of version 1 holds nobody before it says which processors and which memory.
void inherit_cpuset(const std::string& folder) {
  const fs::path parent = fs::path(folder).parent_path();
  for (const char* file : {"/cpuset.cpus", "/cpuset.mems"})
    write_small(folder + file, read_small(parent.string() + file));
}

void find_version_1(GroupRoots& roots, const std::string& name) {
  const std::pair<const char*, std::string GroupRoots::*> wanted[] = {{"cpu", &GroupRoots::cpu},
                                                                      {"cpuset", &GroupRoots::cpuset},
                                                                      {"memory", &GroupRoots::memory},
                                                                      {"pids", &GroupRoots::pids}};
  for (const auto& [controller, root] : wanted)
    if ((roots.*root).empty()) roots.*root = make_root(own_group_folder(controller), name);
  if (roots.unified.empty()) roots.cpuacct = make_root(own_group_folder("cpuacct"), name);
  if (!roots.cpuset.empty() && roots.cpuset != roots.unified) inherit_cpuset(roots.cpuset);
}

std::vector<fs::path> groups_in(const std::string& folder) {
  std::vector<fs::path> out;
  std::error_code gone;
  for (fs::directory_iterator it(folder, gone), end; !gone && it != end; it.increment(gone))
    if (it->is_directory(gone)) out.push_back(it->path());
  std::ranges::sort(out);
  return out;
}

/// One sweep over a folder and what is below it, deepest first.
bool sweep(const std::string& folder) {
  for (const fs::path& inner : groups_in(folder)) sweep(inner.string());
  if (!write_small(folder + "/cgroup.kill", "1")) {
    write_small(folder + "/pids.max", "0");
    kill_members(folder);
  }
  return rmdir(folder.c_str()) == 0 || errno == ENOENT;
}

}  // namespace

std::string own_group_folder(const std::string& controller) {
  const auto mount = find_mount(controller);
  if (!mount) return {};
  std::string group = own_group(controller);
  if (mount->root != "/" && group.starts_with(mount->root)) group.erase(0, mount->root.size());
  const std::string folder = group == "/" || group.empty() ? mount->at : mount->at + group;
  std::error_code gone;
  return fs::is_directory(folder, gone) ? folder : mount->at;
}

bool clear_groups(const std::string& folder) {
  std::error_code gone;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (fs::is_directory(folder, gone) && !sweep(folder)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

ControlGroups::ControlGroups(const std::string& name, const std::string& wanted) {
  find(name, wanted);
  describe();
}

ControlGroups::~ControlGroups() {
  plain_.clear();
  sharing_.clear();
  for (const std::string* root :
       {&roots_.unified, &roots_.cpu, &roots_.cpuacct, &roots_.cpuset, &roots_.memory, &roots_.pids}) {
    if (root->empty()) continue;
    for (const fs::path& inner : groups_in(*root)) rmdir(inner.c_str());
    rmdir(root->c_str());
  }
}

void ControlGroups::find(const std::string& name, const std::string& wanted) {
  if (wanted == "none") return;
  if (wanted != "v1") find_version_2(roots_, name);
  const bool controlled = !roots_.pids.empty() && !roots_.cpu.empty();
  if (wanted != "v2" && !controlled) find_version_1(roots_, name);
  if (roots_ == GroupRoots{}) return;
  const auto of_version_1 = [&](const std::string& root) { return !root.empty() && root != roots_.unified; };
  const bool mixed = of_version_1(roots_.cpu) || of_version_1(roots_.cpuset) || of_version_1(roots_.memory) ||
                     of_version_1(roots_.pids);
  mode_ = roots_.unified.empty() ? "v1" : mixed ? "mixed" : "v2";
}

void ControlGroups::describe() {
  std::string kept;
  std::string missing;
  const std::pair<const char*, const std::string*> kinds[] = {{"processors", &roots_.cpuset},
                                                              {"shares of processors", &roots_.cpu},
                                                              {"memory", &roots_.memory},
                                                              {"processes", &roots_.pids}};
  for (const auto& [word, root] : kinds) {
    std::string& list = root->empty() ? missing : kept;
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  words_ = "control groups " + mode_;
  if (!kept.empty()) words_ += ": limits on " + kept;
  if (!missing.empty()) words_ += (kept.empty() ? ": no limits on " : "; none on ") + missing;
}

Result<std::shared_ptr<ControlGroup>> ControlGroups::make(const GroupLimits& limits) {
  if (mode_ == "none") return std::shared_ptr<ControlGroup>();
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    if (Spares& spares = spares_for(limits); reusable(limits) && !spares.empty()) {
      auto group = std::move(spares.back());
      spares.pop_back();
      if (group->renew(roots_, limits)) return group;
    }
    name = "task-" + std::to_string(++made_);
  }
  auto group = std::make_shared<ControlGroup>(roots_, name, limits);
  if (group->problem()) return *group->problem();
  return group;
}

void ControlGroups::put_back(std::shared_ptr<ControlGroup> group, const GroupLimits& limits) {
  const std::lock_guard lock(mutex_);
  Spares& spares = spares_for(limits);
  if (reusable(limits) && spares.size() < kSpareGroups) spares.push_back(std::move(group));
}

bool ControlGroups::reusable(const GroupLimits& limits) const {
  const bool has_cpus = !roots_.cpuset.empty() && roots_.cpuset == roots_.unified;
  return limits.memory_bytes == 0 && !has_cpus;
}

void ControlGroups::stay_on(const std::vector<std::uint32_t>& cpus) {
  if (roots_.cpuset.empty() || roots_.cpuset == roots_.unified || cpus.empty()) return;
  const std::string list = processor_list(cpus);
  const std::string folder = roots_.cpuset + "/processors-" + list;
  mkdir(folder.c_str(), 0755);
  inherit_cpuset(folder);
  write_small(folder + "/cpuset.cpus", list);
  write_small(folder + "/tasks", std::to_string(syscall(SYS_gettid)));
}

}  // namespace duet::live
