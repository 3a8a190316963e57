// What the scenario tests share: a smallest scenario, and parsing with edits.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario_parse.h"
#include "sim/scenario_write.h"

namespace duet::sim::scenario_test {

/// One node of 4 threads, one job of a second.
inline const std::string kSmallest =
    "{\n"
    "  \"cluster\": {\"node_types\": {\"small\": {\"cores\": 4}}, \"nodes\": [{\"type\": \"small\"}]},\n"
    "  \"workload\": {\"jobs\": [{\"duration_s\": 1}]}\n"
    "}\n";

/// The smallest scenario with --set options applied.
inline ParsedScenario edited(const std::vector<std::string>& options) {
  return parse_scenario(kSmallest, "s.json", options);
}

/// The scenario, which must be one.
inline Scenario good(const ParsedScenario& parsed) {
  EXPECT_EQ(parsed.rendered, "");
  return parsed ? *parsed.scenario : Scenario{};
}

/// The mistakes of a whole text.
inline std::string mistakes(const std::string& text) { return parse_scenario(text, "s.json").rendered; }

/// Of the first mistake: what, and the hint behind " | ".
inline std::string first_mistake(const std::vector<std::string>& options) {
  const ParsedScenario parsed = edited(options);
  if (parsed) return "";
  const Problem& first = parsed.problems.front();
  return first.where + ": " + first.what + (first.right.empty() ? "" : " | " + first.right);
}

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace duet::sim::scenario_test
