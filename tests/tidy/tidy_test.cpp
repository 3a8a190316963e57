// The tree is tidy; and each rule of tidy, fed something untidy, says so.
#include "tests/tidy/tidy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace duet::tidy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Tidy, TheTreeIsTidy) {
  const std::vector<File> tree = read_tree(DUET_SOURCE_DIR);
  ASSERT_GT(tree.size(), 20U) << "the walk found hardly anything below " DUET_SOURCE_DIR;
  std::string complaints;
  for (const std::string& line : check_tree(tree)) complaints += line + "\n";
  EXPECT_TRUE(complaints.empty()) << complaints;
}

TEST(Tidy, OneFileSeesTheCommandLineLibrary) {
  // It costs six seconds of compilation wherever it is seen.
  std::vector<std::string> files;
  for (const File& file : read_tree(DUET_SOURCE_DIR)) {
    const bool is_ours = file.path.starts_with("tools/") && is_source(file.path);
    if (is_ours && file.text.find("#include <CLI/") != std::string::npos) files.push_back(file.path);
  }
  EXPECT_LE(files.size(), 2U) << "one in each program at most: " << testing::PrintToString(files);
}

struct Snippet {
  std::string path, line;
};

void PrintTo(const Snippet& snippet, std::ostream* out) { *out << snippet.path << " with " << snippet.line; }

/// What a rule says of a file of one line.
template <class F>
Complaints said(F rule, const Snippet& snippet) {
  return rule(File{snippet.path, snippet.line + "\n"});
}

class BadInclude : public testing::TestWithParam<Snippet> {};
TEST_P(BadInclude, IsRefused) {
  EXPECT_THAT(said(check_includes, GetParam()), ElementsAre(HasSubstr(":1: ")));
}
INSTANTIATE_TEST_SUITE_P(Tidy, BadInclude,
                         testing::Values(Snippet{"core/plan.cpp", "#include <nlohmann/json.hpp>"},
                                         Snippet{"core/plan.cpp", "#include \"core/codec/json.h\""},
                                         Snippet{"core/plan.cpp", "#include <unistd.h>"},
                                         Snippet{"core/plan.cpp", "#include \"sim/scenario.h\""},
                                         Snippet{"core/plan.cpp", "#include \"core/policy/queue/easy.h\""},
                                         Snippet{"core/policy/queue/fcfs.cpp",
                                                 "#include \"core/controller.h\""},
                                         Snippet{"core/policy/queue/fcfs.cpp", "#include \"core/cluster.h\""},
                                         Snippet{"core/codec/json.cpp", "#include <simgrid/s4u.hpp>"},
                                         Snippet{"sim/results.cpp", "#include <simgrid/s4u.hpp>"},
                                         Snippet{"sim/results.cpp", "#include <boost/math/tools.hpp>"},
                                         Snippet{"sim/results.cpp", "#include \"live/driver.h\""},
                                         Snippet{"sim/results.cpp", "#include <CLI/CLI.hpp>"},
                                         Snippet{"live/driver.cpp", "#include <boost/asio.hpp>"},
                                         Snippet{"live/driver.cpp", "#include \"sim/scenario.h\""},
                                         Snippet{"live/driver.cpp", "#include <simgrid/s4u.hpp>"},
                                         Snippet{"tools/duet/main.cpp", "#include <simgrid/s4u.hpp>"}));

class GoodInclude : public testing::TestWithParam<Snippet> {};
TEST_P(GoodInclude, IsAccepted) { EXPECT_THAT(said(check_includes, GetParam()), IsEmpty()); }
INSTANTIATE_TEST_SUITE_P(Tidy, GoodInclude,
                         testing::Values(Snippet{"core/plan.cpp", "#include <vector>"},
                                         Snippet{"core/plan.cpp", "#include \"core/plan.h\""},
                                         Snippet{"core/plan.cpp", "// #include <unistd.h>"},
                                         Snippet{"core/policy/queue/fcfs.cpp", "#include \"core/plan.h\""},
                                         Snippet{"core/codec/json.cpp", "#include <nlohmann/json.hpp>"},
                                         Snippet{"sim/simgrid/engine.cpp", "#include <simgrid/s4u.hpp>"},
                                         Snippet{"live/asio.h", "#include <boost/asio.hpp>"},
                                         Snippet{"live/driver.cpp", "#include \"live/asio.h\""},
                                         Snippet{"tools/duet/main.cpp", "#include <CLI/CLI.hpp>"}));

class BadWord : public testing::TestWithParam<std::string> {};
TEST_P(BadWord, IsRefusedInTheCore) {
  EXPECT_THAT(said(check_identifiers, {"core/plan.cpp", GetParam()}), ElementsAre(HasSubstr("core may not")));
  EXPECT_THAT(said(check_identifiers, {"live/driver.cpp", GetParam()}), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Tidy, BadWord,
                         testing::Values("auto now = std::chrono::system_clock::now();",
                                         "using clock = steady_clock;", "int x = rand();",
                                         "std::random_device d;", "std::uniform_int_distribution<int> d;",
                                         "std::shuffle(a, b, rng);", "std::unordered_map<int, int> m;",
                                         "std::mutex m;", "std::thread t;", "auto home = std::getenv(name);",
                                         "std::printf(text);", "::printf(text);", "std::cout << x;",
                                         "#include <iostream>", "#include <random>"));

class GoodWord : public testing::TestWithParam<std::string> {};
TEST_P(GoodWord, IsAcceptedInTheCore) {
  EXPECT_THAT(said(check_identifiers, {"core/plan.cpp", GetParam()}), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Tidy, GoodWord,
                         testing::Values("thread = slot.thread;", "x.rand();", "int operand = 1;",
                                         "// std::mutex", "const char* s = \"std::mutex\";",
                                         "auto n = 1'000'000; std::string rand_;", "#include <chrono>",
                                         "std::map<int, int> m;"));

TEST(Tidy, CodeLinesKeepTheirNumbers) {
  EXPECT_THAT(code_lines("a /* b\nc */ d\n\"e\" f\nR\"(g\nh)\" i\n"),
              ElementsAre("a     ", "     d", "    f", "    ", "    i"));
}

TEST(Tidy, LongLinesAndFilesAreRefused) {
  EXPECT_THAT(said(check_shape, {"core/a.h", std::string(110, 'x')}), IsEmpty());
  EXPECT_THAT(said(check_shape, {"core/a.h", std::string(111, 'x')}), ElementsAre(HasSubstr("columns")));
  EXPECT_THAT(check_shape({"core/a.h", std::string(500, '\n')}), IsEmpty());
  EXPECT_THAT(check_shape({"core/a.h", std::string(501, '\n')}), ElementsAre(HasSubstr("split it")));
  EXPECT_THAT(check_shape({"core/a.h", "x"}), ElementsAre(HasSubstr("no newline")));
}

TEST(Tidy, ColumnsAreWhatOneSees) {
  std::string accents;
  for (int i = 0; i < 110; ++i) accents += "\u00e9";  // two bytes each
  EXPECT_THAT(said(check_shape, {"core/a.h", accents}), IsEmpty());
}

TEST(Tidy, UnfinishedBusinessIsRefused) {
  for (const std::string word : {"TO"
                                 "DO",
                                 "FIX"
                                 "ME",
                                 "XX"
                                 "X"}) {
    EXPECT_THAT(said(check_shape, {"core/a.h", "// " + word + ": later"}),
                ElementsAre(HasSubstr("unfinished")));
    EXPECT_THAT(said(check_shape, {"core/a.h", "// AUTO" + word + "NE"}), IsEmpty());
  }
}

TEST(Tidy, PathsOfOneMachineAreRefused) {
  EXPECT_THAT(said(check_shape, {"duet.sh", std::string("cd /ho") + "me/me"}),
              ElementsAre(HasSubstr("one machine")));
}

TEST(Tidy, PagesHaveOneHeading) {
  EXPECT_THAT(check_shape({"a.md", "# A\n\n```\n# a comment\n```\n## B\n"}), IsEmpty());
  EXPECT_THAT(check_shape({"a.md", "## A\n"}), ElementsAre(HasSubstr("H1")));
  EXPECT_THAT(check_shape({"a.md", "# A\n# B\n"}), ElementsAre(HasSubstr("H1")));
}

TEST(Tidy, ScenariosAreDescribed) {
  const File demo{"scenarios/demo.json", "{}\n"};
  EXPECT_THAT(check_scenarios({demo}), ElementsAre(HasSubstr("README")));
  EXPECT_THAT(check_scenarios({{"scenarios/README.md", "# Scenarios\n"}, demo}),
              ElementsAre(HasSubstr("README")));
  EXPECT_THAT(check_scenarios({{"scenarios/README.md", "# Scenarios\n`demo.json`: a start.\n"}, demo}),
              IsEmpty());
}

TEST(Tidy, TheTableOfBehavioursAndTheTestsNameEachOther) {
  const File tests{"tests/unit/a.cpp",
                   "TEST("
                   "Suite, S1_07_Order) {}\nTEST("
                   "Suite, Other) {}\n"};
  const File page{"docs/behaviours.md", "# Behaviours\n`Suite.S1_07_Order` `Suite.Other`\n"};
  EXPECT_THAT(check_behaviours({page, tests}), IsEmpty());
  EXPECT_THAT(check_behaviours({tests}), ElementsAre(HasSubstr("name Suite.S1_07_Order")));
  EXPECT_THAT(check_behaviours({page}), testing::SizeIs(2));
}

TEST(Tidy, TheWholeTreeGoesThroughEveryRule) {
  const std::vector<File> tree = {{"core/a.h",
                                   "#include <zlib.h>\nint x = rand();\n// TO"
                                   "DO\n"},
                                  {"scenarios/a.json", "{}\n"}};
  EXPECT_EQ(check_tree(tree).size(), 4U);
}

}  // namespace
}  // namespace duet::tidy
