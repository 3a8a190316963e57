// What came of a live controller's last life, out of its recording.
#pragma once

#include <string>

namespace duet::front {

/// The folder of segments that `folder` is or holds; empty if it is no live controller's.
std::string recording_in(const std::string& folder);

/// Writes into `out`, which is made if it is not there, what `duet sim --out` writes of a run, but the
/// trace: jobs that were submitted in that life, and what the controller heard of them. Instants count from
/// its first step. Returns the exit code, and has said what is wrong.
int write_live_results(const std::string& recording, const std::string& out);

}  // namespace duet::front
