// What the API's answers look like.
#pragma once

#include "live/http/schema.h"

namespace duet::live {

/// Adds "Job", "Task", "Node", "Service" and what else is answered, and the small bodies that are not jobs.
void add_reply_schemas(http::Schemas& schemas);

}  // namespace duet::live
