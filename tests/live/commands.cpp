// All commands of the command line alike: help, mistakes, no controller, JSON.
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/golden/program.h"

namespace duet::program_tests {
namespace {

using Words = std::vector<std::string>;
using testing::HasSubstr;
using testing::StartsWith;

/// As the help lists them.
Words all_commands() {
  std::istringstream help(duet({"--help"}).out);
  Words names;
  bool listed = false;
  for (std::string line; std::getline(help, line);) {
    if (listed && line.starts_with("  ") && line.size() > 2 && line[2] != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    listed = listed || line.starts_with("Subcommands");
  }
  return names;
}

/// What asks a controller, with words that it takes.
std::vector<Words> live_commands(const std::string& job_file) {
  return {{"run", "--", "true"},
          {"deploy", "web", "--", "sleep", "60"},
          {"scale", "web", "2"},
          {"stop", "1"},
          {"drain", "node-1"},
          {"undrain", "node-1"},
          {"status"},
          {"job"},
          {"node"},
          {"services"},
          {"logs", "1"},
          {"events"},
          {"plan", job_file},
          {"top"},
          {"explain", "1.0"}};
}

void insert_data(Words& words, const std::string& data) { words.insert(words.begin() + 1, {"--data", data}); }

TEST(Commands, AllHaveHelpAndNameWhatTheyDoNotKnow) {
  const Words names = all_commands();
  EXPECT_GE(names.size(), 35U);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const Ran help = duet({name, "--help"});
    EXPECT_EQ(help.code, 0) << help.err;
    EXPECT_THAT(help.out, StartsWith("Examples:\n  "));
    EXPECT_EQ(help.err, "");
    const Ran mistaken = duet({name, "--no-such-option"});
    EXPECT_EQ(mistaken.code, 2);
    EXPECT_THAT(mistaken.err, HasSubstr("duet " + name + " --help shows what there is"));
    EXPECT_EQ(mistaken.out, "");
  }
}

TEST(Commands, WithoutAControllerTheExitCodeIs4) {
  const Folder folder;
  write(folder / "job.json", R"({"name": "a", "command": ["true"]})");
  for (Words words : live_commands((folder / "job.json").string())) {
    SCOPED_TRACE(words.front());
    insert_data(words, (folder / "nothing").string());
    const Ran ran = duet(words);
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("no cluster runs in"));
    EXPECT_EQ(ran.out, "");
  }
}

class LiveCommands : public testing::Test {
 protected:
  LiveCommands() {
    const Ran ran = duet({"up", "--nodes", "1", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0",
                          "--data", data_, "--port-base", "26000", "--detach"});
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
  ~LiveCommands() override { duet({"down", "--data", data_}); }
  Ran live(Words words) {
    insert_data(words, data_);
    return duet(words);
  }

  Folder folder_;
  std::string data_ = (folder_ / "data").string();
};

TEST_F(LiveCommands, PrintJsonAndWords) {
  write(folder_ / "job.json", R"({"name": "wide", "command": ["true"], "cpu": 900000})");
  write(folder_ / "small.json", R"({"name": "small", "command": ["true"]})");
  EXPECT_EQ(live({"run", "--name", "first", "--", "sleep", "1000"}).code, 0);
  const std::vector<std::pair<Words, int>> commands = {{{"status"}, 0},
                                                       {{"job"}, 0},
                                                       {{"job", "1"}, 0},
                                                       {{"node"}, 0},
                                                       {{"services"}, 0},
                                                       {{"top"}, 0},
                                                       {{"explain", "1.0"}, 0},
                                                       {{"plan", (folder_ / "small.json").string()}, 0},
                                                       {{"plan", (folder_ / "job.json").string()}, 1}};
  for (const auto& [command, code] : commands) {
    SCOPED_TRACE(command.front());
    for (const std::string format : {"json", "csv", "table"}) {
      Words words = command;
      words.insert(words.end(), {"-o", format});
      const Ran ran = live(words);
      EXPECT_EQ(ran.code, code) << format << ran.out << ran.err;
      if (format == "json") EXPECT_TRUE(nlohmann::json::accept(ran.out)) << ran.out;
    }
  }
  EXPECT_THAT(live({"plan", (folder_ / "job.json").string()}).out,
              testing::AllOf(HasSubstr("would wait"), HasSubstr("no node has room"), HasSubstr("node-1")));
  EXPECT_THAT(live({"plan", (folder_ / "small.json").string()}).out,
              HasSubstr("all of it would start now, 1 task on node-1 (1)"));
  EXPECT_THAT(live({"explain", "1.0"}).out, HasSubstr("`first`"));
  EXPECT_THAT(live({"explain", "first"}).out, HasSubstr("`first`"));
  EXPECT_EQ(live({"explain", "nothing"}).code, 1);
  EXPECT_EQ(live({"explain", (folder_ / "data").string()}).code, 2) << "a run, without a task";
  EXPECT_EQ(live({"explain", "99.0"}).code, 1);
  EXPECT_EQ(live({"explain", "1.0", "--at", "5"}).code, 2);
  EXPECT_EQ(live({"plan", (folder_ / "none.json").string()}).code, 2);
  EXPECT_EQ(live({"top", "-n", "-1"}).code, 2);

  write(folder_ / "broken.json", "{\n  \"name\": \"a\",\n  \"command\": [\"true\",]\n}");
  const Ran broken = live({"run", "-f", (folder_ / "broken.json").string()});
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.err, testing::AllOf(HasSubstr("broken.json:3:"), HasSubstr("^")));

  // JSON is all that there is, CSV all columns, and the table what fits.
  const auto nodes = nlohmann::json::parse(live({"node", "-o", "json"}).out, nullptr, false);
  ASSERT_TRUE(nodes.is_array());
  EXPECT_TRUE(nodes[0].contains("capacity"));
  EXPECT_THAT(live({"node", "-o", "csv"}).out, HasSubstr("topology"));
  EXPECT_THAT(live({"node"}).out, testing::Not(HasSubstr("topology")));
  const auto top = nlohmann::json::parse(live({"top", "-o", "json"}).out, nullptr, false);
  ASSERT_TRUE(top.is_object());
  EXPECT_EQ(top["nodes"][0]["name"], "node-1");
  // The metrics are where the note says.
  const auto note = nlohmann::json::parse(read(folder_ / "data/controller/controller.json"), nullptr, false);
  ASSERT_TRUE(note.is_object());
  EXPECT_THAT(note.value("metrics", ""), testing::EndsWith("/metrics"));
  // What was recorded tells the whole life, also as a page.
  EXPECT_EQ(duet({"down", "--data", data_}).code, 0);
  const std::string folder = (folder_ / "data/controller").string();
  const Ran report = duet({"report", folder});
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_THAT(read(folder + "/report.html"), HasSubstr("first"));
  EXPECT_THAT(read(folder + "/results/jobs.csv"), HasSubstr("\nfirst,live,"));
  EXPECT_THAT(read(folder + "/results/nodes.csv"), HasSubstr("node-1"));
  EXPECT_THAT(duet({"explain", folder, "1.0"}).out, HasSubstr("placed on node-1"));
}

TEST(Doctor, GradesWhatItFinds) {
  const Folder folder;
  const Ran ran = duet({"doctor", "--data", (folder / "data").string(), "--listen", "127.0.0.1:0", "--agents",
                        "127.0.0.1:0", "-o", "json"});
  const auto told = nlohmann::json::parse(ran.out, nullptr, false);
  ASSERT_TRUE(told.is_object()) << ran.out << ran.err;
  std::set<std::string> what;
  bool missing = false;
  for (const auto& finding : told["findings"]) {
    what.insert(finding["what"].get<std::string>());
    const std::string grade = finding["grade"];
    missing = missing || grade == "missing";
    EXPECT_TRUE(grade == "ok" || grade == "warn" || grade == "missing");
    EXPECT_FALSE(finding["is"].get<std::string>().empty());
    if (grade != "ok") EXPECT_TRUE(finding.contains("to_do")) << finding;
  }
  for (const char* wanted :
       {"processors", "memory", "control groups", "seccomp", "landlock", "kernel", "user", "engines",
        "descriptors", "processes", "clock", "port for HTTP", "data", "disk", "programs"})
    EXPECT_TRUE(what.contains(wanted)) << wanted;
  EXPECT_EQ(told["runs"], !missing);
  EXPECT_EQ(ran.code, missing ? 1 : 0);
  EXPECT_TRUE(fs::is_empty(folder / "data"));
  // Where nothing can be written, no cluster can run.
  write(folder / "file", "");
  const Ran nowhere = duet({"doctor", "--data", (folder / "file/data").string()});
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.out, HasSubstr("missing  data"));
  EXPECT_EQ(duet({"doctor", "--listen", "nonsense"}).code, 2);
}

}  // namespace
}  // namespace duet::program_tests
