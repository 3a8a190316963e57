#include "live/process/spawn_child.h"

#include <cerrno>
#include <csignal>
#include <cstddef>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__clang__)
#define DUET_CHILD __attribute__((disable_sanitizer_instrumentation, no_sanitize("all"), noinline))
#else
#define DUET_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#endif

namespace duet::live {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr std::size_t kGuardBytes = 4096;

/// What the kernel takes for a disposition, which is not what the C library calls struct sigaction.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  unsigned long mask;
};

/// Only system calls from here on. They set errno, which lies in the memory of the parent's thread; that
/// waits.
[[noreturn]] DUET_CHILD void give_up(ChildPlan& plan, ChildPlan::Step step) {
  plan.error = errno;
  plan.failed = step;
  for (;;) syscall(SYS_exit_group, 127);
}

/// So that no handler of the parent's runs in the child, and nothing is ignored by the program.
DUET_CHILD void reset_signals(std::uint64_t altered) {
  KernelAction standard;
  standard.handler = SIG_DFL;
  standard.flags = 0;
  standard.restorer = nullptr;
  standard.mask = 0;
  for (int signal = 1; signal <= 64; ++signal)
    if ((altered >> (signal - 1) & 1) != 0)
      syscall(SYS_rt_sigaction, signal, &standard, nullptr, sizeof standard.mask);
}

/// The host's memory shortage is to end tasks, not what watches them. A wish: no error if it cannot be.
DUET_CHILD void offer_itself_first() {
  const long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  syscall(SYS_write, fd, "500", 3);
  syscall(SYS_close, fd);
}

DUET_CHILD void limit(int what, std::uint64_t soft, std::uint64_t hard) {
  struct {
    std::uint64_t soft;
    std::uint64_t hard;
  } now, wanted;
  if (syscall(SYS_prlimit64, 0, what, nullptr, &now) != 0) return;
  wanted.hard = now.hard < hard ? now.hard : hard;
  wanted.soft = soft < wanted.hard ? soft : wanted.hard;
  syscall(SYS_prlimit64, 0, what, &wanted, nullptr);
}

DUET_CHILD int child_main(void* argument) {
  using Step = ChildPlan::Step;
  ChildPlan& plan = *static_cast<ChildPlan*>(argument);
  reset_signals(plan.altered_signals);
  syscall(SYS_setsid);
  offer_itself_first();
  const int* groups = plan.groups.data();
  for (std::size_t i = 0, n = plan.groups.size(); i < n; ++i)
    if (syscall(SYS_write, groups[i], "0", 1) != 1) give_up(plan, Step::kGroup);
  if (syscall(SYS_dup3, plan.in, 0, 0) < 0 || syscall(SYS_dup3, plan.out, 1, 0) < 0 ||
      syscall(SYS_dup3, plan.err, 2, 0) < 0)
    give_up(plan, Step::kStdio);
  limit(RLIMIT_NOFILE, plan.open_files, plan.open_files_most);
  limit(RLIMIT_CORE, 0, 0);
  syscall(SYS_umask, 022);
  if (plan.enter_first && syscall(SYS_chdir, plan.directory) != 0) give_up(plan, Step::kDirectory);
  // The C library's own calls would change the user of every thread of the parent.
  if (plan.change_user &&
      (syscall(SYS_setgroups, 0, nullptr) != 0 || syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) != 0 ||
       syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) != 0))
    give_up(plan, Step::kUser);
  // After the change of user, which would undo it; and a parent that died before does not come back.
  if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || syscall(SYS_getppid) != plan.parent)
    give_up(plan, Step::kParent);
  if (plan.domain >= 0 && syscall(SYS_landlock_restrict_self, plan.domain, 0) != 0)
    give_up(plan, Step::kConfine);
  syscall(SYS_close_range, 3U, ~0U, 0U);
  if (!plan.enter_first && syscall(SYS_chdir, plan.directory) != 0) give_up(plan, Step::kDirectory);
  const unsigned long none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  // As execvp() has it: what is not there is looked for further on; what may not be executed is said in the
  // end only if nothing was found.
  int kept = ENOENT;
  const char* const* programs = plan.programs.data();
  for (std::size_t i = 0, n = plan.programs.size(); i < n; ++i) {
    syscall(SYS_execve, programs[i], plan.argv.data(), plan.env.data());
    if (errno == EACCES) {
      kept = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      kept = errno;
      break;
    }
  }
  errno = kept;
  give_up(plan, Step::kExec);
}

/// The system call. Returns the child's pid, or minus the error.
DUET_CHILD long raw_clone(unsigned long flags, void* stack, ChildPlan& plan, int& pidfd) {
#if defined(__x86_64__)
  // Not the C library's function: ThreadSanitizer takes that one for fork(), and stops watching. The child
  // finds its function and the argument on its stack.
  void** top = static_cast<void**>(stack) - 2;
  top[0] = &plan;
  top[1] = reinterpret_cast<void*>(&child_main);
  long result = SYS_clone;
  register long tid asm("r10") = 0;
  register long tls asm("r8") = 0;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "pop %%rdi\n\t"
      "pop %%rax\n\t"
      "call *%%rax\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(flags), "S"(top), "d"(&pidfd), "r"(tid), "r"(tls)
      : "rcx", "r11", "memory", "cc");
  return result;
#else
  const int pid = clone(child_main, stack, static_cast<int>(flags), &plan, &pidfd);
  return pid < 0 ? -errno : pid;
#endif
}

}  // namespace

ChildStack::ChildStack() {
  void* const base = mmap(nullptr, kStackBytes + kGuardBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (base == MAP_FAILED) return;
  base_ = base;
  mprotect(base_, kGuardBytes, PROT_NONE);
}

ChildStack::~ChildStack() {
  if (base_ != nullptr) munmap(base_, kStackBytes + kGuardBytes);
}

void* ChildStack::top() const {
  return base_ == nullptr ? nullptr : static_cast<char*>(base_) + kStackBytes + kGuardBytes;
}

std::uint64_t altered_signals() {
  std::uint64_t altered = 0;
  for (int signal = 1; signal <= 64; ++signal) {
    KernelAction action{};
    if (syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof action.mask) == 0 &&
        action.handler != SIG_DFL)
      altered |= std::uint64_t{1} << (signal - 1);
  }
  return altered;
}

pid_t start_child(ChildPlan& plan, const ChildStack& stack, Fd& pidfd) {
  if (stack.top() == nullptr) return -ENOMEM;
  int fd = -1;
  // clone() rather than clone3(): the filter on this thread, which the child is to inherit, cannot look into
  // the arguments of the latter and refuses it. CLONE_CLEAR_SIGHAND, which only that has, is reset_signals().
  const long pid = raw_clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, stack.top(), plan, fd);
  if (pid < 0) return static_cast<pid_t>(pid);
  pidfd = Fd(fd);
  return static_cast<pid_t>(pid);
}

}  // namespace duet::live
