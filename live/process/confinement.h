// What a task may not do whatever its user may: a filter on system calls, and a domain of its own (Landlock).
#pragma once

#include <string>

#include "core/result.h"
#include "live/process/fd.h"

namespace duet::live {

/// Forbids the calling thread, and all that it starts from now on, for good: to change its processors or its
/// scheduling, to leave its namespaces or make new ones, to mount, to look into other processes, to load code
/// into the kernel or to change the clock. Such a call fails with EPERM; clone3 and io_uring, whose arguments
/// a filter cannot see, with ENOSYS, and libraries do without. Programs of another architecture (of 32 bits,
/// say) are killed. Sets no_new_privs.
Result<bool> install_call_filter();

/// A Landlock ruleset for landlock_restrict_self(): every task that restricts itself with it is in a domain
/// of its own, cannot trace or read the processes of others and, from ABI 6 on, cannot signal them. Files are
/// not restricted. Empty where the kernel has no Landlock.
Fd make_domain_rules();

/// What make_domain_rules() gives here: "tasks are kept from each other", ...
std::string domain_words();

}  // namespace duet::live
