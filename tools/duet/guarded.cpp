#include "tools/duet/guarded.h"

#include <cerrno>
#include <new>
#include <system_error>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/duet/output_file.h"

namespace duet::front {
namespace {

using Step = std::atomic<std::uint64_t>;

int no_process() {
  return refuse(
      {{"", "no process can be made for the replay: " + std::generic_category().message(errno), ""}});
}

}  // namespace

int guarded(const std::string& trace, const std::function<int(std::atomic<std::uint64_t>& step)>& work) {
  static_assert(Step::is_always_lock_free);
  void* shared = ::mmap(nullptr, sizeof(Step), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return no_process();
  Step& step = *new (shared) Step(0);
  const pid_t child = ::fork();
  if (child < 0) return no_process();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_core_file{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core_file);
    ::_exit(work(step));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return no_process();
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const int signal = WTERMSIG(status);
  if (signal != SIGSEGV && signal != SIGABRT && signal != SIGBUS && signal != SIGFPE && signal != SIGILL)
    return refuse({{trace, "the replay was ended by signal " + std::to_string(signal), ""}});
  return refuse({{trace,
                  "step " + std::to_string(step.load()) +
                      " feeds the core something that no driver does, and breaks it",
                  "a trace as a run wrote it; if this is one, Duet has a bug"}});
}

}  // namespace duet::front
