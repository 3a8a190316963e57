// The commands of cube, each with the flags that cube_command.cpp lists for it. They return the exit code.
#pragma once

#include <string>

#include "tools/duet/flag_set.h"

namespace duet::front {

// cube_client.cpp: asking a manager.
int cube_run(const FlagSet& flags);
int cube_stop(const FlagSet& flags);
int cube_status(const FlagSet& flags);
int cube_node(const FlagSet& flags);
// cube_programs.cpp: becoming a program.
int cube_manager(const FlagSet& flags);
int cube_worker(const FlagSet& flags);

/// Says what went wrong, or what was mistaken; the exit code for it.
int cube_fail(const std::string& what);
int cube_misuse(const std::string& command, const std::string& what);

}  // namespace duet::front
