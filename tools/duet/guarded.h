// Work on a trace that may be forged: its hashes right, its events such as no driver delivers. The core takes
// what follows from them for a bug of its own and ends the process. So the work has a process that may end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace duet::front {

/// Does `work` in a child process and returns its exit code. If the child dies, says which step of `trace`,
/// as `work` kept it in its argument, broke the core, and returns the code of a usage error.
int guarded(const std::string& trace, const std::function<int(std::atomic<std::uint64_t>& step)>& work);

}  // namespace duet::front
