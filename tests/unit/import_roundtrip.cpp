// What an importer makes is a scenario: its file says the same, and is valid.
#include <gtest/gtest.h>

#include "sim/import_batsim.h"
#include "sim/import_swf.h"
#include "sim/scenario_parse.h"
#include "sim/scenario_write.h"
#include "tests/unit/import_support.h"

namespace duet::sim::import_test {
namespace roundtrip {

/// All combinations of the options for a cluster of this size.
std::vector<ImportOptions> every_option(std::uint32_t size) {
  std::vector<ImportOptions> all;
  for (int bits = 0; bits < 8; ++bits) {
    ImportOptions options;
    options.size = size;
    options.shape = (bits & 1) != 0 ? ImportOptions::Shape::kHosts : ImportOptions::Shape::kPool;
    options.as_work = (bits & 2) != 0;
    options.overrun = (bits & 4) != 0 ? ImportOptions::Overrun::kKill : ImportOptions::Overrun::kExtend;
    all.push_back(options);
  }
  return all;
}

void expect_roundtrip(const Result<Imported>& imported) {
  ASSERT_TRUE(imported) << complaints(imported);
  const std::string text = canonical_json(imported->scenario);
  const ParsedScenario parsed = parse_scenario(text, "imported.json");
  ASSERT_TRUE(parsed) << parsed.rendered;
  EXPECT_EQ(canonical_json(*parsed.scenario), text);
  EXPECT_EQ(parsed.scenario->controller, imported->scenario.controller);
  EXPECT_EQ(parsed.scenario->nodes.size(), imported->scenario.nodes.size());
  EXPECT_EQ(parsed.scenario->node_types[0].offer, imported->scenario.node_types[0].offer);
}

TEST(ImportRoundtrip, SwfThroughAScenarioFile) {
  for (const ImportOptions& options : every_option(4))
    expect_roundtrip(import_swf(own_log("backfill.swf"), options));
}

TEST(ImportRoundtrip, BatsimThroughAScenarioFile) {
  for (const ImportOptions& options : every_option(4))
    expect_roundtrip(import_batsim(own_log("walltimes.json"), options));
}

TEST(ImportRoundtrip, TheLongestTimesAndStrangestNames) {
  const TempFile log(
      "caf\xe9 \x01\n.swf",
      "-00012345678901234567890 4000000000 -1 4000000000 1 -1 -1 1 4000000000 -1 1 1 1 -1 1 -1 -1 -1\n");
  for (const ImportOptions& options : every_option(4)) expect_roundtrip(import_swf(log.path(), options));
}

}  // namespace roundtrip
}  // namespace duet::sim::import_test
