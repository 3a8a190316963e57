// Any bytes are a scenario or a set of mistakes; what is a scenario has a canonical form that says the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/check.h"
#include "sim/scenario_parse.h"
#include "sim/scenario_write.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  // The first line, if it starts with a slash, is a --set option.
  std::vector<std::string> overrides;
  if (text.starts_with('/')) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    overrides.push_back(text.substr(0, end));
    text.erase(0, end);
  }
  const auto parsed = duet::sim::parse_scenario(std::move(text), "fuzz", overrides);
  DUET_CHECK(parsed.scenario.has_value() == parsed.rendered.empty());
  if (!parsed) return 0;
  const std::string canonical = duet::sim::canonical_json(*parsed.scenario);
  const auto again = duet::sim::parse_scenario(canonical, "canonical");
  DUET_CHECK(again.scenario.has_value());
  DUET_CHECK(duet::sim::canonical_json(*again.scenario) == canonical);
  return 0;
}
