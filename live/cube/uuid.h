// Names of cube's tasks and events: UUIDs, some of which say which attempt they stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"

namespace duet::live::cube {

/// "bb1d59ef-9fc1-4e4b-a44d-db571eeed203", in either case.
bool is_uuid(std::string_view text);
std::string lower(std::string_view text);
/// A random one (version 4): made at the edge, it decides nothing.
std::string fresh_uuid();

/// The event by which the manager with this `tag` starts an attempt (version 8, of our own layout): the same
/// one however often it is sent, so that nothing is started twice.
std::string uuid_of(std::uint32_t tag, AttemptId attempt);
/// The inverse; nothing for an event of anybody else.
std::optional<AttemptId> attempt_of(std::uint32_t tag, std::string_view uuid);

}  // namespace duet::live::cube
