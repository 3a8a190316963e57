// The health check of Duet's own workers.
#pragma once

#include "core/model.h"
#include "live/runtime/task_command.h"

namespace duet::live {

/// GET /health on its first port, every second: a new worker gets operations a second after its start, and
/// one that answers no more is told to end within ten seconds. An answer may take two seconds, so that a
/// busy machine is not taken for a sick worker.
void check_own_worker(Work& work, TaskCommand& command);

}  // namespace duet::live
