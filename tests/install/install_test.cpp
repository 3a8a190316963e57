// An installed Duet, as others build against it: find_package(duet), a program with a scheduler of its own,
// and what `duet policies new` writes. It compiles for a while, so only `duet.sh test --all` runs it.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

const std::vector<std::string> kKinds = {"queue", "scheduler", "autoscaler", "detector", "estimator"};

/// Installs once for all tests of this program.
class Install : public testing::Test {
 public:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<Folder>();
    const Ran ran = shell("cmake --install '" DUET_BUILD_DIR "' --component development --prefix '" +
                          (*folder_ / "prefix").string() + "'");
    ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  /// Configures and builds a project against what was installed, into the folder `to`.
  static Ran build(const fs::path& project, const std::string& to) {
    const std::string where = path(to);
    return shell("cmake -S '" + project.string() + "' -B '" + where + "' -G Ninja -DCMAKE_PREFIX_PATH='" +
                 path("prefix") +
                 "' -DCMAKE_CXX_FLAGS='-O0 -Wall -Wextra -Werror' -DCMAKE_CXX_COMPILER='" DUET_COMPILER
                 "' && cmake --build '" +
                 where + "' --parallel 2");
  }
  static std::string path(const std::string& name) { return (*folder_ / name).string(); }

 private:
  static std::unique_ptr<Folder> folder_;
};
std::unique_ptr<Folder> Install::folder_;

TEST_F(Install, AProgramWithItsOwnSchedulerDecidesByIt) {
  const Ran built = build(DUET_SOURCE_DIR "/examples/own-policy", "own");
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  const Ran own = shell("'" + path("own/own_test") + "'");
  EXPECT_EQ(own.code, 0) << own.out;

  const std::string program = "'" + path("own/bin/own-duet") + "' ";
  const std::string scenario = "examples/own-policy/scenario.json";
  const Ran ran = shell(program + "sim " + scenario + " --engine loop --out '" + path("out") + "'");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(read(path("out/tasks.csv")),
            "task_id,job_id,node,slot,attempts,state,outcome,start,end,threads,kind\n"
            "1.0,a,n2,0,1,succeeded,succeeded,0.000000,10.000000,1,rigid\n"
            "2.0,b,n2,1,1,succeeded,succeeded,0.000000,20.000000,1,rigid\n"
            "3.0,c,n3,0,1,succeeded,succeeded,0.000000,30.000000,1,rigid\n"
            "4.0,d,n2,0,1,succeeded,succeeded,10.000000,20.000000,1,rigid\n");
  EXPECT_EQ(shell(program + "replay '" + path("out/trace.duet") + "' --verify").code, 0);
  const Ran listed = shell(program + "policies most_memory -o csv");
  EXPECT_EQ(listed.out,
            "kind,name,summary,parameters\n"
            "scheduler,most_memory,\"The node with the most memory free, in bytes.\",\n");
  if (has_simgrid())
    EXPECT_EQ(digest_of(shell(program + "sim " + scenario).out), digest_of(ran.out)) << "the other engine";
  // Duet itself has no such policy, and says so.
  const Ran other = duet({"replay", path("out/trace.duet")});
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("there is no policy 'most_memory'"), std::string::npos) << other.err;
}

TEST(Package, RunsWhereverItIsUnpacked) {
  const Folder folder;
  const Ran packed =
      shell("cpack --config '" DUET_BUILD_DIR "/CPackConfig.cmake' -G 'DEB;TGZ' -B '" + folder.text() + "'");
  ASSERT_EQ(packed.code, 0) << packed.out << packed.err;
  const Ran unpacked = shell("cd '" + folder.text() + "' && mkdir archive && dpkg-deb -x *.deb debian && " +
                             "tar xf *.tar.gz -C archive --strip-components=1 && dpkg-deb -f *.deb Depends");
  ASSERT_EQ(unpacked.code, 0) << unpacked.out << unpacked.err;
  EXPECT_NE(unpacked.out.find("libc6"), std::string::npos) << "what it needs is found out by dpkg-shlibdeps";
  const std::string digest = digest_of(duet({"sim", scenario("demo"), "--engine", "loop"}).out);
  const std::string engine = has_simgrid() ? "" : " --engine loop";
  for (const std::string prefix : {"debian/usr", "archive"}) {
    const std::string program = "'" + (folder / prefix / "bin/duet").string() + "' ";
    EXPECT_EQ(shell(program + "version").out, duet({"version"}).out) << prefix;
    EXPECT_EQ(digest_of(shell(program + "sim " + scenario("demo") + engine).out), digest) << prefix;
    EXPECT_EQ(
        shell(program + "compare " + scenario("demo") + " --axis queue=fcfs,easy --engine loop --out '" +
              (folder / prefix / "out").string() + "'")
            .code,
        0)
        << "it finds its own program for the runs";
  }
}

TEST_F(Install, NewPoliciesOfEveryKindCompileAndKeepTheContract) {
  const fs::path tree = path("tree");
  fs::create_directories(tree / "tests/unit");
  for (const std::string& kind : kKinds) fs::create_directories(tree / "core/policy" / kind);
  for (const char* file : {"core/policies.cpp", "core/policy.h"})
    fs::copy_file(fs::path(DUET_SOURCE_DIR) / file, tree / file);
  for (const std::string& kind : kKinds) {
    const Ran ran = duet({"policies", "new", kind, "begun_" + kind, "--dir", tree.string()});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
  write(tree / "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.25)\n"
        "project(new_policies LANGUAGES CXX)\n"
        "find_package(duet REQUIRED)\n"
        "find_package(GTest REQUIRED)\n"
        "file(GLOB sources core/policies.cpp core/policy/*/*.cpp tests/unit/*.cpp\n"
        "  " DUET_SOURCE_DIR "/tests/contract/*.cpp " DUET_SOURCE_DIR
        "/tests/harness/builders.cpp)\n"
        "add_executable(new_policies ${sources})\n"
        "target_include_directories(new_policies PRIVATE " DUET_SOURCE_DIR
        ")\n"
        "target_compile_options(new_policies PRIVATE -Wno-dangling-else -Wno-subobject-linkage)\n"
        "set_target_properties(new_policies PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 20)\n"
        "target_link_libraries(new_policies PRIVATE duet::core GTest::gmock_main)\n");
  const Ran built = build(tree, "new");
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  const Ran tests = shell("'" + path("new/new_policies") + "'");
  EXPECT_EQ(tests.code, 0) << tests.out;
  // Those of the new ones ran: one each of its own, and of the contracts of queues, schedulers and detectors.
  for (const char* name :
       {"PolicyBegunQueueQueue.StartsTheLowestRankFirst",
        "PolicyBegunSchedulerScheduler.PicksTheFewestTasksAmongThoseWithRoom",
        "PolicyBegunAutoscalerAutoscaler.WantsOneMemberForEachOperationWithinTheBounds",
        "PolicyBegunDetectorFailureDetector.GivesUpWhenNothingIsHeardForSoLong",
        "PolicyBegunEstimatorCpuEstimator.TakesWhatWasDeclaredAndElseWhatTheLastOneTook",
        "AGangThatDoesNotFitWholeLeavesNoTrace/begun_scheduler", "TheNextChangeIsExact/begun_detector",
        "NothingIsOvercommittedAndOnlyUsableNodesAreUsed/begun_queue"})
    EXPECT_NE(tests.out.find(std::string(name) + " ("), std::string::npos) << name << " did not run";
}

}  // namespace
}  // namespace duet::program_tests
