// How fast the spawner starts processes where they are to stay: N times EXE, K at once, on the processors of
// this machine in turn. Each is looked at when it has begun: it must be where it was put, and nowhere else.
//   pinned_rate EXE N K
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/process/spawner.h"

namespace {

using namespace duet;
using Clock = std::chrono::steady_clock;

/// The processors that this program may use.
std::vector<std::uint32_t> processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::uint32_t> all;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return all;
  for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) all.push_back(cpu);
  return all;
}

class Loop {
 public:
  Loop(std::string exe, std::uint64_t all, std::uint64_t at_once)
      : exe_(std::move(exe)), all_(all), at_once_(at_once) {}

  void run() {
    while (begun_ < all_ && begun_ < at_once_) start();
    io_.run();
  }
  std::uint64_t ended() const { return ended_; }
  std::uint64_t strayed() const { return strayed_; }

 private:
  struct Child {
    explicit Child(live::asio::io_context& io) : pidfd(io) {}
    live::asio::posix::stream_descriptor pidfd;
    std::shared_ptr<live::Spawned> spawned;
  };

  void start() {
    const std::uint32_t cpu = cpus_[begun_++ % cpus_.size()];
    live::SpawnOrder order;
    order.argv = {exe_};
    order.directory = "/";
    order.cpus = {cpu};
    spawner_.spawn(std::move(order), [this, cpu](Result<std::shared_ptr<live::Spawned>> spawned) {
      if (!spawned) {
        std::fprintf(stderr, "%s\n", spawned.problems().front().what.c_str());
        std::exit(1);
      }
      watch(cpu, *spawned);
    });
  }
  void watch(std::uint32_t cpu, std::shared_ptr<live::Spawned> spawned) {
    cpu_set_t set;
    CPU_ZERO(&set);
    // It has not been waited for, so its pid is its own.
    if (sched_getaffinity(static_cast<pid_t>(spawned->pid), sizeof set, &set) != 0 || CPU_COUNT(&set) != 1 ||
        !CPU_ISSET(cpu, &set))
      ++strayed_;
    const auto child = std::make_shared<Child>(io_);
    child->pidfd.assign(spawned->pidfd.release());
    child->spawned = std::move(spawned);
    child->pidfd.async_wait(live::asio::posix::stream_descriptor::wait_read,
                            [this, child](const boost::system::error_code&) { end(*child); });
  }
  void end(Child& child) {
    siginfo_t info{};
    if (syscall(SYS_waitid, P_PIDFD, child.pidfd.native_handle(), &info, WEXITED, nullptr) != 0 ||
        info.si_status != 0)
      std::exit(1);
    ::close(child.pidfd.release());
    ++ended_;
    if (begun_ < all_)
      start();
    else if (ended_ == all_)
      io_.stop();
  }

  const std::string exe_;
  const std::uint64_t all_, at_once_;
  const std::vector<std::uint32_t> cpus_ = processors();
  std::uint64_t begun_ = 0, ended_ = 0, strayed_ = 0;
  live::asio::io_context io_{1};
  const live::asio::executor_work_guard<live::asio::io_context::executor_type> busy_{io_.get_executor()};
  live::Spawner spawner_{io_, {}};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "pinned_rate EXE N K\n");
    return 2;
  }
  Loop loop(argv[1], std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
  const auto begin = Clock::now();
  loop.run();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("pinned    exe=%s N=%s K=%s: %.0f/s, %llu off their processor\n", argv[1], argv[2], argv[3],
              static_cast<double>(loop.ended()) / seconds, static_cast<unsigned long long>(loop.strayed()));
  return loop.strayed() == 0 ? 0 : 1;
}
