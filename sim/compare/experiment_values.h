// What the two ways of writing an axis, in a file and on the command line, share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/compare/experiment.h"

namespace duet::sim {

/// "/policies/queue" for "queue", and so for the other kinds of policies; any other word as it is.
std::string pointer_of(std::string_view word);
/// True of the one place that is no axis: over seeds, variants are held against each other.
inline bool is_seed(std::string_view pointer) { return pointer == "/seed" || pointer == "seed"; }
inline constexpr std::string_view kSeedIsNoAxis =
    "the seeds are no axis: every variant runs with each of them";
/// What would be right instead of a word that is no pointer.
std::string pointer_hint(std::string_view word);

/// How tables name a value: "easy", "threshold up=80", "jobs=500".
std::string value_name(std::string_view pointer, const std::string& value);

/// `value` as `--set` takes it, in its shortest form: strings without quotes where that cannot be misread, no
/// line breaks.
std::string short_value(std::string_view value);

/// Adds it, in its shortest form, unless it is there.
void add_value(Axis& axis, AxisValue value, std::vector<std::string>& notices);

}  // namespace duet::sim
