// How a process begins: what it may use, what it gets, and what it cannot do.
#include "live/process/spawner.h"

#include <csignal>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/process/confinement.h"
#include "tests/live/processes.h"

namespace duet::test {
namespace {

using live::SpawnOrder;
using testing::HasSubstr;

struct Ended {
  std::string problem;  ///< "" if it was started.
  std::string out;
  std::string err;
  int status = 0;  ///< Exit code, or minus the signal.
};

Ended run(SpawnOrder order, live::SpawnerOptions options = {}) {
  const Started started = start_process(std::move(order), std::move(options));
  if (!started) return {started.problem(), {}, {}, 0};
  Ended ended;
  ended.out = started.out();
  ended.err = started.err();
  ended.status = started.wait();
  return ended;
}
Ended run(std::vector<std::string> argv, live::SpawnerOptions options = {}) {
  SpawnOrder order;
  order.argv = std::move(argv);
  return run(std::move(order), std::move(options));
}

std::uint32_t last_cpu() {
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  std::uint32_t last = 0;
  for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) last = cpu;
  return last;
}

TEST(Spawner, EndsAsItsProgramDoes) {
  EXPECT_EQ(run({"true"}).status, 0);
  EXPECT_EQ(run({"sh", "-c", "exit 7"}).status, 7);
  EXPECT_EQ(run({"sh", "-c", "kill -SEGV $$"}).status, -SIGSEGV);
  EXPECT_EQ(run({"sh", "-c", "echo a; echo b >&2"}).out, "a\n");
  EXPECT_EQ(run({"sh", "-c", "echo a; echo b >&2"}).err, "b\n");
}

TEST(Spawner, SaysExactlyWhyItCannotStart) {
  EXPECT_EQ(run({"duet-no-such"}).problem, "duet-no-such cannot be started: No such file or directory");
  EXPECT_EQ(run({"/etc/passwd"}).problem, "/etc/passwd cannot be started: Permission denied");
  EXPECT_EQ(run(std::vector<std::string>{}).problem, "argv names no program");
  SpawnOrder order;
  order.argv = {"true"};
  order.directory = "/no/such/folder";
  EXPECT_EQ(run(order).problem, "/no/such/folder cannot be its directory: No such file or directory");
  order.directory = "/";
  order.env = {"PATH=/no/such:/"};
  EXPECT_EQ(run(order).problem, "true cannot be started: No such file or directory");
  order.env = {};
  order.cpus = {1000000};
  EXPECT_EQ(run(order).problem, "processors 1000000 cannot be had: Invalid argument");
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // None of those is left to wait for.
}

TEST(Spawner, NoSignalIsIgnoredOrBlockedBecauseItIsSoHere) {
  struct Altered {
    void (*usr1)(int) = std::signal(SIGUSR1, SIG_IGN);
    void (*usr2)(int) = std::signal(SIGUSR2, [](int) {});
    void (*pipe)(int) = std::signal(SIGPIPE, SIG_IGN);
    ~Altered() {
      std::signal(SIGUSR1, usr1);
      std::signal(SIGUSR2, usr2);
      std::signal(SIGPIPE, pipe);
    }
  } const altered;
  const std::string status = run({"cat", "/proc/self/status"}).out;
  EXPECT_THAT(status, HasSubstr("SigIgn:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("SigCgt:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000000\n"));
}

TEST(Spawner, GetsNothingButWhatItIsGiven) {
  setenv("DUET_TEST_SECRET", "x", 1);
  const live::Fd open_file(dup(1));  // Without the flag that closes it.
  SpawnOrder order;
  order.argv = {"sh", "-c", "env; echo; pwd; ls -1 /proc/self/fd; ulimit -c; umask"};
  order.env = {"A=1", "PATH=/usr/bin:/bin"};
  order.directory = "/usr";
  const auto ended = run(order);
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(ended.out, testing::StartsWith("A=1\n"));
  EXPECT_THAT(ended.out, testing::Not(HasSubstr("SECRET")));
  EXPECT_THAT(ended.out, HasSubstr("\n/usr\n0\n1\n2\n3\n"));  // 3 is the folder that ls reads.
  EXPECT_THAT(ended.out, testing::EndsWith("\n0\n0022\n"));
  unsetenv("DUET_TEST_SECRET");
}

TEST(Spawner, StaysWhereItIsPut) {
  const std::uint32_t cpu = last_cpu();
  SpawnOrder order;
  order.cpus = {cpu};
  order.argv = {"sh", "-c",
                "grep Cpus_allowed_list /proc/self/status; taskset -pc 0-63 $$; grep -E "
                "'Cpus_allowed_list|NoNewPrivs|Seccomp:' /proc/self/status"};
  const auto ended = run(order);
  const std::string line = "Cpus_allowed_list:\t" + std::to_string(cpu) + "\n";
  EXPECT_THAT(ended.out, testing::StartsWith(line));
  EXPECT_THAT(ended.err, HasSubstr("Operation not permitted"));
  EXPECT_THAT(ended.out, testing::EndsWith("NoNewPrivs:\t1\nSeccomp:\t2\n" + line));
}

TEST(Spawner, MayNotLeaveItsNamespacesNorTrace) {
  EXPECT_THAT(run({"unshare", "-Ur", "true"}).err, HasSubstr("Operation not permitted"));
  EXPECT_THAT(run({"sh", "-c", "mount -t tmpfs none /mnt"}).status, testing::Ne(0));
  EXPECT_EQ(run({"perl", "-e", "print syscall(101, 16, getppid(), 0, 0) . ' ' . ($!+0)"}).out, "-1 1");
}

TEST(Spawner, CannotReadOrSignalItsSiblings) {
  if (!live::make_domain_rules()) GTEST_SKIP() << "this kernel has no Landlock";
  if (getuid() != 0) GTEST_SKIP() << "needs another user for the tasks, so root";
  live::SpawnerOptions nobody;
  nobody.uid = 65534;
  SpawnOrder order;
  order.argv = {"sleep", "60"};
  order.env = {"SECRET=1"};
  const Started sibling = start_process(order, nobody);
  ASSERT_TRUE(sibling);
  const std::string pid = std::to_string(sibling.pid());
  EXPECT_THAT(run({"cat", "/proc/" + pid + "/environ"}, nobody).err, HasSubstr("Permission denied"));
  const auto kill_it = run({"sh", "-c", "id -u; kill -9 " + pid}, nobody);
  EXPECT_EQ(kill_it.out, "65534\n");
  EXPECT_THAT(kill_it.err, HasSubstr("Operation not permitted"));
  EXPECT_EQ(kill(static_cast<pid_t>(sibling.pid()), 0), 0);
}

TEST(Spawner, ProcessesDieWithIt) {
  SpawnOrder order;
  order.argv = {"sleep", "60"};
  std::optional<Started> started = start_process(order);
  ASSERT_TRUE(*started);
  const live::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, started->pid(), 0)));
  started.reset();
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED), 0);
  EXPECT_EQ(info.si_status, SIGKILL);
}

}  // namespace
}  // namespace duet::test
