// Programs that were started by another of ours do not outlive it.
#pragma once

#include <csignal>

#include <sys/prctl.h>
#include <unistd.h>

namespace duet::live {

/// SIGTERM when the parent ends, however it ends. To be called first thing, from the main thread.
inline void end_with_parent() {
  const pid_t parent = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent || parent == 1) ::raise(SIGTERM);  // It had ended before.
}

}  // namespace duet::live
