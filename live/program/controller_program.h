// duet-controller: store, recorder, agents and HTTP around one controller.
#pragma once

namespace duet::live {

/// Runs until SIGINT or SIGTERM. Returns the exit code: 0; 1 if it could not start or the disk failed; 2 if
/// its arguments are mistaken.
int controller_main(int argc, const char* const* argv);

}  // namespace duet::live
