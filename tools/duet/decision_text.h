// A decision and the cluster after it, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/codec/decision.h"
#include "core/controller.h"
#include "sim/json_write.h"
#include "sim/table.h"

namespace duet::front {

/// Several lines. Long lists are cut, and say so.
std::string decision_text(std::uint64_t number, const codec::Decision& decision,
                          const Controller& controller);

/// An object as the writer's next value. Nothing is cut.
void write_decision(sim::JsonWriter& json, std::uint64_t number, const codec::Decision& decision,
                    const Controller& controller);

/// Its changes and commands, a row each, under the columns of decision_columns().
void add_rows(sim::Table& table, std::uint64_t number, const codec::Decision& decision);
std::vector<std::string> decision_columns();

}  // namespace duet::front
