// duet replay: proving a run.
//
// A trace can be forged: its hashes right, its events such as no driver delivers. The core takes what follows
// from them for a bug of its own and ends the process. So the replay has a process that may end.
#include <atomic>
#include <cerrno>
#include <new>
#include <system_error>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/codec/replay.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"

namespace duet::front {
namespace {

using sim::Cell;
using Step = std::atomic<std::uint64_t>;

int replay_here(const ReplayCommand& command, codec::TraceReader& reader, Step& step) {
  const auto report = codec::replay(reader, &step);
  if (!report) return refuse(report.problems());
  sim::Table table{{"trace", "same", "controller_steps", "agent_steps", "digest", "step", "what"}, {}};
  const auto& divergence = report->divergence;
  table.rows.push_back({command.trace, Cell::flag(!divergence), report->controller_steps, report->agent_steps,
                        report->summary ? Cell("sha256:" + report->summary->digest) : Cell(),
                        divergence ? Cell(divergence->step) : Cell(),
                        divergence ? Cell(divergence->what) : Cell()});
  const std::string text =
      command.format == Format::kTable ? codec::to_text(*report) : to_text(table, command.format);
  return sim::print(text) ? report->exit_status() : sim::kExitUsage;
}

int no_process() {
  return refuse(
      {{"", "no process can be made for the replay: " + std::generic_category().message(errno), ""}});
}

}  // namespace

int run(const ReplayCommand& command) {
  auto reader = codec::TraceReader::open(command.trace);
  if (!reader) return refuse(reader.problems());
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
    return replay_here(command, *reader, step);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return no_process();
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return refuse({{command.trace,
                  "step " + std::to_string(step.load()) +
                      " feeds the core something that no driver does, and breaks it",
                  "a trace as a run wrote it; if this is one, Duet has a bug"}});
}

}  // namespace duet::front
