// The other programs of Duet, which live beside this one: bin/duet, libexec/duet-sim.
#pragma once

#include <string>
#include <vector>

namespace duet::front {

/// The path of this very program.
std::string own_path();

/// The path of a program of libexec/; empty if it was not built.
std::string helper_path(const std::string& name);

/// Becomes that program. Returns only if it cannot be started, with the system's reason.
std::string become(const std::string& path, const std::vector<std::string>& arguments);

}  // namespace duet::front
