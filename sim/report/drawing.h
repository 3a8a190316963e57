// Pictures by Graphviz: `dot` is started as a program, without a shell, and its SVG made fit for a page.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sim/report/report.h"

namespace duet::sim::report {

/// What a program writes to its standard output when `input` is its standard input and nothing is said to
/// others. The first word is looked for in PATH. Problems: it cannot be started, it fails (with the end of
/// its words on standard error), it takes longer than `limit`, or it writes more than 64 MiB.
Result<std::string> output_of(const std::vector<std::string>& words, std::string_view input,
                              std::chrono::seconds limit);

/// Draws `dot`, a picture in Graphviz' language. Without Graphviz the drawing has a note instead.
Drawing draw(const std::string& title, std::string_view dot);

/// Graphviz' SVG as a part of a page: no prologue, no comments, ids of its own.
std::string embedded(std::string_view svg, std::string_view prefix);

}  // namespace duet::sim::report
