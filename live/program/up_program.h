// duet-up: a controller and some agents on this machine, started together, watched, and ended together.
#pragma once

namespace duet::live {

/// Runs until SIGINT or SIGTERM, or with --detach until all is up. Returns the exit code: 0; 1 if it could
/// not start; 2 if its arguments are mistaken.
int up_main(int argc, const char* const* argv);

/// Ends what duet-up started in that folder, and waits for it. 0; 1 if nothing runs there.
int down_main(int argc, const char* const* argv);

}  // namespace duet::live
