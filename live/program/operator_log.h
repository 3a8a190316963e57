// What of a cluster's events is logged: nodes that change, and pools that are scaled. Jobs and tasks are too
// many; `duet events` shows those.
#pragma once

#include "live/driver/event_log.h"

namespace duet::live {

/// From now on, as long as `events` lasts.
void log_for_operators(EventLog& events);

}  // namespace duet::live
