// Handing a job to a live cluster, and waiting for it if that is wanted.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sim/table.h"
#include "tools/duet/live_client.h"

namespace duet::front {

/// `body` as /api/v1/jobs takes it. The exit code; with `wait`, that of the job. `accepted` (may be null)
/// becomes the job's id.
int submit_job(LiveClient& client, const nlohmann::json& body, const std::string& key, bool wait,
               sim::Format format, std::string* accepted = nullptr);

}  // namespace duet::front
