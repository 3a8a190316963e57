// Whether a job could run at all on the nodes that a cluster has.
#pragma once

#include <string>

#include "core/controller.h"

namespace duet::live {

/// Empty if some node, were it empty, could hold each of its tasks; else why not, in words for people. It is
/// accepted all the same: a larger node may come.
std::string too_large(const Controller& machine, const JobSpec& spec);

}  // namespace duet::live
