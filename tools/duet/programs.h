// The other programs of Duet, which live beside this one: bin/duet, libexec/duet-sim.
#pragma once

#include <string>
#include <vector>

namespace duet::front {

/// The path of this very program.
std::string own_path();

/// The path of a program of libexec/; empty if it was not built.
std::string helper_path(const std::string& name);

/// The program that has this engine: this very one, or that of libexec/; empty if it was not built.
std::string engine_program(const std::string& engine);

/// Says that this build has no SimGrid. Returns the exit code for it.
int refuse_engine(const std::string& command);

/// Becomes that program. Returns only if it cannot be started, with the system's reason.
std::string become(const std::string& path, const std::vector<std::string>& arguments);

}  // namespace duet::front
