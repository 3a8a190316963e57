// Tables, the progress line, and the options one program hands to another.
#include <gtest/gtest.h>

#include "sim/progress.h"
#include "sim/run_command.h"
#include "sim/scenario_parse.h"
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

TEST(ProgressLine, ALongWaitForTheNextJobHasAnEndInSight) {
  EXPECT_EQ(progress_line({5, 1e9, 0, 1, 4e9}, 200),
            "[                    ] 0 %  15 s left  0 of 1 jobs  1000000000 of 4000000000 s simulated");
  // What takes longer counts: here the jobs.
  EXPECT_EQ(progress_line({1, 90, 1, 101, 100}, 200),
            "[                    ] 1 %  100 s left  1 of 101 jobs  1 jobs/s  90 of 100 s simulated");
}

TEST(ProgressLine, KnowsTheLastSubmissionAndTheHorizon) {
  const auto end_of = [](const std::string& more, const std::string& jobs) {
    return known_end_s(
        *parse_scenario(R"({"cluster": {"node_types": {"n": {}}, "nodes": [{"type": "n"}]}, )" + more +
                            R"( "workload": {"jobs": [)" + jobs + "]}}",
                        "s.json")
             .scenario);
  };
  const std::string late = R"({"at_s": 7, "duration_s": 1})";
  EXPECT_EQ(end_of("", late), 7);
  EXPECT_EQ(end_of(R"("horizon_s": 5,)", late), 5);
  EXPECT_EQ(end_of(R"("horizon_s": 50,)", late), 7);
  EXPECT_EQ(end_of(R"("horizon_s": 50,)", R"({"kind": "service"})"), 50);
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
