// An instant of a run, as an option gives it.
#pragma once

#include <string>

#include "core/result.h"
#include "core/time.h"

namespace duet::front {

/// Seconds after the beginning of the run; `option` is named if it is none.
Result<Instant> instant_from(const std::string& option, const std::string& text);

}  // namespace duet::front
