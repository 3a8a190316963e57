// Why a run stalled, in words: what the jobs that are left wait for, and will never get.
#pragma once

#include <string>

#include "core/controller.h"

namespace duet::sim {

/// Of a run in which nothing can happen any more: the launches and kills that nodes do not answer, else what
/// keeps the task that could go first from running. One line; empty if nothing waits.
std::string why_stalled(const Controller& controller);

}  // namespace duet::sim
