// duet policies new: what it writes, and what it refuses. Whether that compiles: tests/install.
#include <string>

#include <gtest/gtest.h>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

/// As much of a source tree as the command looks at.
struct SourceTree {
  SourceTree() {
    fs::create_directories(folder / "tests/unit");
    fs::create_directories(folder / "core/policy/scheduler");
    for (const char* file : {"core/policies.cpp", "core/policy.h"})
      fs::copy_file(fs::path(DUET_SOURCE_DIR) / file, folder / file);
  }
  Ran make(const std::string& kind, const std::string& name) const {
    return duet({"policies", "new", kind, name, "--dir", folder.text()});
  }
  std::string table() const { return read(folder / "core/policies.cpp"); }
  Folder folder;
};

/// `text` with `line` before the first `before`.
std::string with_line(std::string text, const std::string& line, const std::string& before) {
  return text.insert(text.find(before), line);
}

TEST(PoliciesNew, WritesAPolicyItsTestAndItsLinesInTheTable) {
  const SourceTree tree;
  const std::string before = tree.table();
  const Ran ran = tree.make("scheduler", "most_things");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string root = tree.folder.text() + '/';
  EXPECT_TRUE(ran.out.starts_with("wrote   " + root + "core/policy/scheduler/most_things.cpp\nwrote   " +
                                  root + "tests/unit/policy_most_things.cpp\nchanged " + root +
                                  "core/policies.cpp\nnext: "))
      << ran.out;
  const std::string declared = with_line(before, "DUET_POLICY(Scheduler, make_most_things);\n",
                                         "DUET_POLICY(Autoscaler, make_fixed);\n");
  EXPECT_EQ(
      tree.table(),
      with_line(declared,
                "    PolicyEntry<Scheduler>{\"most_things\", \"The node with the fewest tasks, of those "
                "with room.\", \"\",\n                           make_most_things},\n",
                "};\nconstexpr std::array kAutoscalers{\n"));
  const std::string policy = read(tree.folder / "core/policy/scheduler/most_things.cpp");
  EXPECT_NE(policy.find("class MostThingsScheduler final : public Scheduler {"), std::string::npos);
  EXPECT_NE(policy.find("make_most_things(const Params& params) {"), std::string::npos);
  const std::string test = read(tree.folder / "tests/unit/policy_most_things.cpp");
  EXPECT_NE(test.find("TEST(PolicyMostThingsScheduler, "), std::string::npos);
  for (const std::string& text : {policy, test}) EXPECT_EQ(text.find('@'), std::string::npos) << text;
}

TEST(PoliciesNew, RefusesNamesThatAreTakenOrImpossibleAndChangesNothing) {
  const SourceTree tree;
  const std::string before = tree.table();
  for (const char* name : {"first_fit", "easy", "", "Big", "9lives", "a-b", "end_", "two__lines",
                           "of_more_than_forty_characters_whatever_it_is", "../escape"}) {
    const Ran ran = tree.make("scheduler", name);
    EXPECT_EQ(ran.code, 2) << name;
    EXPECT_TRUE(ran.err.starts_with(std::string(name) + ": ") || *name == '\0') << ran.err;
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_NE(tree.make("scheduler", "easy").err.find("there is already a policy of this name"),
            std::string::npos);
  const Ran typo = tree.make("shceduler", "fine");
  EXPECT_EQ(typo.code, 2);
  EXPECT_NE(typo.err.find("did you mean `scheduler`?"), std::string::npos) << typo.err;
  EXPECT_EQ(tree.table(), before);
  EXPECT_TRUE(fs::is_empty(tree.folder / "core/policy/scheduler"));
  EXPECT_TRUE(fs::is_empty(tree.folder / "tests/unit"));
}

TEST(PoliciesNew, OverwritesNothing) {
  const SourceTree tree;
  const std::string before = tree.table();
  write(tree.folder / "tests/unit/policy_mine.cpp", "mine\n");
  const Ran ran = tree.make("scheduler", "mine");
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("tests/unit/policy_mine.cpp: exists already"), std::string::npos) << ran.err;
  EXPECT_EQ(read(tree.folder / "tests/unit/policy_mine.cpp"), "mine\n");
  EXPECT_EQ(tree.table(), before);
  EXPECT_TRUE(fs::is_empty(tree.folder / "core/policy/scheduler"));
}

TEST(PoliciesNew, WantsASourceTreeAndSaysAllThatIsWrongAtOnce) {
  const Folder elsewhere;
  const Ran ran = duet({"policies", "new", "queue", "Nope", "--dir", elsewhere.text()});
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("Nope: no policy can be called so: a name is made of a-z, 0-9 and _"),
            std::string::npos)
      << ran.err;
  EXPECT_NE(ran.err.find(elsewhere.text() + ": is not a source tree of Duet"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace duet::program_tests
