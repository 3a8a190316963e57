// The names of older systems' programs, by which this one can be started, too: controller, agent, workload,
// master, worker, gateway, cube. A link of that name to `duet` is such a program, with that system's
// defaults.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace duet::front {

struct ProgramName {
  std::string_view name;
  std::string_view summary;
  int (*main)(const std::vector<std::string>& words);  ///< Words after the name; returns the exit code.
};

/// All that this build has. What an older system calls `orchestrator` gets a line here when there is such
/// a thing.
std::span<const ProgramName> program_names();

/// The exit code, if `argv0` ends in one of these names; nothing: this is `duet`.
std::optional<int> run_by_name(const std::string& argv0, const std::vector<std::string>& words);

/// cube's command line.
int cube_main(const std::vector<std::string>& words);

}  // namespace duet::front
