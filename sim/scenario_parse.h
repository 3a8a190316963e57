// Reading a scenario file: JSON text in, a Scenario or every mistake in it out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "sim/scenario.h"

namespace duet::sim {

/// What came of a scenario file.
struct ParsedScenario {
  std::optional<Scenario> scenario;  ///< Nothing if there is any mistake.
  Problems problems;     ///< The first mistakes, in the order of the file; where = file:line:col: /pointer.
  std::string rendered;  ///< The same for a terminal, with the lines and carets; ends with a newline.

  /// The same of what is valid and hardly meant. Only of a scenario without mistakes.
  Problems warnings;
  std::string rendered_warnings;

  explicit operator bool() const { return scenario.has_value(); }
};

/// Interprets `text`. `source` names it in mistakes. `overrides` are --set options, "/pointer=value", applied
/// in their order before anything is interpreted.
ParsedScenario parse_scenario(std::string text, std::string source,
                              const std::vector<std::string>& overrides = {});

/// Reads the file, which may be gzip-compressed, and interprets it. At most 4 GiB.
ParsedScenario load_scenario(const std::string& path, const std::vector<std::string>& overrides = {});

/// What people are told a scenario is called: its name, or if it has none the stem of its file.
std::string title_of(const Scenario& scenario, const std::string& path);

}  // namespace duet::sim
