// duet-up down: ends what another one started.
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

// glibc 2.36 declares these for C only.
extern "C" {
#include <sys/pidfd.h>
}

#include "live/program/arguments.h"
#include "live/program/folder.h"
#include "live/program/note.h"
#include "live/program/up_program.h"

namespace duet::live {
namespace {

/// For what is left of the tasks of a cluster that has ended.
constexpr auto kRunnersEndWithin = std::chrono::seconds(15);

/// A node's runner holds a lock for as long as anything of its tasks is left. The folder of one that does not
/// go within a while; empty: all have gone.
std::string runner_left(const std::string& data) {
  const auto until = std::chrono::steady_clock::now() + kRunnersEndWithin;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(data, error)) {
    const std::string lock = entry.path().string() + "/runner.lock";
    const int fd = ::open(lock.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) continue;
    bool gone = false;
    while (!(gone = ::flock(fd, LOCK_EX | LOCK_NB) == 0) && std::chrono::steady_clock::now() < until)
      ::poll(nullptr, 0, 10);
    ::close(fd);
    if (!gone) return entry.path().string();
  }
  return {};
}

}  // namespace

int down_main(int argc, const char* const* argv) {
  if (!set_up_log("down")) return 2;
  Arguments arguments(argc, argv);
  const std::string data = arguments.text("data", "duet-data");
  if (const Problems problems = arguments.finish(); !problems.empty()) {
    log::write(log::Level::kError, "duet down", problems);
    return 2;
  }
  const auto note = note_in(data + "/up.json");
  const std::int64_t pid = note.is_object() ? note.value("pid", std::int64_t{0}) : 0;
  const int fd = pid > 0 ? pidfd_open(static_cast<pid_t>(pid), 0) : -1;
  // Whoever holds the folder's lock is it; a note that was left behind names a stranger.
  if (fd < 0 || hold_folder(data, "up")) {
    std::fprintf(stderr, "nothing runs in %s (duet up started there?)\n", data.c_str());
    if (fd >= 0) ::close(fd);
    return 1;
  }
  pidfd_send_signal(fd, SIGTERM, nullptr, 0);
  pollfd gone{fd, POLLIN, 0};
  const int ended = ::poll(&gone, 1, 30'000);
  ::close(fd);
  if (ended != 1) {
    std::fprintf(stderr, "process %lld does not end\n", static_cast<long long>(pid));
    return 1;
  }
  if (const std::string left = runner_left(data); !left.empty()) {
    std::fprintf(stderr, "stopped, but the runner in %s still ends tasks: see runner.log there\n",
                 left.c_str());
    return 1;
  }
  std::printf("Stopped.\n");
  return 0;
}

}  // namespace duet::live
