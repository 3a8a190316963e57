// What `duet sim` says of a run on the terminal.
#pragma once

#include <string>

#include "sim/outputs.h"
#include "sim/table.h"

namespace duet::sim {

/// The result in a few lines, failed assertions with what was measured, the digest. `color`: failures are
/// marked.
std::string result_text(const RunReport& report, bool color);

/// The same as rows of name and value.
Table result_table(const RunReport& report);

}  // namespace duet::sim
