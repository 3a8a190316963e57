// Every scenario, on both engines: one digest, whatever surrounds the run, and it is the committed one.
//
// DUET_REWRITE=1 writes the goldens anew; the commit says why they changed.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/record.h"
#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

/// Longer traces are not read by anybody.
constexpr int kReadableSteps = 200;

fs::path golden(const std::string& file) { return fs::path(DUET_SOURCE_DIR "/tests/golden") / file; }
bool rewriting() { return std::getenv("DUET_REWRITE") != nullptr; }

/// The same document with the members of every object in reverse order, on one line.
ordered_json reversed(const ordered_json& value) {
  if (value.is_array()) {
    ordered_json out = ordered_json::array();
    for (const auto& element : value) out.push_back(reversed(element));
    return out;
  }
  if (!value.is_object()) return value;
  std::vector<std::string> keys;
  for (const auto& item : value.items()) keys.push_back(item.key());
  ordered_json out = ordered_json::object();
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) out[*key] = reversed(value[*key]);
  return out;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  /// Engines that can run this scenario: the bare loop has no model of the processor.
  std::vector<std::string> engines() const {
    std::vector<std::string> names;
    if (has_simgrid()) names.emplace_back("simgrid");
    const Ran ran = duet({"sim", scenario(GetParam()), "--engine", "loop"});
    if (ran.code == 2)
      EXPECT_THAT(ran.err, HasSubstr("the loop engine does not model that"));
    else
      names.emplace_back("loop");
    return names;
  }
};

TEST_P(Golden, HasOneDigestOnBothEngines) {
  const Folder folder;
  std::string digest;
  for (const std::string& engine : engines()) {
    const std::string first = (folder / (engine + "1")).string();
    const Ran ran = duet({"sim", scenario(GetParam()), "--engine", engine, "--out", first});
    ASSERT_EQ(ran.code, 0) << engine << ": an assertion fails\n" << ran.out << ran.err;
    if (digest.empty()) digest = digest_of(ran.out);
    EXPECT_EQ(digest_of(ran.out), digest) << engine;
    // Again, with memory filled with a pattern: an uninitialised byte would show.
    const Ran again =
        shell("MALLOC_PERTURB_=165 \"$DUET\" sim scenarios/" + GetParam() + ".json --engine " + engine +
              " --out \"$TMP/2\"" +
              " && for f in jobs.csv tasks.csv summary.json trace.duet; do cmp \"$TMP/2/$f\" '" + first +
              "'/$f || exit 3; done");
    EXPECT_EQ(again.code, 0) << again.out << again.err;
    EXPECT_EQ(digest_of(again.out), digest) << engine;
    const Ran replayed = duet({"replay", first + "/trace.duet", "--verify"});
    EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
  }
  if (digest.empty())
    GTEST_SKIP() << "this build has no SimGrid, and the loop engine does not model this scenario";
  const Ran cat =
      duet({"trace", "cat", (folder / (has_simgrid() ? "simgrid1" : "loop1")).string() + "/trace.duet",
            "--from", "0"});
  ASSERT_EQ(cat.code, 0) << cat.err;
  const bool readable = std::count(cat.out.begin(), cat.out.end(), '\n') < kReadableSteps;
  if (rewriting()) {
    write(golden(GetParam() + ".digest"), digest + '\n');
    if (readable)
      write(golden(GetParam() + ".jsonl"), cat.out);
    else
      fs::remove(golden(GetParam() + ".jsonl"));
  }
  EXPECT_EQ(read(golden(GetParam() + ".digest")), digest + '\n')
      << (readable ? sim::first_difference(read(golden(GetParam() + ".jsonl")), cat.out) : std::string());
}

TEST_P(Golden, DoesNotDependOnTheOrderOfKeys) {
  const Folder folder;
  const auto shuffled = (folder / (GetParam() + ".json")).string();
  write(shuffled, reversed(ordered_json::parse(read(scenario(GetParam())))).dump());
  for (const std::string& engine : engines()) {
    const Ran ran = duet({"sim", shuffled, "--engine", engine});
    ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
    EXPECT_EQ(digest_of(ran.out) + '\n', read(golden(GetParam() + ".digest"))) << engine;
  }
}

TEST_P(Golden, DoesNotDependOnAddresses) {
  if (shell("setarch -R true").code != 0) GTEST_SKIP() << "address randomisation cannot be switched off here";
  for (const std::string& engine : engines()) {
    const Ran ran = shell("setarch -R \"$DUET\" sim scenarios/" + GetParam() + ".json --engine " + engine);
    ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
    EXPECT_EQ(digest_of(ran.out) + '\n', read(golden(GetParam() + ".digest"))) << engine;
  }
}

std::string test_name(const testing::TestParamInfo<std::string>& chosen) {
  std::string name = chosen.param;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Scenario, Golden, testing::ValuesIn(scenario_names()), test_name);

TEST(Goldens, AreAllOfScenarios) {
  const std::vector<std::string> names = scenario_names();
  for (const auto& entry : fs::directory_iterator(golden(""))) {
    const std::string extension = entry.path().extension();
    if (extension != ".digest" && extension != ".jsonl") continue;
    EXPECT_NE(std::find(names.begin(), names.end(), entry.path().stem()), names.end()) << entry.path();
  }
}

TEST(Goldens, BothExecutorsOfSimGridAgree) {
  if (!has_simgrid()) GTEST_SKIP() << "this build has no SimGrid";
  for (const std::string& name : scenario_names()) {
    const Ran ran = duet({"sim", scenario(name), "--executor", "actor"});
    EXPECT_EQ(digest_of(ran.out) + '\n', read(golden(name + ".digest"))) << name;
  }
}

TEST(Goldens, AnotherSeedIsAnotherDigest) {
  const Ran ran = duet({"sim", scenario("poisson-load"), "--engine", "loop", "--seed", "43"});
  EXPECT_NE(digest_of(ran.out) + '\n', read(golden("poisson-load.digest")));
}

}  // namespace
}  // namespace duet::program_tests
