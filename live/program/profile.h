// Times that go together: how quickly a silent node is noticed, how often things are said again.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace duet::live {

/// "fast": one machine or one rack; "s0", "s3": the times of these systems.
const std::vector<std::string>& profile_names();

/// Sets heartbeats, detector and repetitions; leaves everything else. `name` must be one of profile_names().
void apply_profile(const std::string& name, ControllerConfig& config);
void apply_profile(const std::string& name, AgentConfig& config);
/// Within which an agent says something, if it lives.
Duration silence_of(const std::string& name);

}  // namespace duet::live
