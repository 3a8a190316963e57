// Machines that a scenario may name instead of describing them: {"model": "i5-1135G7"}.
#pragma once

#include <string_view>

#include "sim/scenario.h"

namespace duet::sim {

/// Their names, as choices of a field: separated by '|'.
inline constexpr std::string_view kNodeModels = "i5-1135G7";

/// Called as the model; null if there is no such model. docs/i5-1135g7.md says where its numbers come from.
const NodeType* find_node_model(std::string_view name);

}  // namespace duet::sim
