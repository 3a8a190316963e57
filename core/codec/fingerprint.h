// One number for what is submitted, so that two submissions under one idempotency key can be told apart.
#pragma once

#include <cstdint>

#include "core/model.h"

namespace duet::codec {

/// XXH3 of the specification as it stands in traces: equal for equal specifications. It is stored, so a
/// change of the trace's format refuses what was submitted before and is repeated after.
std::uint64_t fingerprint(const JobSpec& spec);

}  // namespace duet::codec
