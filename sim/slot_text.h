// The threads of a task as the people of a machine know them.
#pragma once

#include <string>

#include "core/resources.h"
#include "sim/scenario.h"

namespace duet::sim {

/// "0-3"; where cores are reserved, in the machine's own numbers: "1,5"; where they have names, by name:
/// "A:1,5 B:2".
void append_slot(std::string& out, const NodeType& type, const ThreadSet& threads);

}  // namespace duet::sim
