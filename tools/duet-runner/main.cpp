// duet-runner: starts, watches and ends the processes of one node's tasks. Agents start it, and it outlives
// them.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/asio.h"
#include "live/process/fd.h"
#include "live/process/runner.h"

namespace {

using duet::live::Fd;

constexpr int kUsage = 2;
/// Of the process that stays: where it says "ok", or why it cannot work.
constexpr int kReportFd = 3;
constexpr auto kGraceOfSignals = std::chrono::seconds(5);

std::string text_of(const duet::Problems& problems) {
  std::string text;
  for (const auto& problem : problems) {
    text += "duet-runner: " + problem.where + " " + problem.what;
    if (!problem.right.empty()) text += "; right would be: " + problem.right;
    text += "\n";
  }
  return text;
}

/// Starts the same program again, in a session of its own with its messages in FOLDER/runner.log, and waits
/// until that works. So the runner is nobody's child, and whoever started it learns whether it runs.
int start_and_leave(const std::string& folder, std::vector<std::string> arguments) {
  mkdir(folder.c_str(), 0700);
  const std::string log = folder + "/runner.log";
  const Fd messages(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const Fd nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
  int ends[2];
  if (!messages || !nothing || pipe2(ends, O_CLOEXEC) != 0) {
    std::fprintf(stderr, "duet-runner: %s cannot be written: %s\n", log.c_str(), std::strerror(errno));
    return kUsage;
  }
  const Fd report(ends[0]);
  Fd report_end(ends[1]);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, nothing.get(), 0);
  posix_spawn_file_actions_adddup2(&files, messages.get(), 1);
  posix_spawn_file_actions_adddup2(&files, messages.get(), 2);
  posix_spawn_file_actions_adddup2(&files, report_end.get(), kReportFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  arguments.emplace_back("--stay");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/proc/self/exe", &files, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  report_end.reset();
  if (error != 0) {
    std::fprintf(stderr, "duet-runner: cannot be started: %s\n", std::strerror(error));
    return kUsage;
  }
  std::string said;
  char buffer[512];
  for (ssize_t n = 0; (n = read(report.get(), buffer, sizeof buffer)) != 0;) {
    if (n > 0) said.append(buffer, static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) break;
  }
  if (said == "ok\n") return 0;
  std::fputs(said.empty() ? ("duet-runner: ended at once; see " + log + "\n").c_str() : said.c_str(), stderr);
  return kUsage;
}

void keep_to(const std::vector<std::uint32_t>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const std::uint32_t cpu : cpus)
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);  // A wish: it works elsewhere, too.
}

void say(bool stays, const std::string& text) {
  if (stays) {
    [[maybe_unused]] const ssize_t n = write(kReportFd, text.data(), text.size());
    close(kReportFd);
  }
}

int run(const duet::live::RunnerOptions& options, bool stays) {
  // Orphans of tasks become children of this process, and are not lost to it.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN);
  keep_to(options.cpus);
  duet::live::asio::io_context io(1);
  duet::live::Runner runner(io, options, [&] { io.stop(); });
  const auto begun = runner.begin();
  if (!begun) {
    const std::string text = text_of(begun.problems());
    std::fputs(text.c_str(), stderr);
    say(stays, text);
    return kUsage;
  }
  duet::live::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) runner.shut_down(kGraceOfSignals);
  });
  say(stays, "ok\n");
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  duet::live::RunnerOptions options;
  bool stay = false;
  bool foreground = false;
  CLI::App app(
      "Starts, watches and ends the processes of one node's tasks, for an agent on the same machine.");
  app.set_help_flag("-h,--help", "This text");
  app.add_option("--folder", options.folder, "Where its socket, its lock, logs and working folders are")
      ->required();
  app.add_option("--node", options.node, "The node's name")->required();
  app.add_option(
      "--user", options.user,
      "Of tasks: a name, UID, UID:GID, or same; without it nobody if this runs as root, else the same");
  app.add_option("--cgroups", options.cgroups, "auto, v2, v1 or none")
      ->check(CLI::IsMember({"auto", "v2", "v1", "none"}));
  app.add_option("--cpus", options.cpus, "Processors that the runner itself keeps to, with commas")
      ->delimiter(',');
  app.add_option("--port-base", options.port_base, "Tasks get free TCP ports from there on")
      ->check(CLI::Range(1, 65535));
  app.add_option("--processes", options.processes, "That an attempt may have, with threads; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--memory", options.memory_bytes, "Bytes that an attempt may have; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--log-part-bytes", options.logs.part_bytes, "Of one file of a log")
      ->check(CLI::PositiveNumber);
  app.add_option("--log-parts", options.logs.old_parts, "Older files that are kept of each stream");
  app.add_option("--log-attempts", options.logs.attempts, "Whose logs are kept when they have ended");
  app.add_option("--log-bytes", options.logs.bytes, "Of all logs of attempts that have ended");
  app.add_option("--linger", options.linger_s, "Seconds that it stays with nothing to do")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--plain", options.plain, "Tasks are neither pinned nor confined nor limited");
  app.add_option("--workload", options.workload, "What duet:workload is here; once for each argument")
      ->allow_extra_args(false);
  app.add_flag("--foreground", foreground, "Do not leave the terminal");
  app.add_flag("--stay", stay)->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (!stay && !foreground) return start_and_leave(options.folder, {argv, argv + argc});
  syscall(SYS_close_range, stay ? kReportFd + 1 : kReportFd, ~0U, 0U);
  if (stay) fcntl(kReportFd, F_SETFD, FD_CLOEXEC);
  return run(options, stay);
}
