// The SWF reader: what is kept, what is dropped and counted, what is refused with its line.
#include "sim/import_swf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/import_support.h"

namespace duet::sim::import_test {
namespace swf {

using testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

/// A row of 18 columns of which only the used ones matter.
std::string row(std::string_view id, std::string_view submit, std::string_view run,
                std::string_view allocated, std::string_view requested, std::string_view estimate) {
  std::string text;
  for (const std::string_view column : {id, submit, std::string_view("-1"), run, allocated,
                                        std::string_view("-1"), std::string_view("-1"), requested, estimate})
    text += std::string(column) + " ";
  return text + "-1 1 1 1 -1 1 -1 -1 -1\n";
}

Result<Imported> import_text(const std::string& text, const ImportOptions& options = pool(4)) {
  const TempFile file("log.swf", text);
  return import_swf(file.path(), options);
}

TEST(ImportSwf, OwnLogInAPool) {
  const auto imported = import_swf(own_log("backfill.swf"), pool(4));
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(imported->report.records, 8U);
  EXPECT_EQ(imported->report.kept, 6U);
  EXPECT_EQ(imported->report.overruns, 1U);
  ASSERT_EQ(imported->report.dropped.size(), 2U);
  EXPECT_EQ(imported->report.dropped[0].reason, "run time <= 0");
  EXPECT_THAT(imported->report.dropped[0].first, HasSubstr("backfill.swf:19"));
  EXPECT_EQ(imported->report.dropped[1].reason, "needs more than the 4 cores of the cluster");

  const Scenario& scenario = imported->scenario;
  EXPECT_EQ(scenario.name, "backfill");
  ASSERT_EQ(scenario.nodes.size(), 1U);
  ASSERT_EQ(scenario.node_types.size(), 1U);
  EXPECT_EQ(scenario.node_types[0].offer.cores, 4U);
  EXPECT_EQ(scenario.node_types[0].offer.capacity.cpu_m, 4000);
  EXPECT_TRUE(scenario.node_types[0].plain());
  EXPECT_EQ(scenario.controller.inventory, std::vector<std::string>{"pool"});
  EXPECT_EQ(scenario.controller.queue.name, "fcfs");
  EXPECT_EQ(scenario.controller.scheduler.name, "first_fit");
  EXPECT_EQ(to_ns(scenario.latency), 0);
  EXPECT_EQ(to_ns(scenario.agent.heartbeat), 0);

  const TableJob& last = jobs(*imported).back();
  EXPECT_EQ(last.id, "8");
  EXPECT_EQ(last.submit_ns, 20 * kSecond);
  EXPECT_EQ(last.duration_ns, 3 * kSecond);
  EXPECT_EQ(last.operations, 0);
  EXPECT_EQ(last.estimate_ns, 3 * kSecond);  // 2 in the log, extended
  EXPECT_EQ(last.timeout_ns, 0);
  EXPECT_EQ(last.tasks, 1U);
  EXPECT_EQ(last.cores, 4U);
}

TEST(ImportSwf, HostsMakeGangs) {
  const auto imported = import_swf(own_log("backfill.swf"), hosts(4));
  ASSERT_TRUE(imported) << complaints(imported);
  const Scenario& scenario = imported->scenario;
  ASSERT_EQ(scenario.nodes.size(), 4U);
  EXPECT_EQ(scenario.nodes[3].name, "host3");
  EXPECT_EQ(scenario.controller.inventory.size(), 4U);
  EXPECT_EQ(scenario.node_types[0].offer.capacity.cpu_m, 1000);
  EXPECT_EQ(jobs(*imported)[0].tasks, 3U);
  EXPECT_EQ(jobs(*imported)[0].cores, 1U);
}

TEST(ImportSwf, AsWorkCountsOperations) {
  ImportOptions options = pool(4);
  options.as_work = true;
  const auto imported = import_swf(own_log("backfill.swf"), options);
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(imported->scenario.node_types[0].speed, std::vector<double>{1e9});
  EXPECT_EQ(jobs(*imported)[0].operations, 10 * kSecond);
  EXPECT_EQ(jobs(*imported)[0].duration_ns, 0);
  EXPECT_EQ(jobs(*imported)[0].estimate_ns, 10 * kSecond);
}

TEST(ImportSwf, KillKeepsTheWalltime) {
  ImportOptions options = pool(4);
  options.overrun = ImportOptions::Overrun::kKill;
  const auto imported = import_text(row("1", "0", "9", "1", "1", "5") + row("2", "0", "9", "1", "1", "-1") +
                                        row("3", "0", "5", "1", "1", "9"),
                                    options);
  ASSERT_TRUE(imported) << complaints(imported);
  const auto& table = jobs(*imported);
  EXPECT_EQ(table[0].duration_ns, 9 * kSecond);
  EXPECT_EQ(table[0].timeout_ns, 5 * kSecond);
  EXPECT_EQ(table[0].estimate_ns, 5 * kSecond);
  EXPECT_EQ(table[1].timeout_ns, 0);  // no estimate, so nothing kills it
  EXPECT_EQ(table[1].estimate_ns, 9 * kSecond);
  EXPECT_EQ(table[2].timeout_ns, 9 * kSecond);
  EXPECT_EQ(table[2].estimate_ns, 9 * kSecond);
  EXPECT_EQ(imported->report.overruns, 1U);
}

TEST(ImportSwf, FallsBackToAllocatedProcessorsAndRunTime) {
  const auto imported = import_text(row("1", "0", "7", "3", "-1", "0") + row("2", "0", "7", "3", "2", "8"));
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(jobs(*imported)[0].cores, 3U);
  EXPECT_EQ(jobs(*imported)[0].estimate_ns, 7 * kSecond);
  EXPECT_EQ(jobs(*imported)[1].cores, 2U);
  EXPECT_EQ(jobs(*imported)[1].estimate_ns, 8 * kSecond);
}

TEST(ImportSwf, EveryDropHasItsReason) {
  const auto imported = import_text(row("1", "0", "-1", "1", "1", "5") + row("2", "0", "0", "1", "1", "5") +
                                    row("3", "0", "5", "-1", "0", "5") + row("4", "0", "5", "1", "9", "5") +
                                    row("5", "-1", "5", "1", "1", "5") + row("6", "0", "5", "1", "1", "5"));
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(imported->report.records, 6U);
  EXPECT_EQ(imported->report.total_dropped(), 5U);
  const std::string text = imported->report.text();
  EXPECT_THAT(text, HasSubstr("1 of 6 jobs kept\n"));
  EXPECT_THAT(text, HasSubstr("2 dropped: run time <= 0"));
  EXPECT_THAT(text, HasSubstr("1 dropped: needs no processors"));
  EXPECT_THAT(text, HasSubstr("1 dropped: needs more than the 4 cores of the cluster"));
  EXPECT_THAT(text, HasSubstr("1 dropped: submission time unknown or negative"));
}

TEST(ImportSwf, TimesAreExactToTheNanosecond) {
  const auto imported = import_text(row("1", "0.1", "552.21", "1", "1", "1e3") +
                                    row("2", "1.0000000004", "1.5E-9", "1", "1", "+2.") +
                                    row("3", "1.0000000005", "4000000000", "1", "1", ".5"));
  ASSERT_TRUE(imported) << complaints(imported);
  const auto& table = jobs(*imported);
  EXPECT_EQ(table[0].submit_ns, 100'000'000);
  EXPECT_EQ(table[0].duration_ns, 552'210'000'000);
  EXPECT_EQ(table[0].estimate_ns, 1000 * kSecond);
  EXPECT_EQ(table[1].submit_ns, 1'000'000'000);
  EXPECT_EQ(table[1].duration_ns, 2);  // 1.5 ns: halves go up
  EXPECT_EQ(table[2].submit_ns, 1'000'000'001);
  EXPECT_EQ(table[2].duration_ns, 4'000'000'000'000'000'000);
}

TEST(ImportSwf, SortsBySubmissionAndKeepsTheOrderOfEqualTimes) {
  const auto imported = import_text(row("9", "5", "1", "1", "1", "1") + row("3", "0", "1", "1", "1", "1") +
                                    row("7", "5", "1", "1", "1", "1") + row("1", "5", "1", "1", "1", "1"));
  ASSERT_TRUE(imported) << complaints(imported);
  std::string order;
  for (const TableJob& job : jobs(*imported)) order += job.id;
  EXPECT_EQ(order, "3971");
}

TEST(ImportSwf, SkipsCommentsAndHeaderRows) {
  const auto imported =
      import_text("\xef\xbb\xbf; Computer: caf\xe9\r\n\r\n# more\r\nid\tsubmit\twait\r\n  \t \r\n" +
                  row("001", "0", "1", "1", "1", "1") + "; between\n" +
                  "2\t0\t0\t1\t1\t-1\t-1\t1\t1\t-1\t1\tann\tbio\t-1\tlong\t-1\t1&2\t0\tDAG-1\t7\r");
  ASSERT_TRUE(imported) << complaints(imported);
  ASSERT_EQ(jobs(*imported).size(), 2U);
  EXPECT_EQ(jobs(*imported)[0].id, "001");  // as in the log
}

TEST(ImportSwf, BrokenRowsAreRefusedWithTheirLine) {
  const std::string good = row("1", "0", "1", "1", "1", "1");
  const std::pair<std::string, std::string> cases[] = {
      {"1 0 -1 5 1\n", ":2: has 5 columns"},
      {"7\n", ":2: has 1 column\n"},
      {"x1 0 -1 5 1 -1 -1 1 5 -1 1 1 1 -1 1 -1 -1 -1\n", ":2: begins with `x1`"},
      {"id submit\n", ":2: begins with `id`"},
      {row("2", "0", "abc", "1", "1", "1"), ":2: column 4 (run time) is `abc`"},
      {row("2", "nan", "1", "1", "1", "1"), ":2: column 2 (submission time) is `nan`"},
      {row("2", "0", "1", "1", "1", "inf"), ":2: column 9 (requested time) is `inf`"},
      {row("2", "0", "0x10", "1", "1", "1"), ":2: column 4 (run time) is `0x10`"},
      {row("2", "0", "1e", "1", "1", "1"), ":2: column 4 (run time) is `1e`"},
      {row("2", "0", "1", "x", "1", "1"), ":2: column 5 (allocated processors) is `x`"},
      {row("2", "0", "1", "1", "1.5", "1"), ":2: column 8 (requested processors) is `1.5`"},
      {row("2", "0", "1", "1", "9223372036854775808", "1"), ":2: column 8 (requested processors)"},
      {row("2", "0", "4000000001", "1", "1", "1"), ":2: column 4 (run time) is `4000000001`"},
      {row("2", "-1e99999999999999999999", "1", "1", "1", "1"), ":2: column 2 (submission time)"},
      {row("2", "0", "1e400", "1", "1", "1"), ":2: column 4 (run time) is `1e400`"},
      {row(std::string(201, '1'), "0", "1", "1", "1", "1"), ":2: column 1 (job number)"},
      {row("2", "0", "\x01", "1", "1", "1"), ":2: holds control characters"},
      {std::string("2 0 \0 1\n", 8), ":2: holds a NUL byte"},
      {std::string(2 << 20, '1'), ":2: a line is longer than 1048576 bytes"},
  };
  for (const auto& [bad, expected] : cases)
    EXPECT_THAT(complaints(import_text(good + bad)), HasSubstr(expected));
}

TEST(ImportSwf, AnotherEncodingIsNamed) {
  EXPECT_THAT(complaints(import_text("\xff\xfe" + std::string("1\0 \0", 4))),
              HasSubstr(":1: this is UTF-16 text; Duet reads UTF-8"));
}

TEST(ImportSwf, ShowsSeveralMistakesAndThenStops) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "1 2 3\n";
  const auto imported = import_text(text);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.problems().size(), 10U);
}

TEST(ImportSwf, NothingLeftIsAProblem) {
  EXPECT_THAT(complaints(import_text("")), HasSubstr("there is no job in it"));
  EXPECT_THAT(complaints(import_text("; only\n; comments\n")), HasSubstr("there is no job in it"));
  EXPECT_THAT(complaints(import_text(row("1", "0", "0", "1", "1", "1"))),
              HasSubstr("none of its 1 jobs can be kept: 1 x run time <= 0"));
}

TEST(ImportSwf, RefusesImpossibleClusters) {
  EXPECT_THAT(complaints(import_swf(own_log("backfill.swf"), pool(0))),
              HasSubstr("--pool: a pool of 0 cores"));
  EXPECT_THAT(complaints(import_swf(own_log("backfill.swf"), hosts(1'000'001))), HasSubstr("--hosts: "));
}

TEST(ImportSwf, ReadsGzip) {
  const std::string packed = gzip(file_text(own_log("backfill.swf")));
  const TempFile file("night.swf.gz", packed);
  const auto imported = import_swf(file.path(), pool(4));
  ASSERT_TRUE(imported) << complaints(imported);
  EXPECT_EQ(imported->scenario.name, "night");
  EXPECT_EQ(jobs(*imported).size(), 6U);
}

TEST(ImportSwf, EveryCutOfAGzipIsRefused) {
  const std::string packed = gzip(file_text(own_log("backfill.swf")));
  const TempFile file("cut.swf.gz", "");
  for (std::size_t length = 0; length < packed.size(); length += length < 40 ? 1 : 7) {
    file.write(packed.substr(0, length));
    EXPECT_FALSE(import_swf(file.path(), pool(4))) << length;
  }
}

TEST(ImportSwf, NoPrefixOfALogIsMisread) {
  const std::string text = file_text(own_log("backfill.swf"));
  const TempFile file("cut.swf", "");
  for (std::size_t length = 0; length < text.size(); length += 3) {
    file.write(text.substr(0, length));
    const auto imported = import_swf(file.path(), pool(4));
    if (!imported) continue;
    EXPECT_LE(jobs(*imported).size(), 6U) << length;
  }
}

}  // namespace swf
}  // namespace duet::sim::import_test
