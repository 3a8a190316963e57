// What a worker tells of its machine, in the words of cube's interface (GET /stats).
#pragma once

#include <string>

#include "core/controller.h"
#include "live/cube/documents.h"

namespace duet::live::cube {

/// {"MemStats", "DiskStats", "CpuStats", "LoadStats", "TaskCount", "Offer"}, read now: memory in kB, the disk
/// that holds `folder` in bytes, processor time in hundredths of a second since the machine started. "Offer"
/// is what tasks may have, of all nodes of `machine` that are ready.
Json read_stats(const std::string& folder, const Controller& machine);

}  // namespace duet::live::cube
