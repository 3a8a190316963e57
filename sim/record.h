// A folder of scenarios that must not change unnoticed: `duet record` keeps what they do, `duet verify`
// compares.
//
// For DIR/NAME.json, DIR/golden/NAME.digest holds "ENGINE sha256:...". What says where another run parts from
// it is DIR/golden/NAME.jsonl, its steps, one line of JSON each, if they are few enough to be read, and else
// DIR/golden/NAME.trace, the trace, compressed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace duet::sim {

struct RecordOptions {
  std::string folder;
  std::string program;             ///< The program that understands `sim`: duet itself.
  std::string engine = "simgrid";  ///< For recording; verifying takes the recorded one.
  unsigned at_once = 2;
};

/// How one scenario came out.
struct RecordRow {
  enum class Kind : std::uint8_t { kRecorded, kSame, kChanged, kAssertions, kNotRun, kNoGolden, kNoScenario };
  std::string scenario;  ///< NAME.json
  Kind kind = Kind::kSame;
  std::string digest;
  std::string detail;  ///< What is wrong, several lines; empty if nothing is.
  bool good() const { return kind == Kind::kRecorded || kind == Kind::kSame; }
};

/// "recorded", "same", "changed", "assertions failed", ...
std::string_view name_of(RecordRow::Kind kind);

/// Runs every scenario of the folder and writes what it did; a scenario whose assertions fail is recorded and
/// reported. Rows are sorted by name.
Result<std::vector<RecordRow>> record_folder(const RecordOptions& options);

/// Runs every scenario again and compares. Also reports scenarios without a golden and goldens without a
/// scenario.
Result<std::vector<RecordRow>> verify_folder(const RecordOptions& options);

/// Where two traces as JSON Lines part, for people, with the steps before; empty if they do not.
std::string first_difference(std::string_view before, std::string_view after);

/// A JUnit report, one test case per row.
std::string junit(const std::string& suite, const std::vector<RecordRow>& rows);

}  // namespace duet::sim
