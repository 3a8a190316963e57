// The Batsim reader: microseconds, profiles, walltimes, and mistakes with their place.
#include "sim/import_batsim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/import_support.h"

namespace duet::sim::import_test {
namespace batsim {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t kMicrosecond = 1000;
constexpr std::int64_t kSecond = 1'000'000'000;

Result<Imported> import_text(const std::string& text, const ImportOptions& options = pool(4)) {
  const TempFile file("work.json", text);
  return import_batsim(file.path(), options);
}

/// One job and one profile, given as the inside of their objects.
std::string workload(const std::string& job, const std::string& profile = R"("type": "delay", "delay": 5)") {
  return R"({"nb_res": 4, "jobs": [{)" + job + R"(}], "profiles": {"p": {)" + profile + "}}}";
}
const std::string kGoodJob = R"("id": 1, "subtime": 0, "res": 1, "profile": "p")";

TEST(ImportBatsim, OwnWorkload) {
  const auto imported = import_batsim(own_log("walltimes.json"), pool(4));
  ASSERT_TRUE(imported) << complaints(imported);
  const auto& table = jobs(*imported);
  ASSERT_EQ(table.size(), 4U);
  EXPECT_EQ(imported->scenario.name, "walltimes");

  EXPECT_EQ(table[0].id, "7");
  EXPECT_EQ(table[0].submit_ns, kSecond / 2);
  EXPECT_EQ(table[0].estimate_ns, 10 * kSecond);  // walltime 4, extended
  EXPECT_EQ(table[0].timeout_ns, 0);
  EXPECT_EQ(table[0].cores, 4U);

  EXPECT_EQ(table[1].id, "late");
  EXPECT_EQ(table[1].submit_ns, 2'000'000 * kMicrosecond);  // 2.0000004
  EXPECT_EQ(table[1].estimate_ns, 20 * kSecond);

  EXPECT_EQ(table[2].id, "w0!1");
  EXPECT_EQ(table[2].submit_ns, 2'000'001 * kMicrosecond);         // 2.0000006
  EXPECT_EQ(table[2].duration_ns, 3 * 22'345'674 * kMicrosecond);  // composed: 3 x (10 + 12.345674)
  EXPECT_EQ(table[2].estimate_ns, table[2].duration_ns);

  EXPECT_EQ(table[3].id, "none");
  EXPECT_EQ(table[3].timeout_ns, 0);

  const std::string text = imported->report.text();
  EXPECT_THAT(text, HasSubstr("4 of 7 jobs kept"));
  EXPECT_THAT(text, HasSubstr("2 dropped: profile type `parallel_homogeneous`"));
  EXPECT_THAT(text, HasSubstr("(first: /jobs/5)"));
  EXPECT_THAT(text, HasSubstr("1 dropped: needs more than the 4 cores of the cluster"));
}

TEST(ImportBatsim, KillUsesTheWalltimeAsWritten) {
  ImportOptions options = pool(4);
  options.overrun = ImportOptions::Overrun::kKill;
  const auto imported = import_batsim(own_log("walltimes.json"), options);
  ASSERT_TRUE(imported) << complaints(imported);
  const auto& table = jobs(*imported);
  EXPECT_EQ(table[0].duration_ns, 10 * kSecond);
  EXPECT_EQ(table[0].timeout_ns, 4 * kSecond);
  EXPECT_EQ(table[0].estimate_ns, 4 * kSecond);
  EXPECT_EQ(table[1].timeout_ns, 20 * kSecond);
  EXPECT_EQ(table[2].timeout_ns, 0);  // none given
  EXPECT_EQ(table[3].timeout_ns, 0);  // -1
}

TEST(ImportBatsim, SubmissionOrderIsByTimeThenAsWritten) {
  const auto imported = import_text(R"({"profiles": {"p": {"type": "delay", "delay": 1}}, "jobs": [
    {"id": "b", "subtime": 1e0, "res": 1, "profile": "p"},
    {"id": "a", "subtime": 1, "res": 1, "profile": "p"},
    {"id": "c", "subtime": 0.9999999, "res": 1, "profile": "p"}]})");
  ASSERT_TRUE(imported) << complaints(imported);
  std::string order;
  for (const TableJob& job : jobs(*imported)) order += job.id;
  EXPECT_EQ(order, "bac");  // equal after rounding to microseconds
}

TEST(ImportBatsim, DropsJobsThatDoNothing) {
  EXPECT_THAT(complaints(import_text(workload(kGoodJob, R"("type": "delay", "delay": 0)"))),
              HasSubstr("1 x run time <= 0 (first: /jobs/0)"));
  EXPECT_THAT(complaints(import_text(workload(R"("id": 1, "subtime": 0, "res": 0, "profile": "p")"))),
              HasSubstr("1 x needs no processors"));
}

TEST(ImportBatsim, MistakesCarryLineAndPointer) {
  const std::pair<std::string, std::string> cases[] = {
      {workload(R"("id": 1, "subtime": 0, "res": 1, "profile": "q")"),
       "/jobs/0/profile: there is no profile `q`"},
      {workload(R"("id": 1, "subtime": 0, "res": 1, "profile": 3)"),
       "/jobs/0/profile: `profile` must be a string"},
      {workload(R"("id": 1, "subtime": 0, "res": 1)"), "/jobs/0: `profile` is missing"},
      {workload(R"("subtime": 0, "res": 1, "profile": "p")"), "/jobs/0: `id` is missing"},
      {workload(R"("id": "", "subtime": 0, "res": 1, "profile": "p")"),
       "/jobs/0/id: `id` must be 1 to 200 bytes"},
      {workload(R"("id": "a\nb", "subtime": 0, "res": 1, "profile": "p")"),
       "/jobs/0/id: `id` must be 1 to 200 bytes"},
      {workload(R"("id": null, "subtime": 0, "res": 1, "profile": "p")"), "/jobs/0/id: `id` must be"},
      {workload(R"("id": 1.5, "subtime": 0, "res": 1, "profile": "p")"),
       "/jobs/0/id: must be a whole number"},
      {workload(R"("id": 1, "subtime": "0", "res": 1, "profile": "p")"),
       "/jobs/0/subtime: `subtime` must be a number"},
      {workload(R"("id": 1, "subtime": 1e99, "res": 1, "profile": "p")"), "/jobs/0/subtime: must be seconds"},
      {workload(R"("id": 1, "subtime": 0, "res": 1.5, "profile": "p")"),
       "/jobs/0/res: must be a whole number"},
      {workload(R"("id": 1, "subtime": 0, "res": 1e30, "profile": "p")"),
       "/jobs/0/res: must be a whole number"},
      {workload(kGoodJob + R"(, "walltime": 0)"), "/jobs/0/walltime: `walltime` must be more than 0"},
      {workload(kGoodJob + R"(, "walltime": -2)"), "/jobs/0/walltime: `walltime` must be more than 0"},
      {workload(kGoodJob + R"(, "walltime": "1")"), "/jobs/0/walltime: `walltime` must be a number"},
      {workload(kGoodJob, R"("delay": 5)"), "/profiles/p: `type` is missing"},
      {workload(kGoodJob, R"("type": "delay")"), "/profiles/p: `delay` is missing"},
      {workload(kGoodJob, R"("type": "delay", "delay": "5")"), "/profiles/p/delay: `delay` must be a number"},
      {workload(kGoodJob, R"("type": "composed", "seq": ["x"])"),
       "/profiles/p/seq/0: there is no profile `x`"},
      {workload(kGoodJob, R"("type": "composed", "seq": [1])"), "/profiles/p/seq/0: must be the name"},
      {workload(kGoodJob, R"("type": "composed", "seq": ["p"])"),
       "/profiles/p: sequences are nested too deeply"},
      {workload(kGoodJob, R"("type": "composed", "repeat": -1, "seq": [])"),
       "/profiles/p/repeat: must be 0 or more"},
      {R"({"jobs": {}, "profiles": []})", "/jobs: `jobs` must be an array"},
      {R"({"jobs": []})", "`profiles` is missing"},
      {R"([1, 2])", "a workload must be an object"},
      {R"({"jobs": [7], "profiles": {}})", "/jobs/0: a job must be an object"},
      {R"({"jobs": [], "profiles": {"p": 7}})", "/profiles/p: a profile must be an object"},
      {R"({"jobs": [], "profiles": {}})", "there is no job in it"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_THAT(complaints(import_text(text)), AllOf(HasSubstr(expected), HasSubstr("work.json"))) << text;
}

TEST(ImportBatsim, AllMistakesAtOnce) {
  const auto imported =
      import_text(R"({"jobs": [{"id": 1}, {"id": 1, "subtime": 0, "res": 1, "profile": "p"}],
 "profiles": {"p": {"type": "delay", "delay": true}}})");
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.problems().size(), 5U) << complaints(imported);  // 3 missing, 1 id twice, 1 delay
  EXPECT_THAT(complaints(imported), HasSubstr("work.json:2:"));
}

TEST(ImportBatsim, SequencesThatRunForeverAreRefused) {
  std::string profiles = R"("s0": {"type": "delay", "delay": 4000000000})";
  EXPECT_THAT(complaints(import_text(
                  R"({"jobs": [], "profiles": {)" + profiles +
                  R"(, "s1": {"type": "composed", "repeat": 9223372036854775807, "seq": ["s0"]}}})")),
              HasSubstr("/profiles/s1: the sequence runs for more than 4e9 s"));
}

TEST(ImportBatsim, HostileDocumentsAreRefused) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string(100'000, '['), std::string("{\"jobs\": [1e999999999]}"),
        std::string("\0\0\0", 3), std::string("{\"jobs\": [NaN]}"), std::string("\xff\xfe{"),
        std::string(R"({"jobs": [], "jobs": [], "profiles": {}})"), workload(kGoodJob) + "x"}) {
    const auto imported = import_text(text);
    EXPECT_FALSE(imported) << text.substr(0, 50);
  }
}

TEST(ImportBatsim, NoPrefixOfAWorkloadIsAccepted) {
  const std::string text = file_text(own_log("walltimes.json"));
  const TempFile file("cut.json", "");
  for (std::size_t length = 0; length + 2 < text.size(); length += 3) {
    file.write(text.substr(0, length));
    EXPECT_FALSE(import_batsim(file.path(), pool(4))) << length;
  }
}

TEST(ImportBatsim, ReadsGzip) {
  const TempFile file("w.json.gz", gzip(file_text(own_log("walltimes.json"))));
  const auto imported = import_batsim(file.path(), hosts(4));
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(imported->scenario.name, "w");
  EXPECT_EQ(jobs(*imported)[0].tasks, 4U);
}

}  // namespace batsim
}  // namespace duet::sim::import_test
