// The first moments of a task's process: between clone and exec, in the memory of its parent.
#pragma once

#include <cstdint>
#include <vector>

#include <sys/types.h>

#include "core/result.h"
#include "live/process/fd.h"

namespace duet::live {

/// All that the child needs, prepared by its parent: it shares the parent's memory and may neither allocate
/// nor lock.
struct ChildPlan {
  std::vector<const char*> programs;  ///< Full paths to try, in this order.
  std::vector<char*> argv;            ///< Ends with null, as the next one.
  std::vector<char*> env;
  const char* directory = nullptr;
  bool enter_first = false;  ///< The directory, before the change of user: it may lie where only we may go.
  std::vector<int> groups;   ///< Open cgroup.procs files, to be joined.
  int in = -1;               ///< Standard input, output, error: none of them below 3.
  int out = -1;
  int err = -1;
  int domain = -1;           ///< A Landlock ruleset; -1: none.
  bool change_user = false;  ///< To the next two, without further groups.
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t open_files = 1024;
  std::uint64_t open_files_most = 65536;
  pid_t parent = 0;
  std::uint64_t altered_signals =
      0;  ///< What altered_signals() found: to be as at the start of a program again.

  enum class Step : std::uint8_t { kNone, kGroup, kStdio, kUser, kDirectory, kConfine, kParent, kExec };
  // What the child tells: written by it before it ends without having become the program.
  Step failed = Step::kNone;
  int error = 0;
};

/// A stack for children, one at a time, with a page below it that nobody may touch.
class ChildStack {
 public:
  ChildStack();
  ~ChildStack();
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;
  /// Null if there was no memory.
  void* top() const;

 private:
  void* base_ = nullptr;
};

/// Bit N - 1: signal N has a handler here or is ignored.
std::uint64_t altered_signals();

/// Starts the child and returns when it has become the program, or has ended and said why in `plan`. All
/// signals must be blocked. Returns its pid, or minus the error; `pidfd` is open in the first case. Not fork:
/// no page table is copied, so it costs the same from a parent of any size.
pid_t start_child(ChildPlan& plan, const ChildStack& stack, Fd& pidfd);

}  // namespace duet::live
