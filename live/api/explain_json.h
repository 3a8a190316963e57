// Why a task of a live job is where it is or waits, as JSON: the core's own account.
#pragma once

#include <string>

#include "core/controller.h"

namespace duet::live {

/// One object: the standing of the task, what holds it back, and every node (or worker) as a place for it.
std::string explain_json(const Controller& machine, TaskId task, Instant now);

}  // namespace duet::live
