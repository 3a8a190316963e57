// A target as schedulers see it: what it is, and what is free there.
#pragma once

#include <cstdint>

#include "core/resources.h"

namespace duet {

/// What one task asks of a target.
struct Request {
  Resources need;          ///< need.cpu_m is 0 if exclusive: the slot brings its own.
  bool exclusive = false;  ///< Needs one whole free slot.
  auto operator<=>(const Request&) const = default;
};

/// What a target has free.
struct Room {
  Resources free;
  std::int64_t slots = 0;  ///< Wholly free slots.

  auto operator<=>(const Room&) const = default;
  bool fits(const Request& request) const {
    return slots >= static_cast<std::int64_t>(request.exclusive) && free.covers(request.need);
  }
};

/// A target as a scheduler sees it.
struct Target {
  Resources capacity;
  Room room;
  std::int64_t slot_cpu_m = 0;  ///< CPU that an exclusive task takes here.
  std::uint32_t tasks = 0;      ///< That hold room here.
};

}  // namespace duet
