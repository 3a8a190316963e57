// duet-agent: one node's agent: its runtime below, the controller above.
#pragma once

namespace duet::live {

/// Runs until SIGINT or SIGTERM. Returns the exit code: 0; 1 if it could not start; 2 if its
/// arguments are mistaken.
int agent_main(int argc, const char* const* argv);

}  // namespace duet::live
