// The store that forgets: for clusters whose controller, when it starts anew, hears from its agents what
// runs.
#pragma once

#include <memory>

#include "live/asio.h"
#include "live/store/store.h"

namespace duet::live {

/// What it holds lives as long as it does. `io` must outlive it.
std::unique_ptr<Store> make_memory_store(asio::io_context& io, StoreLimits limits = {});

}  // namespace duet::live
