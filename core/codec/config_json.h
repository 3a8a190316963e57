// Configurations as JSON: how a trace header carries what a replay starts from.
#pragma once

#include <string>
#include <string_view>

#include "core/config.h"
#include "core/result.h"

namespace duet::codec {

/// Compact JSON. Durations are integer nanoseconds with the suffix _ns, a policy is
/// {"name":...,"parameters":{...}}.
std::string to_json(const Params& params);
std::string to_json(const ControllerConfig& config);
std::string to_json(const AgentConfig& config);

/// The inverse. Every member must be there and none besides; `where` of a Problem is a JSON pointer.
Result<Params> params_from_json(std::string_view text);
Result<ControllerConfig> controller_config_from_json(std::string_view text);
Result<AgentConfig> agent_config_from_json(std::string_view text);

}  // namespace duet::codec
