// Tables, the progress line, and the options one program hands to another.
#include <gtest/gtest.h>

#include "sim/progress.h"
#include "sim/run_command.h"
#include "sim/table.h"
#include "sim/terminal.h"

namespace duet::sim {
namespace {
namespace cli_text {

Table sample() {
  return {{"name", "count"},
          {{"a,b", std::uint64_t{7}}, {"line\n\"two\"", Cell()}, {"x", std::uint64_t{1234}}}};
}

TEST(Tables, AreAlignedForPeople) {
  EXPECT_EQ(to_text(Table{{"name", "count"}, {{"a", std::uint64_t{7}}, {"long", std::uint64_t{1234}}}},
                    Format::kTable),
            "name  count\n"
            "a         7\n"
            "long   1234\n");
}

TEST(Tables, AreQuotedForPrograms) {
  EXPECT_EQ(to_text(sample(), Format::kCsv), "name,count\n\"a,b\",7\n\"line\n\"\"two\"\"\",\nx,1234\n");
  EXPECT_EQ(to_text(sample(), Format::kJson),
            "[\n"
            "  {\"name\": \"a,b\", \"count\": 7},\n"
            "  {\"name\": \"line\\n\\\"two\\\"\", \"count\": null},\n"
            "  {\"name\": \"x\", \"count\": 1234}\n"
            "]\n");
  EXPECT_EQ(to_text(Table{{"a"}, {}}, Format::kJson), "[]\n");
}

TEST(Tables, ControlCharactersDoNotReachATerminal) {
  EXPECT_EQ(to_text(Table{{"name"}, {{"\x1b[2J"}}}, Format::kTable).find('\x1b'), std::string::npos);
}

TEST(ProgressLine, SaysHowFarAndHowLong) {
  EXPECT_EQ(progress_line({2, 3600, 50, 200}, 200),
            "[=====               ] 25 %  6 s left  50 of 200 jobs  25 jobs/s  3600 s simulated");
  EXPECT_EQ(progress_line({2, 3600, 0, 0}, 200), "[                    ] 0 %  0 of 0 jobs  3600 s simulated");
  EXPECT_EQ(progress_line({2, 3600, 50, 200}, 30).size(), 30U);
}

TEST(RunOptionsAsJson, ComeBackAsTheyWere) {
  RunOptions options;
  options.scenario = "a \"quoted\"\n\\name.json";
  options.engine = "loop";
  options.executor = "actor";
  options.overrides = {"/seed=1", "/name=\"\xc3\xa9\""};
  options.trace_jsonl = true;
  options.trace_digest = true;
  options.no_trace = true;
  options.export_raw = "raw";
  options.out = "out";
  options.format = Format::kCsv;
  options.command_line = {"duet", "sim", ""};
  const auto back = run_options_from_json(to_json(options));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, options);
}

TEST(RunOptionsAsJson, AnythingElseIsRefused) {
  for (const char* text : {"", "x", "[]", "{}", "{\"scenario\": \"a\"}"})
    EXPECT_FALSE(run_options_from_json(text)) << text;
}

TEST(ShellWords, AreQuotedWhereTheyMustBe) {
  EXPECT_EQ(shell_words({"duet", "sim", "a b", "it's", ""}), "duet sim 'a b' 'it'\\''s' ''");
}

}  // namespace cli_text
}  // namespace
}  // namespace duet::sim
