// A comparison as a file, comparison.json: written by `duet compare`, read by whoever shows or judges it
// later.
#pragma once

#include <string>

#include "core/result.h"
#include "sim/compare/comparison.h"
#include "sim/json_write.h"

namespace duet::sim {

/// The same comparison, the same bytes.
void write_comparison(const Comparison& comparison, const TextSink& sink);

/// `path` is the file, or the folder that holds it under its usual name. Problems: it cannot be read, is no
/// comparison, or one of another format.
Result<Comparison> read_comparison(const std::string& path);
/// The same from text; `source` names it in problems.
Result<Comparison> parse_comparison(std::string text, const std::string& source);

inline constexpr int kComparisonFormat = 1;

}  // namespace duet::sim
