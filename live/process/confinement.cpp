#include "live/process/confinement.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace duet::live {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name this architecture in live/process/confinement.cpp"
#endif

constexpr long kForbidden[] = {
    // Its processors and its scheduling are the plan's.
    SYS_sched_setaffinity,
    SYS_sched_setscheduler,
    SYS_sched_setparam,
    SYS_sched_setattr,
    SYS_migrate_pages,
    SYS_move_pages,
    // Namespaces and mounts.
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_open_by_handle_at,
    // Other processes.
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_process_mrelease,
    SYS_kcmp,
    SYS_pidfd_getfd,
    // The kernel.
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_syslog,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_vhangup,
    // The clock.
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
};
constexpr long kUnseen[] = {SYS_clone3, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register};

constexpr std::uint32_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr std::uint32_t offset_of_number = offsetof(seccomp_data, nr);
constexpr std::uint32_t offset_of_architecture = offsetof(seccomp_data, arch);
/// The low half, on machines of little endian.
constexpr std::uint32_t offset_of_first_argument = offsetof(seccomp_data, args);

sock_filter statement(int code, std::uint32_t k) { return {static_cast<std::uint16_t>(code), 0, 0, k}; }
sock_filter jump(int code, std::uint32_t k, std::size_t yes, std::size_t no) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(yes), static_cast<std::uint8_t>(no), k};
}
constexpr int kEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr int kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr int kReturn = BPF_RET | BPF_K;

/// Jumps count the instructions that they pass over; the list of calls is short enough for eight bits.
std::vector<sock_filter> filter_program() {
  std::vector<sock_filter> code;
  code.push_back(statement(kLoad, offset_of_architecture));
  code.push_back(jump(kEqual, kArchitecture, 1, 0));
  code.push_back(statement(kReturn, SECCOMP_RET_KILL_PROCESS));
  code.push_back(statement(kLoad, offset_of_number));
#if defined(__x86_64__)
  code.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));  // the x32 numbering
  code.push_back(statement(kReturn, SECCOMP_RET_KILL_PROCESS));
#endif
  code.push_back(jump(kEqual, SYS_clone, 0, 4));
  code.push_back(statement(kLoad, offset_of_first_argument));
  code.push_back(jump(BPF_JMP | BPF_JSET | BPF_K, kNewNamespaces, 0, 1));
  code.push_back(statement(kReturn, SECCOMP_RET_ERRNO | EPERM));
  code.push_back(statement(kReturn, SECCOMP_RET_ALLOW));
  const std::size_t forbidden = std::size(kForbidden);
  const std::size_t unseen = std::size(kUnseen);
  static_assert(std::size(kForbidden) + std::size(kUnseen) + 2 < 256);
  // Behind both lists: allow, EPERM, ENOSYS.
  for (std::size_t i = 0; i < forbidden; ++i)
    code.push_back(
        jump(kEqual, static_cast<std::uint32_t>(kForbidden[i]), (forbidden - i - 1) + unseen + 1, 0));
  for (std::size_t i = 0; i < unseen; ++i)
    code.push_back(jump(kEqual, static_cast<std::uint32_t>(kUnseen[i]), (unseen - i - 1) + 2, 0));
  code.push_back(statement(kReturn, SECCOMP_RET_ALLOW));
  code.push_back(statement(kReturn, SECCOMP_RET_ERRNO | EPERM));
  code.push_back(statement(kReturn, SECCOMP_RET_ERRNO | ENOSYS));
  return code;
}

/// As landlock_create_ruleset() takes it from ABI 6 on; earlier kernels take it if what they do not know is
/// 0.
struct DomainRules {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};
constexpr std::uint64_t kScopeSignals =
    2;  // LANDLOCK_SCOPE_SIGNAL, which Debian 12's headers do not have yet

long landlock_abi() {
  return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

}  // namespace

Result<bool> install_call_filter() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return Problem{"no_new_privs", std::string("cannot be set: ") + std::strerror(errno), ""};
  std::vector<sock_filter> code = filter_program();
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
    return Problem{"seccomp", std::string("cannot be set: ") + std::strerror(errno), ""};
  return true;
}

Fd make_domain_rules() {
  const long abi = landlock_abi();
  DomainRules rules;
  if (abi >= 6) {
    rules.scoped = kScopeSignals;
  } else if (abi >= 2) {
    // A domain has to restrict something. Moving files between folders is allowed again right below.
    rules.files = LANDLOCK_ACCESS_FS_REFER;
  } else {
    return {};
  }
  Fd fd(static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0)));
  if (!fd || rules.files == 0) return fd;
  const Fd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  landlock_path_beneath_attr everywhere{};
  everywhere.allowed_access = rules.files;
  everywhere.parent_fd = root.get();
  if (syscall(SYS_landlock_add_rule, fd.get(), LANDLOCK_RULE_PATH_BENEATH, &everywhere, 0) != 0) return {};
  return fd;
}

std::string domain_words() {
  const long abi = landlock_abi();
  if (abi >= 6) return "tasks cannot read or signal each other (Landlock)";
  if (abi >= 2) return "tasks cannot read each other (Landlock)";
  return "tasks of one user can read and signal each other (no Landlock)";
}

}  // namespace duet::live
