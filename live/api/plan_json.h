// What a submission would lead to, as JSON.
#pragma once

#include <string>

#include "core/controller.h"

namespace duet::live {

/// Submits the job to this controller, lets it schedule, and tells what came of it: "Plan" of the API.
/// `now` must not be before its last step. The controller must be a copy: it has the job from then on.
std::string plan_json(Controller& copy, const JobSpecPtr& spec, Instant now);

/// The same for what is refused before the controller is asked.
std::string refused_plan_json(const std::string& why);

}  // namespace duet::live
