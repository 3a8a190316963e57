// Where a command's data goes: standard output, or a file that appears whole.
#pragma once

#include <functional>
#include <string>

#include "core/codec/atomic_file.h"
#include "core/result.h"

namespace duet::front {

/// What is wrong, if anything.
using Failure = Problems;

/// Calls `fill` with a sink for the file `path`, or for standard output if that is empty or "-". Says what
/// went wrong, which `fill` may also return, and gives the exit code.
int write_to(const std::string& path, const std::function<Failure(codec::TextSink&)>& fill);

/// Says what is wrong with what the user gave us. Returns the exit code for it.
int refuse(const Problems& problems);

}  // namespace duet::front
