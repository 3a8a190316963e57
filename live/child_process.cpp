#include "live/child_process.h"

#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36 declares these for C only.
extern "C" {
#include <sys/pidfd.h>
}

#include "core/check.h"

extern char** environ;

namespace duet::live {
namespace {

/// Attributes of every child: a session of its own, no inherited signal state.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    DUET_CHECK(posix_spawnattr_init(&attributes_) == 0);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

/// Standard input is empty; the others are `output`, if there is one.
class SpawnFiles {
 public:
  explicit SpawnFiles(int output) {
    DUET_CHECK(posix_spawn_file_actions_init(&actions_) == 0);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (output < 0) return;
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
  }
  ~SpawnFiles() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(asio::io_context& io,
                                                          const std::vector<std::string>& argv,
                                                          OnExit on_exit, int output) {
  if (argv.empty()) return Problem{"argv", "is empty", "a program and its arguments"};
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const SpawnAttributes attributes;
  const SpawnFiles files(output);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, arguments[0], files.get(), attributes.get(), arguments.data(), environ);
  if (error != 0) return Problem{argv[0], std::string("cannot be started: ") + std::strerror(error), {}};
  const int pidfd = pidfd_open(pid, 0);
  if (pidfd < 0) {
    const int why = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return Problem{argv[0], std::string("cannot be watched: ") + std::strerror(why), {}};
  }
  std::unique_ptr<ChildProcess> child(new ChildProcess(io, pid, pidfd, std::move(on_exit)));
  child->watch();
  return child;
}

ChildProcess::ChildProcess(asio::io_context& io, std::int64_t pid, int pidfd, OnExit on_exit)
    : pid_(pid), pidfd_(io, pidfd), on_exit_(std::move(on_exit)) {}

ChildProcess::~ChildProcess() {
  *alive_ = false;
  if (running_) terminate(true);
  // release() takes the descriptor out of epoll before it is closed: a child that is just starting may still
  // hold a copy, and closing alone would leave the registration behind.
  const int fd = pidfd_.release();
  if (running_) {
    fcntl(fd, F_SETFL, 0);  // Asio made it non-blocking, and then waitid() does not wait either.
    siginfo_t info{};
    while (waitid(P_PIDFD, static_cast<id_t>(fd), &info, WEXITED) != 0 && errno == EINTR) continue;
  }
  ::close(fd);
}

void ChildProcess::terminate(bool force) {
  if (running_) pidfd_send_signal(pidfd_.native_handle(), force ? SIGKILL : SIGTERM, nullptr, 0);
}

void ChildProcess::watch() {
  pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [this, alive = alive_](const boost::system::error_code& error) {
                      if (*alive && !error) reap();
                    });
}

void ChildProcess::reap() {
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &info, WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    watch();  // Not yet.
    return;
  }
  running_ = false;
  on_exit_(info.si_code == CLD_EXITED ? info.si_status : -info.si_status);
}

}  // namespace duet::live
