// What duet doctor looks at.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "live/asio.h"
#include "live/process/cgroups.h"
#include "live/process/confinement.h"
#include "live/process/fd.h"
#include "live/process/topology.h"
#include "live/program/doctor_program.h"

namespace duet::live {
namespace {

namespace fs = std::filesystem;
using Grade = Finding::Grade;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

std::string word_in(const char* path) {
  std::ifstream file(path);
  std::string word;
  std::getline(file, word);
  return word;
}

std::string mib(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

Finding processors() {
  const auto topology = detect_topology("auto");
  if (!topology)
    return {"processors", Grade::kMissing, topology.problems().front().what,
            topology.problems().front().right};
  const std::uint32_t threads = topology->offer.threads();
  Finding finding{"processors", Grade::kOk,
                  std::to_string(topology->offer.cores) +
                      (topology->offer.cores == 1 ? " slot of " : " slots of ") +
                      std::to_string(topology->offer.threads_per_core) + "; " + topology->words,
                  ""};
  if (topology->reserved.empty()) {
    finding.grade = Grade::kWarn;
    finding.to_do = "with one core, tasks and the system share it: times will vary";
  } else if (threads == 1) {
    finding.to_do = "one slot: the nodes of duet up share it";
  }
  return finding;
}

Finding memory() {
  const auto topology = detect_topology("auto");
  if (!topology) return {"memory", Grade::kMissing, "not known", ""};
  const std::int64_t offered = topology->offer.capacity.memory_bytes;
  return {"memory", offered < kGiB / 4 ? Grade::kWarn : Grade::kOk, mib(offered) + " for tasks",
          offered < kGiB / 4 ? "little: give tasks a memory limit each" : ""};
}

Finding control_groups() {
  const ControlGroups groups("duet-doctor-" + std::to_string(::getpid()), "auto");
  if (groups.mode() != "none") return {"control groups", Grade::kOk, groups.words(), ""};
  return {
      "control groups", Grade::kWarn, groups.words(),
      "run agents as root, or in a delegated group (systemd: Delegate=yes), to limit memory and shares of "
      "processors"};
}

Finding call_filter() {
  const std::string actions = word_in("/proc/sys/kernel/seccomp/actions_avail");
  if (actions.find("errno") != std::string::npos)
    return {"seccomp", Grade::kOk, "tasks cannot move themselves off their processors", ""};
  return {"seccomp", Grade::kMissing, "the kernel filters no calls", "a kernel with CONFIG_SECCOMP_FILTER"};
}

Finding domains() {
  const bool there = static_cast<bool>(make_domain_rules());
  return {"landlock", there ? Grade::kOk : Grade::kWarn, domain_words(),
          there ? "" : "a kernel with Landlock (lsm=landlock,... at boot) keeps tasks of one user apart"};
}

Finding pidfds() {
  utsname kernel{};
  ::uname(&kernel);
  const Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (fd) return {"kernel", Grade::kOk, std::string("Linux ") + kernel.release, ""};
  return {"kernel", Grade::kMissing, std::string("Linux ") + kernel.release + ", without pidfds",
          "Linux 5.4 or later, and a sandbox that allows pidfd_open"};
}

Finding user() {
  if (::geteuid() == 0) return {"user", Grade::kOk, "root: tasks run as nobody (65534)", ""};
  return {"user", Grade::kWarn, "uid " + std::to_string(::geteuid()) + ": tasks run as the same user",
          "run agents as root, and tasks cannot read what is yours"};
}

Finding engines() {
  std::string found;
  const char* variable = std::getenv("PATH");
  const std::string path = variable == nullptr ? "" : variable;
  for (const char* engine : {"docker", "podman"}) {
    for (std::size_t at = 0; at <= path.size();) {
      const std::size_t end = std::min(path.find(':', at), path.size());
      if (end > at && ::access((path.substr(at, end - at) + '/' + engine).c_str(), X_OK) == 0) {
        found += (found.empty() ? "" : ", ") + std::string(engine);
        break;
      }
      at = end + 1;
    }
  }
  return {
      "engines", Grade::kOk,
      found.empty() ? "none found; tasks are processes" : found + " found; tasks are processes all the same",
      ""};
}

Finding descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const bool few = limit.rlim_max < 1024;
  const std::string is = limit.rlim_cur == RLIM_INFINITY
                             ? "no limit"
                             : std::to_string(limit.rlim_cur) + ", at most " +
                                   (limit.rlim_max == RLIM_INFINITY ? "any" : std::to_string(limit.rlim_max));
  if (few) return {"descriptors", Grade::kMissing, is, "ulimit -n 4096, or LimitNOFILE= of the service"};
  const bool tight = limit.rlim_cur < 4096;
  return {"descriptors", tight ? Grade::kWarn : Grade::kOk, is,
          tight ? "ulimit -n 65536 before you start it: each task and connection takes a few" : ""};
}

Finding processes() {
  std::string is = "pid_max " + word_in("/proc/sys/kernel/pid_max");
  const std::string own = own_group_folder("pids").empty() ? own_group_folder("") : own_group_folder("pids");
  const std::string limit = own.empty() ? "" : word_in((own + "/pids.max").c_str());
  Grade grade = Grade::kOk;
  std::string to_do;
  if (!limit.empty() && limit != "max") {
    is += ", this group's limit " + limit;
    if (std::atoll(limit.c_str()) < 512) {
      grade = Grade::kWarn;
      to_do = "raise pids.max (systemd: TasksMax=) of the group that this runs in";
    }
  }
  return {"processes", grade, is, to_do};
}

Finding wall_clock() {
  timex state{};
  const int kept = ::adjtimex(&state);
  if (kept < 0)
    return {"clock", Grade::kWarn, "whether it is kept right cannot be asked",
            "chrony, or systemd-timesyncd"};
  if (kept == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    return {"clock", Grade::kWarn, "nobody keeps it right",
            "chrony, or systemd-timesyncd; it matters for what people read, decisions use a steady clock"};
  return {"clock", Grade::kOk, "kept right, within " + std::to_string(state.maxerror / 1000) + " ms", ""};
}

Finding port(const std::string& what, const std::string& host, std::uint16_t number) {
  const std::string is = host + ':' + std::to_string(number);
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return {what, Grade::kMissing, is + " is no address", "127.0.0.1:" + std::to_string(number)};
  const asio::ip::tcp::endpoint end(address, number);
  acceptor.open(end.protocol());
  acceptor.set_option(asio::ip::tcp::acceptor::reuse_address(true));
  acceptor.bind(end, error);
  if (!error) acceptor.listen(1, error);
  if (!error) return {what, Grade::kOk, is + " is free", ""};
  return {what, Grade::kWarn, is + ": " + error.message(),
          "a cluster that runs already, or --listen and --agents with other ports"};
}

/// A commit of the store is a write of a few KiB and an fdatasync().
Finding disk(const std::string& folder) {
  constexpr std::size_t kWrites = 32;
  const std::string path = folder + "/.doctor-" + std::to_string(::getpid());
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return {"disk", Grade::kMissing, folder + ": " + std::strerror(errno), "another --data"};
  ::unlink(path.c_str());
  std::array<double, kWrites> took{};
  const std::string page(4096, 'x');
  for (double& ms : took) {
    const auto began = std::chrono::steady_clock::now();
    const bool written = ::write(file.get(), page.data(), page.size()) == static_cast<ssize_t>(page.size());
    if (!written || ::fdatasync(file.get()) != 0)
      return {"disk", Grade::kMissing, folder + ": " + std::strerror(errno), "another --data"};
    ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  }
  std::ranges::sort(took);
  const double median = took[kWrites / 2];
  char words[128];
  std::snprintf(words, sizeof words, "fdatasync takes %.2f ms (longest of %zu: %.2f ms)", median, kWrites,
                took.back());
  return {"disk", median > 20 ? Grade::kWarn : Grade::kOk, words,
          median > 20 ? "every submission waits for one: a faster disk, or --store memory" : ""};
}

Finding data_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || ::access(folder.c_str(), W_OK | X_OK) != 0)
    return {"data", Grade::kMissing, folder + " cannot be written to", "another --data, or DUET_DATA"};
  struct statvfs room {};
  struct statfs kind {};
  ::statvfs(folder.c_str(), &room);
  ::statfs(folder.c_str(), &kind);
  const auto free = static_cast<std::int64_t>(room.f_bavail) * static_cast<std::int64_t>(room.f_frsize);
  constexpr long kTmpfs = 0x01021994;
  Finding finding{"data", Grade::kOk, folder + ", " + mib(free) + " free", ""};
  if (free < kGiB) {
    finding.grade = Grade::kWarn;
    finding.to_do = "recordings take up to 256 MiB and logs 1 GiB a node: more room, or another --data";
  } else if (kind.f_type == kTmpfs) {
    finding.grade = Grade::kWarn;
    finding.to_do = "it lies in memory and is gone when the machine restarts: another --data";
  }
  return finding;
}

Finding programs(const std::string& folder) {
  std::string lacking;
  for (const char* program : {"duet-controller", "duet-agent", "duet-runner", "duet-up", "duet-workload"})
    if (::access((folder + '/' + program).c_str(), X_OK) != 0)
      lacking += (lacking.empty() ? "" : ", ") + std::string(program);
  if (lacking.empty()) return {"programs", Grade::kOk, "all in " + folder, ""};
  return {"programs", Grade::kMissing, "not in " + folder + ": " + lacking,
          "build or install Duet as a whole"};
}

}  // namespace

std::vector<Finding> examine(const DoctorOptions& options) {
  std::vector<Finding> findings = {processors(),  memory(),    control_groups(), call_filter(),
                                   domains(),     pidfds(),    user(),           engines(),
                                   descriptors(), processes(), wall_clock()};
  findings.push_back(port("port for HTTP", options.listen_host, options.listen_port));
  findings.push_back(port("port for agents", options.agents_host, options.agents_port));
  findings.push_back(data_folder(options.data));
  if (findings.back().grade != Grade::kMissing) findings.push_back(disk(options.data));
  findings.push_back(programs(options.programs));
  return findings;
}

}  // namespace duet::live
