// Completion scripts, made from a command line's own description.
#pragma once

#include <string>
#include <vector>

#include "tools/duet/cli.h"

namespace duet::front {

/// bash, zsh, fish, powershell.
const std::vector<std::string>& completion_shells();

/// The script that completes `program`, whose commands `tree` describes, parents first. Empty: there is none
/// for that shell.
std::string completion_script(const std::string& program, const std::vector<CommandSpec>& tree,
                              const std::string& shell);

}  // namespace duet::front
